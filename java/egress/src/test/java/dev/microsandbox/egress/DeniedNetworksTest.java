package dev.microsandbox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DeniedNetworksTest {
  private static final Path SPEC = Path.of("../../spec");

  @Test
  void theTableIsTheSpecifications() throws Exception {
    JsonNode spec = read("denied-networks.json");
    assertThat(DeniedNetworks.DENIED)
        .containsExactlyElementsOf(
            spec.get("denied").valueStream().map(n -> n.get("network").asString()).toList());
    assertThat(DeniedNetworks.EMBEDDING)
        .containsExactlyElementsOf(
            spec.get("embedding")
                .valueStream()
                .filter(n -> !n.get("what").asString().equals("v4-mapped"))
                .map(n ->
                    new DeniedNetworks.Embedding(n.get("network").asString(), n.get("at").asInt()))
                .toList());
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("vectors")
  void judgesAsTheVectorsSay(String address, boolean denied) throws Exception {
    InetAddress read = InetAddress.ofLiteral(address);
    assertThat(DeniedNetworks.deny(read)).isEqualTo(denied);
    assertThat(DeniedNetworks.deny(InetAddress.getByAddress(read.getAddress()))).isEqualTo(denied);
  }

  static Stream<Arguments> vectors() throws Exception {
    return read("vectors/denied-networks.json")
        .get("vectors")
        .valueStream()
        .map(v -> Arguments.of(v.get("address").asString(), v.get("denied").asBoolean()));
  }

  private static JsonNode read(String file) throws Exception {
    return JsonMapper.shared().readTree(Files.readString(SPEC.resolve(file)));
  }
}
