package dev.microsandbox.linux;

import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Root filesystems of sandboxes, and the one mount namespace in which they are put together and in
/// which container runtimes are started.
///
/// Everything is attached below one tmpfs of that namespace, so that the host sees none of it and a
/// killed server leaves none of it. A running sandbox holds copies of its mounts; ours are taken
/// away as soon as it runs.
public final class SandboxMounts implements AutoCloseable {
  /// Where an image, or a tenant in an earlier run, might have put a symbolic link to lead a
  /// runtime astray (CVE-2026-41579).
  private static final List<String> PLAIN = List.of("dev", "proc", "sys", "tmp", ".msb");

  private static final int TUN_MAJOR = 10;
  private static final int TUN_MINOR = 200;
  private static final int CHARACTER_DEVICE = 0x2000;
  private static final int OWNER_ONLY = 0600;
  private static final int SECBIT_NO_SETUID_FIXUP = 4;
  private static final int PR_SET_SECUREBITS = 28;
  private static final int PR_GET_SECUREBITS = 27;

  private static final int KEPT_NAMESPACES = 64;

  private final NamespaceThread thread;
  private final Path base;
  private final LayerDevices devices;
  private final UserNamespaces namespaces = new UserNamespaces(KEPT_NAMESPACES);
  private final ImageMounts images;

  private SandboxMounts(NamespaceThread thread, Path base, LayerDevices devices) {
    this.thread = thread;
    this.base = base;
    this.devices = devices;
    this.images = new ImageMounts(base.resolve("images"));
  }

  /// Makes the namespace.
  ///
  /// @param base an absolute path for the attached mounts; a folder of the host that stays empty,
  ///   which everybody must be able to pass through
  /// @param program copied to `base/agent`, for sandboxes to have as their first program
  /// @param devices told what layers are set up on
  public static SandboxMounts open(Path base, Path program, LayerDevices devices)
      throws IOException {
    NamespaceThread thread = NamespaceThread.open();
    SandboxMounts mounts = new SandboxMounts(thread, base, devices);
    try {
      thread.call(() -> {
        hideEmptyUnifiedTree();
        mounts.prepareBase(program);
        return base;
      });
      return mounts;
    } catch (IOException | RuntimeException e) {
      mounts.close();
      throw e;
    }
  }

  private void prepareBase(Path program) throws IOException {
    Map<String, String> options = Map.of("mode", "0711", "size", "64m");
    try (Mount tmpfs = Mount.create("tmpfs", options, Mount.NOSUID | Mount.NOATIME)) {
      tmpfs.attach(base);
    }
    Files.createDirectory(base.resolve("images"));
    Files.copy(program, base.resolve("agent"));
    Files.setPosixFilePermissions(
        base.resolve("agent"), PosixFilePermissions.fromString("r-xr-xr-x"));
  }

  /// crun refuses hosts that have both cgroup hierarchies, although the second one is empty there.
  private static void hideEmptyUnifiedTree() {
    Path unified = Path.of("/sys/fs/cgroup/unified");
    if (Files.exists(unified.resolve("cgroup.procs"))) {
      Mount.detach(unified);
    }
  }

  /// The sandbox's own folder in the namespace; other programs of the host find nothing there.
  public Path folder(SandboxId id) {
    return base.resolve(id.value());
  }

  /// The program that every sandbox starts with, on a filesystem that nothing else writes.
  public Path program() {
    return base.resolve("agent");
  }

  /// Puts a root filesystem together: the image below, the sandbox's own layer above, both with
  /// their ids shifted. It is at `rootfs` in the sandbox's folder until [#detach].
  ///
  /// @param firstHostId the host's id for the sandbox's root
  public Path attach(SandboxId id, Path image, Path layer, int firstHostId) throws IOException {
    return thread.call(() -> {
      Path folder = folder(id);
      for (String name : List.of("", "lower", "layer", "rootfs")) {
        Files.createDirectories(folder.resolve(name));
      }
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
      UserNamespace namespace = namespaces.of(firstHostId);
      try {
        attachLower(folder.resolve("lower"), image, namespace);
        attachLayer(folder.resolve("layer"), layer, namespace);
        attachOverlay(folder, firstHostId);
      } finally {
        Mount.detach(folder.resolve("layer"));
        Mount.detach(folder.resolve("lower"));
      }
      Path rootfs = folder.resolve("rootfs");
      requirePlainFolders(rootfs);
      return rootfs;
    });
  }

  private void attachLower(Path at, Path image, UserNamespace namespace) throws IOException {
    try (Mount lower = Mount.copyOf(images.mounted(image))) {
      lower.shiftIds(namespace);
      lower.attach(at);
    }
  }

  private void attachLayer(Path at, Path layer, UserNamespace namespace) throws IOException {
    // A layer has no journal and lives no longer than its host's uptime is worth: flushing the
    // host's disk for each fsync inside would let one sandbox slow down all others.
    Map<String, String> options = new LinkedHashMap<>();
    options.put("nobarrier", "");
    // By default a rename over a file waits for the new content to be on the disk: milliseconds,
    // for
    // a promise that a layer without journal cannot keep anyway.
    options.put("noauto_da_alloc", "");
    // The file is all holes, so its inode tables are zero: writing zeros there, as the kernel would
    // do
    // behind the sandbox's start, would only fill the host's disk.
    options.put("noinit_itable", "");
    options.put("discard", "");
    options.put("errors", "remount-ro");
    try (LoopDevice device = LoopDevice.writable(layer)) {
      devices.remember(layer, device.setup(layer));
      options.put("source", device.path().toString());
      long attributes = Mount.NOSUID | Mount.NODEV | Mount.NOATIME;
      try (Mount mount = Mount.create("ext4", options, attributes)) {
        mount.shiftIds(namespace);
        mount.attach(at);
      }
    }
  }

  /// Overlayfs writes as who mounted it, and that has to be somebody whom the shifted layer knows:
  /// the sandbox's root, with the server's capabilities.
  private static void attachOverlay(Path folder, int firstHostId) throws LinuxException {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("source", "sandbox");
    options.put("lowerdir", "lower");
    options.put("upperdir", "layer/upper");
    options.put("workdir", "layer/work");
    options.put("redirect_dir", "on"); // folders of the image can be renamed, as anywhere
    options.put("index", "off");
    options.put("metacopy", "off");
    long securebits = Kernel.call("securebits", Syscall.PRCTL, PR_GET_SECUREBITS);
    Kernel.call(
        "securebits", Syscall.PRCTL, PR_SET_SECUREBITS, securebits | SECBIT_NO_SETUID_FIXUP);
    // The options are shown inside: paths relative to the folder tell nothing about the host.
    changeDirectory(folder);
    try {
      Kernel.attempt(Syscall.SETFSUID, firstHostId);
      Kernel.attempt(Syscall.SETFSGID, firstHostId);
      long attributes = Mount.NOSUID | Mount.NODEV | Mount.NOATIME;
      try (Mount overlay = Mount.create("overlay", options, attributes)) {
        overlay.attach(folder.resolve("rootfs"));
      }
    } finally {
      Kernel.attempt(Syscall.SETFSUID, 0);
      Kernel.attempt(Syscall.SETFSGID, 0);
      changeDirectory(Path.of("/"));
      Kernel.call("securebits", Syscall.PRCTL, PR_SET_SECUREBITS, securebits);
    }
  }

  /// Of the namespace's thread alone: it shares its working directory with no other.
  private static void changeDirectory(Path folder) throws LinuxException {
    try (var arena = java.lang.foreign.Arena.ofConfined()) {
      Kernel.call("cannot enter " + folder, Syscall.CHDIR, Kernel.text(arena, folder.toString()));
    }
  }

  private static void requirePlainFolders(Path rootfs) throws LinuxException {
    for (String name : PLAIN) {
      Path path = rootfs.resolve(name);
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)
          && !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        throw new LinuxException("/" + name + " of the root filesystem is not a plain folder");
      }
    }
  }

  /// Makes the TUN device's node for this sandbox: owned by its root, for nobody else to open.
  public Path makeTunNode(SandboxId id, int firstHostId) throws IOException {
    return thread.call(() -> {
      Path node = folder(id).resolve("tun");
      Files.createDirectories(node.getParent());
      try (var arena = java.lang.foreign.Arena.ofConfined()) {
        long path = Kernel.text(arena, node.toString());
        long device = (TUN_MAJOR << 8) | TUN_MINOR;
        Kernel.call(
            "cannot make a tun node",
            Syscall.MKNODAT,
            Kernel.AT_FDCWD,
            path,
            CHARACTER_DEVICE | OWNER_ONLY,
            device);
        Kernel.call(
            "cannot hand over the tun node",
            Syscall.FCHOWNAT,
            Kernel.AT_FDCWD,
            path,
            firstHostId,
            firstHostId,
            0);
      }
      return node;
    });
  }

  /// Writes a small file into the sandbox's folder, for a runtime to read.
  public Path write(SandboxId id, String name, byte[] content) throws IOException {
    return thread.call(() -> {
      Files.createDirectories(folder(id));
      return Files.write(folder(id).resolve(name), content);
    });
  }

  /// Reads a small file of the sandbox's folder; empty where there is none.
  public String read(SandboxId id, String name) throws IOException {
    return thread.call(() -> {
      Path file = folder(id).resolve(name);
      return Files.exists(file) ? Files.readString(file) : "";
    });
  }

  /// Takes away what is attached for a sandbox. Where it runs, it keeps its own copies; where not,
  /// its filesystems and loop device are gone with this.
  public void detach(SandboxId id) throws IOException {
    thread.call(() -> {
      for (String name : List.of("rootfs", "layer", "lower")) {
        while (Mount.detach(folder(id).resolve(name))) {
          // one attached over another
        }
      }
      Trees.delete(folder(id));
      return id;
    });
  }

  /// Runs a program in the namespace: a container runtime.
  public CommandResult run(HostCommand command) throws IOException, InterruptedException {
    return command.run(plan -> {
      try {
        return thread.call(() -> ChildProcess.start(plan));
      } catch (LinuxException e) {
        throw e;
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    });
  }

  /// Sandboxes that run go on; the namespace is gone once no program runs in it.
  @Override
  public void close() {
    try {
      thread.call(() -> {
        Mount.detach(base);
        namespaces.close();
        return true;
      });
    } catch (IOException e) {
      System.getLogger(SandboxMounts.class.getName())
          .log(System.Logger.Level.WARNING, "mounts could not be taken away", e);
    } finally {
      thread.close();
    }
  }
}
