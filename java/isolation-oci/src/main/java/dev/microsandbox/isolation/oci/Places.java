package dev.microsandbox.isolation.oci;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;

/// Which folder and file of the host belongs to which sandbox: a function of its id alone, so that
/// a server finds all that an earlier one made.
record Places(Path disks, Path templates, Path sockets, Path channels, Path mounts) {

  static Places of(ContainerSettings settings) {
    Path channels = settings.sockets().resolve(settings.shortName());
    return new Places(
        settings.home().resolve("sandboxes"),
        settings.home().resolve("templates"),
        settings.sockets(),
        channels,
        channels.resolve("mnt"));
  }

  /// Makes what is missing. Disks are the server's alone; the way to the channels can be passed by
  /// all, for a sandbox's root is nobody on the host, and seen by none.
  void create() throws IOException {
    Files.createDirectories(disks);
    Files.setPosixFilePermissions(disks, PosixFilePermissions.fromString("rwx------"));
    Files.createDirectories(mounts);
    for (Path folder : Set.of(channels, mounts)) {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }
    letPass(sockets);
  }

  private static void letPass(Path folder) throws IOException {
    Set<PosixFilePermission> permissions = new HashSet<>(Files.getPosixFilePermissions(folder));
    if (permissions.add(PosixFilePermission.OTHERS_EXECUTE)) {
      Files.setPosixFilePermissions(folder, permissions);
    }
  }

  /// Takes away what [#create] made and nobody uses any more.
  void removeEmpty() {
    boolean _ = mounts.toFile().delete() && channels.toFile().delete();
  }

  /// Makes the folder of a sandbox's socket, for its root alone.
  Path createChannel(SandboxId id, IdRange ids) throws IOException {
    Path folder = channel(id);
    Files.createDirectories(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    Files.setAttribute(folder, "unix:uid", ids.start());
    Files.setAttribute(folder, "unix:gid", ids.start());
    return folder;
  }

  Path disk(SandboxId id) {
    return disks.resolve(id.value());
  }

  Path layer(SandboxId id) {
    return disk(id).resolve("layer.ext4");
  }

  Path channel(SandboxId id) {
    return channels.resolve(id.value());
  }

  /// The sandboxes that have a folder of any kind.
  Set<SandboxId> sandboxes() throws IOException {
    Set<SandboxId> ids = new HashSet<>();
    for (Path folder : Set.of(disks, channels)) {
      if (Files.isDirectory(folder)) {
        try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
          for (Path child : children) {
            String name = child.getFileName().toString();
            if (SandboxId.looksLike(name)) {
              ids.add(new SandboxId(name));
            }
          }
        }
      }
    }
    return ids;
  }
}
