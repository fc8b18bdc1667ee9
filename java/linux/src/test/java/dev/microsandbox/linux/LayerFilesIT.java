package dev.microsandbox.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ByteSize;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerFilesIT {
  @TempDir Path home;

  @Test
  void aLayerIsAsLargeAsItsQuotaAndTakesAlmostNothing() throws Exception {
    Path layer = home.resolve("layer.ext4");
    boolean made =
        new LayerFiles(home.resolve("templates"), new LayerDevices())
            .prepare(layer, ByteSize.ofGib(4));

    assertThat(made).isTrue();
    assertThat(Files.size(layer)).isEqualTo(ByteSize.ofGib(4).bytes());
    assertThat(LayerFiles.allocated(layer).bytes()).isLessThan(ByteSize.ofMib(2).bytes());
    assertThat(check(layer)).isZero();
  }

  @Test
  void aLayerThatIsThereIsKept() throws Exception {
    LayerFiles layers = new LayerFiles(home.resolve("templates"), new LayerDevices());
    Path layer = home.resolve("layer.ext4");
    layers.prepare(layer, ByteSize.ofMib(16));
    Object before = Files.getAttribute(layer, "unix:ino");

    assertThat(layers.prepare(layer, ByteSize.ofMib(16))).isFalse();
    assertThat(Files.getAttribute(layer, "unix:ino")).isEqualTo(before);
  }

  @Test
  void aLayerOfACrashedHostIsRepaired() throws Exception {
    LayerFiles layers = new LayerFiles(home.resolve("templates"), new LayerDevices());
    Path layer = home.resolve("layer.ext4");
    layers.prepare(layer, ByteSize.ofMib(16));
    edit(layer, "set_super_value state 0");
    edit(layer, "setb 3000 5");
    assertThat(check(layer)).isNotZero();

    layers.prepare(layer, ByteSize.ofMib(16));

    assertThat(check(layer)).isZero();
  }

  @Test
  void aFilesHolesStayHolesInItsCopy() throws Exception {
    Path from = home.resolve("from");
    try (RandomAccessFile file = new RandomAccessFile(from.toFile(), "rw")) {
      file.setLength(1L << 30);
      file.seek(100_000_000);
      file.write("middle".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    Path to = home.resolve("to");

    SparseFile.copy(from, to);

    assertThat(Files.size(to)).isEqualTo(1L << 30);
    assertThat(SparseFile.allocated(to)).isLessThan(1 << 20);
    assertThat(Files.mismatch(from, to)).isEqualTo(-1);
  }

  private static void edit(Path layer, String request) throws Exception {
    HostCommand.of("debugfs", "-w", "-R", request, layer.toString()).run().orThrow();
  }

  private static int check(Path layer) throws Exception {
    return HostCommand.of("e2fsck", "-f", "-n", layer.toString()).run().exitCode();
  }
}
