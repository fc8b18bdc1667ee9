package dev.microsandbox.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// Each image's file mounted once, so that all sandboxes made from it share one page cache. Used
/// from the namespace's thread only.
final class ImageMounts {
  private static final long ATTRIBUTES =
      Mount.READ_ONLY | Mount.NOSUID | Mount.NODEV | Mount.NOATIME;

  private final Path folder;
  private final Map<Path, Mounted> mounts = new HashMap<>();
  private int count;

  /// @param file what the path was when it was mounted: a rebuilt image is another file
  private record Mounted(Path at, Object file) {}

  ImageMounts(Path folder) {
    this.folder = folder;
  }

  /// Where the image is mounted; mounts it where it is not.
  Path mounted(Path image) throws IOException {
    dropRemoved();
    Object file = Files.readAttributes(image, "unix:ino,dev,ctime").toString();
    Mounted known = mounts.get(image);
    if (known != null && known.file.equals(file)) {
      return known.at;
    }
    if (known != null) {
      drop(image, known);
    }
    Path at = Files.createDirectory(folder.resolve(Integer.toString(count++)));
    try (Mount mount = open(image)) {
      mount.attach(at);
    }
    mounts.put(image, new Mounted(at, file));
    return at;
  }

  /// Straight from its file where the kernel can (6.12), else over a loop device.
  private static Mount open(Path image) throws LinuxException {
    try {
      return Mount.create("erofs", Map.of("source", image.toString()), ATTRIBUTES);
    } catch (LinuxException e) {
      if (e.errno() != Errno.ENOTBLK && e.errno() != Errno.EINVAL) {
        throw e;
      }
    }
    try (LoopDevice device = LoopDevice.readOnly(image)) {
      return Mount.create("erofs", Map.of("source", device.path().toString()), ATTRIBUTES);
    }
  }

  /// An image that has been deleted would keep its space as long as it is mounted.
  private void dropRemoved() {
    for (var entry : Map.copyOf(mounts).entrySet()) {
      if (!Files.exists(entry.getKey())) {
        drop(entry.getKey(), entry.getValue());
      }
    }
  }

  private void drop(Path image, Mounted mounted) {
    Mount.detach(mounted.at);
    mounted.at.toFile().delete();
    mounts.remove(image);
  }
}
