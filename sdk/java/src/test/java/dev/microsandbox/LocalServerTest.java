package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalServerTest {
  @TempDir Path folder;

  @Test
  void startThatFailsSaysWhy() throws IOException {
    String msb = msb("echo \"no luck with $1 $2\" >&2; exit 3");
    assertThatThrownBy(new MsbStarter(Map.of("MSB_PATH", msb))::start)
        .isInstanceOfSatisfying(
            SandboxException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.SERVER_UNREACHABLE))
        .hasMessageContaining("no luck with server start");
  }

  @Test
  void msbIsFoundOnThePath() throws IOException {
    msb("touch \"$(dirname \"$0\")/called\"");
    new MsbStarter(Map.of("PATH", "/nonexistent:" + folder)).start();
    assertThat(folder.resolve("called")).exists();
  }

  @Test
  void msbIsFoundInTheCheckout() {
    assertThat(MsbStarter.findMsb(Map.of())).endsWith("/msb");
  }

  private String msb(String script) throws IOException {
    Path path = folder.resolve("msb");
    java.nio.file.Files.writeString(path, "#!/bin/sh\n" + script + "\n");
    java.nio.file.Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    return path.toString();
  }
}
