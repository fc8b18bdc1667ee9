package dev.microsandbox.engine;

import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ImageReference;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Where the engine gets root filesystems from.
public interface RootfsSource {

  /// The image that a name stands for now.
  ///
  /// @throws dev.microsandbox.model.SandboxException `image_not_found`, with the command that helps
  Rootfs resolve(ImageReference name);

  /// The very image that a stopped sandbox's disk belongs to.
  ///
  /// @throws dev.microsandbox.model.SandboxException `image_not_found` where it is gone
  Rootfs resolve(ImageReference name, Digest digest);

  List<ImageInfo> list();

  /// @param file the image's one read-only file
  /// @param environment of its configuration
  record Rootfs(ImageInfo info, Path file, Map<String, String> environment) {
    public Rootfs {
      environment = Map.copyOf(environment);
    }
  }
}
