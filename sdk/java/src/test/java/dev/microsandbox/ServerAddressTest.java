package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ServerAddressTest {
  @Test
  void environmentNamesTheServerAndItsKey() {
    ServerAddress address =
        ServerAddress.fromEnvironment(
            Map.of("MSB_SERVER_URL", "https://there:8443/", "MSB_API_KEY", "msb_secret"));
    assertThat(address.uri()).hasToString("https://there:8443");
    assertThat(address.apiKey()).isEqualTo("msb_secret");
    assertThat(address.named()).isTrue();
    assertThat(address.toString()).doesNotContain("msb_secret");
  }

  @Test
  void unixAddressIsAPath() {
    ServerAddress address = ServerAddress.parse("unix:///run/x.sock", null);
    assertThat(address.socket()).isEqualTo(Path.of("/run/x.sock"));
  }

  @Test
  void addressWithoutSchemeIsRefusedWithAnExample() {
    assertThatThrownBy(() -> ServerAddress.parse("localhost:5555", null))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("http://host:port");
  }
}
