package dev.microsandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EngineSettingsTest {
  private static final Path HOME = Path.of("/home");

  @Test
  void everyKeyHasADefault() {
    EngineSettings settings = EngineSettings.defaults(HOME);
    assertThat(settings.maxSandboxes()).isEqualTo(256);
    assertThat(settings.maxSandboxesPerOwner()).isEqualTo(256);
    assertThat(settings.maxStoredSandboxes()).isEqualTo(2048);
    assertThat(settings.maxMemory().bytes()).isZero();
    assertThat(settings.largest().memory().mib()).isEqualTo(64 * 1024);
    assertThat(settings.idRangeStart()).isEqualTo(0x1000_0000);
    assertThat(settings.idRanges()).isEqualTo(4096);
    assertThat(settings.runTimeout()).isEqualTo(Duration.ofSeconds(300));
    assertThat(settings.pools())
        .isEqualTo(new PoolSettings(true, 1, 8, 16, Duration.ofMinutes(5), 10));
    assertThat(settings.timings()).isEqualTo(EngineSettings.Timings.DEFAULT);
  }

  @Test
  void everyKeyIsRead() {
    EngineSettings settings =
        EngineSettings.of(
            HOME,
            Map.ofEntries(
                Map.entry("max-sandboxes", "3"),
                Map.entry("max-sandboxes-per-owner", "2"),
                Map.entry("max-stored-sandboxes", "4"),
                Map.entry("max-memory", "4096"),
                Map.entry("max-sandbox-memory", "128"),
                Map.entry("max-sandbox-cpus", "2"),
                Map.entry("max-sandbox-processes", "64"),
                Map.entry("max-sandbox-disk", "512"),
                Map.entry("id-range-start", "0x20000000"),
                Map.entry("id-ranges", "5"),
                Map.entry("run-timeout", "0"),
                Map.entry("pool", "off"),
                Map.entry("pool-min", "2"),
                Map.entry("pool-max", "3"),
                Map.entry("pool-total", "4"),
                Map.entry("pool-idle", "5"),
                Map.entry("pool-rate", "6"),
                Map.entry("connect-timeout", "1"),
                Map.entry("adopt-timeout", "9"),
                Map.entry("redial-timeout", "2"),
                Map.entry("interrupt-grace", "0.5"),
                Map.entry("agent-patience", "4"),
                Map.entry("stop-timeout", "5"),
                Map.entry("busy-timeout", "6"),
                Map.entry("shutdown-timeout", "7"),
                Map.entry("sweep-interval", "8")));
    assertThat(settings.maxSandboxes()).isEqualTo(3);
    assertThat(settings.maxSandboxesPerOwner()).isEqualTo(2);
    assertThat(settings.maxStoredSandboxes()).isEqualTo(4);
    assertThat(settings.maxMemory().mib()).isEqualTo(4096);
    assertThat(settings.largest().memory().mib()).isEqualTo(128);
    assertThat(settings.largest().cpus()).isEqualTo(2);
    assertThat(settings.largest().processes()).isEqualTo(64);
    assertThat(settings.largest().disk().mib()).isEqualTo(512);
    assertThat(settings.idRangeStart()).isEqualTo(0x2000_0000);
    assertThat(settings.idRanges()).isEqualTo(5);
    assertThat(settings.runTimeout()).isZero();
    assertThat(settings.pools())
        .isEqualTo(new PoolSettings(false, 2, 3, 4, Duration.ofSeconds(5), 6));
    assertThat(settings.timings())
        .isEqualTo(
            new EngineSettings.Timings(
                Duration.ofSeconds(1),
                Duration.ofSeconds(9),
                Duration.ofSeconds(2),
                Duration.ofMillis(500),
                Duration.ofSeconds(4),
                Duration.ofSeconds(5),
                Duration.ofSeconds(6),
                Duration.ofSeconds(7),
                Duration.ofSeconds(8)));
  }

  @Test
  void whatIsWrongIsNamed() {
    for (Map.Entry<String, String> wrong :
        Map.of(
                "max-sandboxes", "0",
                "id-range-start", "1000",
                "id-ranges", "99999999",
                "run-timeout", "soon",
                "pool", "perhaps",
                "pool-max", "0",
                "pool-rate", "0",
                "no-such-key", "1",
                "max-stored-sandboxes", "1")
            .entrySet()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> EngineSettings.of(HOME, Map.of(wrong.getKey(), wrong.getValue())))
          .withMessageContaining(wrong.getKey());
    }
  }
}
