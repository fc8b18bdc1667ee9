package dev.microsandbox.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.microsandbox.egress.Endpoint;
import dev.microsandbox.model.ByteSize;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AppSettingsTest {
  @TempDir private Path folder;

  private static AppSettings of(String... args) {
    return AppSettings.of(SettingSources.read(args, Map.of()));
  }

  @Test
  void everyKeyHasItsDefault() {
    AppSettings settings = of();
    assertThat(settings.home()).isEqualTo(Path.of("/var/lib/microsandbox"));
    assertThat(settings.server().host()).isEqualTo("127.0.0.1");
    assertThat(settings.server().port()).isEqualTo(5555);
    assertThat(settings.server().socket()).isEqualTo(Path.of("/run/microsandbox/msb.sock"));
    assertThat(settings.server().dev()).isFalse();
    assertThat(settings.server().behindProxy()).isFalse();
    assertThat(settings.server().tls()).isNull();
    assertThat(settings.names()).isEmpty();
    assertThat(settings.authorities()).isEmpty();
    assertThat(settings.agent()).isEqualTo(Path.of("/usr/local/lib/microsandbox/agent"));
    assertThat(settings.runtime()).isNull();
    assertThat(settings.strictRuntime()).isFalse();
    assertThat(settings.keepSandboxes()).isTrue();
    assertThat(settings.logTarget()).isEqualTo(AppSettings.LogTarget.AUTO);
    assertThat(settings.logLevel()).isEqualTo(System.Logger.Level.INFO);
    assertThat(settings.engine().maxSandboxes()).isEqualTo(256);
  }

  @Test
  void everyKeyIsRead() {
    AppSettings settings =
        of(
            "--home=/srv/msb",
            "--host=0.0.0.0",
            "--port=80",
            "--socket=/tmp/s",
            "--behind-proxy",
            "--tls-certificate=/c",
            "--tls-key=/k",
            "--name-map=a.example=127.0.0.1:81, b.example=[::1]:82",
            "--ca-file=/a.pem,/b.pem",
            "--agent=/a/agent",
            "--runtime=runc",
            "--strict-runtime",
            "--keep-sandboxes=false",
            "--log=stderr",
            "--log-level=debug",
            "--max-sandboxes=7",
            "--max-memory",
            "2048",
            "--run-timeout=2.5");
    assertThat(settings.home()).isEqualTo(Path.of("/srv/msb"));
    assertThat(settings.server().host()).isEqualTo("0.0.0.0");
    assertThat(settings.server().port()).isEqualTo(80);
    assertThat(settings.server().socket()).isEqualTo(Path.of("/tmp/s"));
    assertThat(settings.server().behindProxy()).isTrue();
    assertThat(settings.server().tls()).isNotNull();
    assertThat(settings.names())
        .isEqualTo(
            Map.of(
                "a.example", new Endpoint("127.0.0.1", 81), "b.example", new Endpoint("::1", 82)));
    assertThat(settings.authorities()).containsExactly(Path.of("/a.pem"), Path.of("/b.pem"));
    assertThat(settings.agent()).isEqualTo(Path.of("/a/agent"));
    assertThat(settings.runtime()).isEqualTo("runc");
    assertThat(settings.strictRuntime()).isTrue();
    assertThat(settings.keepSandboxes()).isFalse();
    assertThat(settings.logTarget()).isEqualTo(AppSettings.LogTarget.STDERR);
    assertThat(settings.logLevel()).isEqualTo(System.Logger.Level.DEBUG);
    assertThat(settings.engine().maxSandboxes()).isEqualTo(7);
    assertThat(settings.engine().maxMemory()).isEqualTo(ByteSize.ofMib(2048));
    assertThat(settings.engine().runTimeout()).isEqualTo(Duration.ofMillis(2500));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --prot=1                      | unknown setting: prot
          --port=x                      | port is a whole number
          --port=70000                  | port must be between
          --dev=maybe                   | dev is true or false
          --log=syslog                  | log cannot be syslog
          --log-level=loud              | log-level cannot be loud
          --tls-key=/k                  | tls-certificate and tls-key go together
          --host=0.0.0.0                | --tls-certificate
          --name-map=x                  | name-map is name=host:port
          --max-sandboxes=0             | max-sandboxes must be positive
          port                          | not an option: port
          --config=/no/such/file        | cannot be read
          """)
  void aWrongSettingIsRefusedByName(String argument, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> of(argument))
        .withMessageContaining(message);
  }

  @Test
  void theCommandLineWinsOverTheEnvironmentAndThatOverTheFile() throws Exception {
    Path file = folder.resolve("server.conf");
    Files.writeString(file, "# ours\n\nport = 1\nmax-sandboxes = 3\nhost=127.0.0.1\n");
    Map<String, String> environment =
        Map.of(
            "MICROSANDBOX_CONFIG", file.toString(),
            "MICROSANDBOX_PORT", "2",
            "MICROSANDBOX_MAX_SANDBOXES", "4",
            "MICROSANDBOX_UNHEARD_OF", "x",
            "HOME", "/root");
    AppSettings settings =
        AppSettings.of(SettingSources.read(new String[] {"--port=5"}, environment));
    assertThat(settings.server().port()).isEqualTo(5);
    assertThat(settings.engine().maxSandboxes()).isEqualTo(4);
    AppSettings fromFile =
        AppSettings.of(SettingSources.read(new String[] {"--config=" + file}, Map.of("PORT", "9")));
    assertThat(fromFile.server().port()).isOne();
    assertThat(fromFile.engine().maxSandboxes()).isEqualTo(3);
  }

  @Test
  void aLineThatIsNoSettingIsNamed() throws Exception {
    Path file = folder.resolve("server.conf");
    Files.writeString(file, "port = 1\nnonsense\n");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> of("--config=" + file))
        .withMessageContaining("line 2");
  }

  @Test
  void theLogFileIsTurnedOverAndBounded() throws Exception {
    Path file = folder.resolve("server.log");
    LogFile log = LogFile.open(file);
    log.setFormatter(
        new java.util.logging.Formatter() {
          @Override
          public String format(java.util.logging.LogRecord line) {
            return line.getMessage();
          }
        });
    String megabytes = "x".repeat(3 << 20);
    for (int i = 0; i < 30; i++) {
      log.publish(new java.util.logging.LogRecord(java.util.logging.Level.INFO, megabytes));
    }
    log.close();
    try (var files = Files.list(folder)) {
      assertThat(files.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrder("server.log", "server.log.1", "server.log.2", "server.log.3");
    }
    assertThat(Files.size(folder.resolve("server.log.3"))).isLessThanOrEqualTo(10L << 20);
  }
}
