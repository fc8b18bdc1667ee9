package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The codec against the vectors that both ends share.
class FramesTest {
  private static final Path VECTORS = Path.of("../../spec/vectors/frames.json");

  @ParameterizedTest(name = "{0}")
  @MethodSource("readable")
  void readsAsTheVectorsSay(String name, JsonNode vector) throws Exception {
    ByteBuffer in = bytes(vector);
    List<String> frames = new ArrayList<>();
    Frames.read(in, (s, t, f, p) -> frames.add(describe(s, t.name(), f, hex(p))));
    List<String> expected = new ArrayList<>();
    for (JsonNode frame : vector.get("frames")) {
      expected.add(
          describe(
              frame.get("stream").asLong(),
              frame.get("type").asString(),
              frame.get("flags").asInt(),
              frame.get("payload").asString()));
    }
    assertThat(frames).containsExactlyElementsOf(expected);
    assertThat(in.remaining()).isEqualTo(vector.get("rest").asInt());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("readable")
  void readsTheSameByteByByte(String name, JsonNode vector) throws Exception {
    byte[] all = bytes(vector).array();
    List<String> frames = new ArrayList<>();
    ByteBuffer kept = ByteBuffer.allocate(all.length).limit(0);
    for (byte b : all) {
      kept.compact().put(b).flip();
      Frames.read(kept, (s, t, f, p) -> frames.add(t.name()));
    }
    assertThat(frames).hasSize(vector.get("frames").size());
    assertThat(kept.remaining()).isEqualTo(vector.get("rest").asInt());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("broken")
  void seesThatItIsBroken(String name, JsonNode vector) {
    assertThatThrownBy(() -> Frames.read(bytes(vector), (_, _, _, _) -> {}))
        .isInstanceOf(BrokenRuleException.class);
  }

  static Stream<Arguments> readable() throws Exception {
    return vectors("read");
  }

  static Stream<Arguments> broken() throws Exception {
    return vectors("broken");
  }

  private static Stream<Arguments> vectors(String which) throws Exception {
    return JsonMapper.shared()
        .readTree(Files.readString(VECTORS))
        .get(which)
        .valueStream()
        .map(vector -> Arguments.of(vector.get("name").asString(), vector));
  }

  private static ByteBuffer bytes(JsonNode vector) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(vector.get("bytes").asString()));
  }

  private static String hex(ByteBuffer payload) {
    byte[] bytes = new byte[payload.remaining()];
    payload.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static String describe(long stream, String type, int flags, String payload) {
    return (stream & 0xffffffffL) + " " + type + " " + flags + " " + payload;
  }
}
