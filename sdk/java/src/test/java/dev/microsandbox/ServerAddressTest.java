package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ServerAddressTest {
  @Test
  void addressHasNoSlashAtItsEnd() {
    ServerAddress address = ServerAddress.parse("https://there:8443/", "msb_secret");
    assertThat(address.uri()).hasToString("https://there:8443");
    assertThat(address.apiKey()).isEqualTo("msb_secret");
  }

  @Test
  void unixAddressIsAPath() {
    ServerAddress address = ServerAddress.parse("unix:///run/x.sock", null);
    assertThat(address.socket()).isEqualTo(Path.of("/run/x.sock"));
  }

  @Test
  void addressesThatAreNoneAreRefused() {
    assertThatThrownBy(() -> ServerAddress.parse("localhost:5555", null))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("http://host:port");
    assertThatThrownBy(() -> ServerAddress.parse("http://a b", null))
        .isInstanceOf(SandboxException.class);
  }
}
