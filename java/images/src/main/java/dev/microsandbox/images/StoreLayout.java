package dev.microsandbox.images;

import dev.microsandbox.model.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Where things are in the store: `<name>/<sha256>/rootfs.erofs` and `config.json`, and
/// `<name>/current`, a link to the newest digest's folder. Names with a leading dot are a builder's
/// own.
record StoreLayout(Path root) {
  private static final String CURRENT = "current";

  /// Short names of all images that are, or once were, in the store.
  List<String> names() throws IOException {
    try (Stream<Path> entries = Files.list(root)) {
      return entries
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .filter(name -> !name.startsWith("."))
          .sorted()
          .toList();
    } catch (NoSuchFileException _) {
      return List.of();
    }
  }

  /// What `current` points to; empty where nothing has been built.
  Optional<Digest> current(String shortName) throws IOException, DamagedImageException {
    Path link = root.resolve(shortName).resolve(CURRENT);
    try {
      return Optional.of(Digest.parse(Files.readSymbolicLink(link).toString()));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (NotLinkException | IllegalArgumentException e) {
      throw new DamagedImageException("its link to the current version is none", e);
    }
  }

  Path rootfs(String shortName, Digest digest) {
    return folder(shortName, digest).resolve("rootfs.erofs");
  }

  Path configuration(String shortName, Digest digest) {
    return folder(shortName, digest).resolve("config.json");
  }

  private Path folder(String shortName, Digest digest) {
    return root.resolve(shortName).resolve(digest.hex());
  }
}
