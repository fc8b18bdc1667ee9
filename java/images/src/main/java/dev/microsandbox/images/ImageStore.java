package dev.microsandbox.images;

import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The images on this host, as `images/build` leaves them. Nothing is kept in memory: what a build
/// publishes is seen by the next call, and never half of it.
public final class ImageStore {
  private static final Logger LOG = System.getLogger(ImageStore.class.getName());

  private final StoreLayout layout;

  private ImageStore(StoreLayout layout) {
    this.layout = layout;
  }

  /// Opens the store in a folder, which need not exist yet.
  public static ImageStore open(Path folder) {
    return new ImageStore(new StoreLayout(folder.toAbsolutePath().normalize()));
  }

  /// Where the store is, for `images/build`.
  public Path folder() {
    return layout.root();
  }

  /// The current version of an image.
  ///
  /// @throws SandboxException `image_not_found` where it has not been built, is damaged or is made
  ///   for other machines; the message has the command that helps
  public Image find(ImageReference name) {
    String shortName = name.shortName().orElseThrow(() -> unknown(name));
    try {
      return read(shortName).orElseThrow(() -> unknown(name));
    } catch (DamagedImageException e) {
      throw new SandboxException(
          ErrorCode.IMAGE_NOT_FOUND,
          "image %s cannot be used: %s; build it again: msb image build %s"
              .formatted(name, e.getMessage(), shortName),
          Map.of("image", name.name()),
          e);
    } catch (IOException e) {
      throw new SandboxException(
          ErrorCode.STORE_FAILED, "the image store cannot be read", Map.of(), e);
    }
  }

  /// Whether this is the current version of an image. Cheaper than finding it.
  public boolean isCurrent(ImageReference name, Digest digest) {
    try {
      return name.shortName().isPresent()
          && layout.current(name.shortName().get()).equals(Optional.of(digest));
    } catch (IOException | DamagedImageException _) {
      return false; // finding it says what is wrong
    }
  }

  /// A certain version of an image, which need not be the current one: a sandbox's disk belongs to
  /// the version that it was made with.
  ///
  /// @throws SandboxException `image_not_found` where it is not there any more or is damaged
  public Image find(ImageReference name, Digest digest) {
    String shortName = name.shortName().orElseThrow(() -> unknown(name));
    try {
      return read(shortName, digest);
    } catch (DamagedImageException | NoSuchFileException e) {
      throw new SandboxException(
          ErrorCode.IMAGE_NOT_FOUND,
          "the version of %s that this sandbox was made of is gone; create it anew".formatted(name),
          Map.of("image", name.name()),
          e);
    } catch (IOException e) {
      throw new SandboxException(
          ErrorCode.STORE_FAILED, "the image store cannot be read", Map.of(), e);
    }
  }

  /// The current version of every image, by name. What is damaged is left out and logged.
  ///
  /// @throws SandboxException `store_failed` where the store cannot be read
  public List<Image> list() {
    List<Image> images = new ArrayList<>();
    try {
      for (String shortName : layout.names()) {
        try {
          read(shortName).ifPresent(images::add);
        } catch (DamagedImageException e) {
          LOG.log(Level.WARNING, "image {0} left out: {1}", shortName, e.getMessage());
        }
      }
    } catch (IOException e) {
      throw new SandboxException(
          ErrorCode.STORE_FAILED, "the image store cannot be read", Map.of(), e);
    }
    return List.copyOf(images);
  }

  private Optional<Image> read(String shortName) throws IOException, DamagedImageException {
    Optional<Digest> current = layout.current(shortName);
    if (current.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(read(shortName, current.get()));
  }

  private Image read(String shortName, Digest digest) throws IOException, DamagedImageException {
    Path rootfs = layout.rootfs(shortName, digest);
    ImageConfiguration configuration =
        ConfigurationReader.read(layout.configuration(shortName, digest), digest);
    requireThisMachines(configuration);
    return new Image(
        ImageReference.parse(shortName), digest, rootfs, ErofsFile.check(rootfs), configuration);
  }

  private static void requireThisMachines(ImageConfiguration configuration)
      throws DamagedImageException {
    String machine = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    if (!configuration.architecture().equals(machine)) {
      throw new DamagedImageException("it is made for other machines than " + machine);
    }
  }

  private static SandboxException unknown(ImageReference name) {
    String remedy =
        name.isDefault()
            ? "build it: msb image build " + name.shortName().orElseThrow()
            : "there are microsandbox/python and microsandbox/node";
    return new SandboxException(
        ErrorCode.IMAGE_NOT_FOUND,
        "image %s is not on this host; %s".formatted(name, remedy),
        Map.of("image", name.name()));
  }
}
