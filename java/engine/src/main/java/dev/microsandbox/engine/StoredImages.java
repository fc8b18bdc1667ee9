package dev.microsandbox.engine;

import dev.microsandbox.images.Image;
import dev.microsandbox.images.ImageStore;
import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ImageReference;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Root filesystems out of the host's image store.
public final class StoredImages implements RootfsSource {
  private final ImageStore store;

  /// What was read of an image's version; that never changes.
  private final Map<ImageReference, Rootfs> read = new ConcurrentHashMap<>();

  public StoredImages(ImageStore store) {
    this.store = store;
  }

  @Override
  public Rootfs resolve(ImageReference name) {
    Rootfs known = read.get(name);
    if (known == null || !store.isCurrent(name, known.info().digest())) {
      known = rootfs(store.find(name));
      read.put(name, known);
    }
    return known;
  }

  @Override
  public Rootfs resolve(ImageReference name, Digest digest) {
    return rootfs(store.find(name, digest));
  }

  @Override
  public List<ImageInfo> list() {
    return store.list().stream().map(StoredImages::info).toList();
  }

  private static Rootfs rootfs(Image image) {
    return new Rootfs(info(image), image.rootfs(), image.configuration().environment());
  }

  private static ImageInfo info(Image image) {
    return new ImageInfo(
        image.name(),
        image.digest(),
        image.size(),
        image.configuration().languages(),
        image.configuration().createdAt());
  }
}
