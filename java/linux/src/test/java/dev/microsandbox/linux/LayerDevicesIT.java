package dev.microsandbox.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerDevicesIT {
  private static final Duration NOT_AT_ALL = Duration.ZERO;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path home;

  private Path layer(String folder) throws Exception {
    Path layer = Files.createDirectories(home.resolve(folder)).resolve("layer.ext4");
    try (RandomAccessFile file = new RandomAccessFile(layer.toFile(), "rw")) {
      file.setLength(1 << 20);
    }
    return layer;
  }

  @Test
  void aLayerIsInUseAsLongAsItsDeviceIsSetUp() throws Exception {
    LayerDevices devices = new LayerDevices();
    Path layer = layer("a");
    try (LoopDevice device = LoopDevice.writable(layer)) {
      devices.remember(layer, device.setup(layer));
      assertThat(devices.awaitUnused(layer, NOT_AT_ALL)).isFalse();
      assertThat(devices.awaitUnused(layer("b"), NOT_AT_ALL)).isTrue();
    }
    assertThat(devices.awaitUnused(layer, PATIENCE)).isTrue();
  }

  @Test
  void aDeviceThatIsSetUpAnewIsNotTakenForWhatItWas() throws Exception {
    Path layer = layer("a");
    LoopDevice.Setup first;
    try (LoopDevice device = LoopDevice.writable(layer)) {
      first = device.setup(layer);
      assertThat(first.lasts()).isTrue();
    }
    assertThat(remembering(layer, first).awaitUnused(layer, PATIENCE)).isTrue();
    try (LoopDevice again = LoopDevice.writable(layer)) {
      assertThat(again.setup(layer)).isNotEqualTo(first);
      assertThat(first.lasts()).isFalse();
    }
  }

  private static LayerDevices remembering(Path layer, LoopDevice.Setup setup) {
    LayerDevices devices = new LayerDevices();
    devices.remember(layer, setup);
    return devices;
  }

  @Test
  void aLayerThatAnEarlierServerHasSetUpIsFound() throws Exception {
    Path layer = layer("a");
    LayerDevices later = new LayerDevices();
    try (LoopDevice _ = LoopDevice.writable(layer)) {
      assertThat(later.awaitUnused(layer("b"), NOT_AT_ALL)).isTrue();
      assertThat(later.awaitUnused(layer, NOT_AT_ALL)).isFalse();
    }
    assertThat(later.awaitUnused(layer, PATIENCE)).isTrue();
  }

  /// As when the mount namespace of a killed server has gone: the kernel then tells the path from
  /// the mount's own root.
  @Test
  void aLayerIsFoundWhoseMountHasGone() throws Exception {
    Path layer = layer("a");
    Path mount = Files.createDirectories(home.resolve("mount"));
    HostCommand.of("mount", "--bind", home.resolve("a").toString(), mount.toString())
        .run()
        .orThrow();
    LoopDevice device = LoopDevice.writable(mount.resolve("layer.ext4"));
    try (device) {
      HostCommand.of("umount", "--lazy", mount.toString()).run().orThrow();
      assertThat(Path.of("/sys/block").resolve(device.path().getFileName()))
          .satisfies(
              folder -> assertThat(folder.resolve("loop/backing_file")).hasContent("/layer.ext4"));
      assertThat(new LayerDevices().awaitUnused(layer, NOT_AT_ALL)).isFalse();
    }
    assertThat(new LayerDevices().awaitUnused(layer, PATIENCE)).isTrue();
  }
}
