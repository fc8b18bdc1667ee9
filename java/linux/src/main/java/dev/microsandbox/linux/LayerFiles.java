package dev.microsandbox.linux;

import dev.microsandbox.model.ByteSize;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;

/// Sandboxes' writable layers: sparse ext4 files whose size is the disk quota. Each is a copy of an
/// empty template of its size, which is made once.
public final class LayerFiles {
  private static final Duration MAKE = Duration.ofMinutes(1);
  private static final Duration CHECK = Duration.ofMinutes(5);
  private static final Duration RELEASE = Duration.ofSeconds(5);
  private static final int STATE_AT = 1024 + 58;
  private static final int CLEAN = 1;
  private static final int REPAIRED = 1;

  private final Path templates;
  private final LayerDevices devices;

  /// @param templates a folder for the templates, made when needed
  /// @param devices what the same server's layers are set up on
  public LayerFiles(Path templates, LayerDevices devices) {
    this.templates = templates;
    this.devices = devices;
  }

  /// Makes a layer where there is none, and makes sure of one that is there.
  ///
  /// @return whether it is new
  public boolean prepare(Path layer, ByteSize size) throws IOException, InterruptedException {
    if (Files.exists(layer)) {
      if (!devices.awaitUnused(layer, RELEASE)) {
        throw new LinuxException("the sandbox's disk is still in use");
      }
      repair(layer);
      return false;
    }
    Path unfinished = layer.resolveSibling(layer.getFileName() + ".new");
    Files.deleteIfExists(unfinished);
    SparseFile.copy(template(size), unfinished);
    Files.move(unfinished, layer, StandardCopyOption.ATOMIC_MOVE);
    return true;
  }

  /// Removes templates that a killed server was making. Of the one server that uses the folder.
  public synchronized void removeUnfinished() {
    if (!Files.isDirectory(templates)) {
      return;
    }
    try (DirectoryStream<Path> unfinished =
        Files.newDirectoryStream(templates, "{*.new,content*}")) {
      for (Path path : unfinished) {
        Trees.delete(path);
      }
    } catch (IOException e) {
      System.getLogger(LayerFiles.class.getName())
          .log(System.Logger.Level.WARNING, "unfinished templates could not be removed", e);
    }
  }

  /// The bytes that a layer takes on the host's disk now.
  public static ByteSize allocated(Path layer) throws IOException {
    return new ByteSize(SparseFile.allocated(layer));
  }

  private synchronized Path template(ByteSize size) throws IOException, InterruptedException {
    Path template = templates.resolve("layer-" + size.bytes() + ".ext4");
    if (Files.exists(template)) {
      return template;
    }
    Files.createDirectories(templates);
    Path unfinished = Files.createTempFile(templates, "layer", ".new");
    Path content = Files.createTempDirectory(templates, "content");
    try {
      Files.createDirectory(content.resolve("upper"));
      Files.createDirectory(content.resolve("work"));
      truncate(unfinished, size);
      format(unfinished, content);
      Files.move(unfinished, template, StandardCopyOption.ATOMIC_MOVE);
      return template;
    } finally {
      Files.deleteIfExists(unfinished);
      Trees.delete(content);
    }
  }

  /// An image of empty folders, to try mounts and runtimes with; made once.
  public synchronized Path emptyImage() throws IOException, InterruptedException {
    Path image = templates.resolve("empty.erofs");
    if (Files.exists(image)) {
      return image;
    }
    Files.createDirectories(templates);
    Path unfinished = templates.resolve("empty.erofs.new");
    Path content = Files.createTempDirectory(templates, "content");
    try {
      for (String name : List.of("dev", "proc", "sys", "tmp", ".msb")) {
        Files.createDirectory(content.resolve(name));
      }
      HostCommand.of("mkfs.erofs", unfinished.toString(), content.toString())
          .withDeadline(MAKE)
          .run()
          .orThrow();
      Files.move(unfinished, image, StandardCopyOption.ATOMIC_MOVE);
      return image;
    } finally {
      Files.deleteIfExists(unfinished);
      Trees.delete(content);
    }
  }

  private static void truncate(Path file, ByteSize size) throws IOException {
    try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
      sized.setLength(size.bytes());
    }
  }

  /// No journal: a layer is not worth the double writing, and is repaired where a host has crashed.
  private static void format(Path file, Path content) throws IOException, InterruptedException {
    HostCommand.of("mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", "-m", "0")
        .withArguments(List.of("-O", "^has_journal,^resize_inode,sparse_super2"))
        .withArguments(
            List.of("-E", "lazy_itable_init=1,nodiscard,root_owner=0:0,packed_meta_blocks=1"))
        .withArguments(List.of("-d", content.toString(), file.toString()))
        .withDeadline(MAKE)
        .run()
        .orThrow();
  }

  /// A host that lost power leaves a layer that says so of itself.
  private static void repair(Path layer) throws IOException, InterruptedException {
    if (isClean(layer)) {
      return;
    }
    CommandResult result =
        HostCommand.of("e2fsck", "-f", "-y", layer.toString()).withDeadline(CHECK).run();
    if (result.timedOut() || result.exitCode() > REPAIRED) {
      throw new LinuxException("a sandbox's disk cannot be repaired: " + result.output());
    }
  }

  private static boolean isClean(Path layer) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(layer.toFile(), "r")) {
      file.seek(STATE_AT);
      int state = Short.toUnsignedInt(Short.reverseBytes(file.readShort()));
      return (state & CLEAN) != 0 && (state & ~CLEAN) == 0;
    }
  }
}
