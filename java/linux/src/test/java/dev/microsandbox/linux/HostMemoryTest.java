package dev.microsandbox.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
  @TempDir Path folder;

  private boolean isShort(long available, double stalled) throws IOException {
    Path info = folder.resolve("meminfo");
    Files.writeString(
        info,
        "MemTotal:       16000000 kB\nMemFree:          100000 kB\nMemAvailable:   %d kB\n"
            .formatted(available));
    Path pressure = folder.resolve("pressure");
    Files.writeString(
        pressure,
        "some avg10=%.2f avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00"
                .formatted(stalled)
            + " total=1\n");
    return new HostMemory(info, pressure).isShort();
  }

  @Test
  void littleThatIsAvailableIsShort() throws IOException {
    assertThat(isShort(8_000_000, 0)).isFalse();
    assertThat(isShort(1_500_000, 0)).isTrue();
  }

  @Test
  void programsThatWaitForMemoryAreShortOfIt() throws IOException {
    assertThat(isShort(8_000_000, 5)).isFalse();
    assertThat(isShort(8_000_000, 40.5)).isTrue();
  }

  @Test
  void aKernelThatDoesNotTellIsTakenForWellOff() {
    assertThat(new HostMemory(folder.resolve("none"), folder.resolve("none")).isShort()).isFalse();
  }

  @Test
  void thisHostsFilesAreUnderstood() throws IOException {
    assertThat(Files.readString(Path.of("/proc/meminfo"))).contains("MemAvailable:");
    boolean _ = HostMemory.ofHost().isShort();
  }
}
