package dev.microsandbox.linux;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Devices of the host that sandboxes need.
public final class HostDevices {
  private HostDevices() {}

  /// What is wrong with the TUN device; null where it can be opened.
  public static @Nullable String missingTun() {
    try (Descriptor tun = Descriptor.open(Path.of("/dev/net/tun"), Descriptor.O_RDWR)) {
      return tun.isOpen() ? null : "/dev/net/tun cannot be opened";
    } catch (LinuxException e) {
      return e.getMessage();
    }
  }
}
