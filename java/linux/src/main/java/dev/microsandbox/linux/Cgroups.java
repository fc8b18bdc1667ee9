package dev.microsandbox.linux;

import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The control groups of one server's sandboxes: `/microsandbox/<home>/<sandbox>` in every
/// hierarchy of the host, never below the server's own, so that they outlive it.
public final class Cgroups {
  private static final System.Logger LOG = System.getLogger(Cgroups.class.getName());
  private static final String MOUNTS = "/proc/self/mountinfo";
  private static final List<String> NEEDED = List.of("memory", "cpu", "pids");

  /// The place of a unified tree without controllers beside the older hierarchies.
  static final String UNIFIED_TREE = "unified";

  /// What the host has: one unified tree, or one tree for each controller (and beside them maybe a
  /// unified one without any, which limits nothing).
  public enum Layout {
    UNIFIED,
    PER_CONTROLLER
  }

  private final Layout layout;
  private final String parent;

  /// Mount point of each controller; the same one for all in the unified layout. Hierarchies
  /// without a controller are there by their name.
  private final Map<String, Path> mounts;

  private Cgroups(Layout layout, Map<String, Path> mounts, String parent) {
    this.layout = layout;
    this.mounts = mounts;
    this.parent = parent;
  }

  /// Looks at what is mounted.
  ///
  /// @param home a short name of the server's home
  /// @throws LinuxException when a controller that limits need is missing
  public static Cgroups detect(String home) throws IOException {
    return detect(home, Files.readAllLines(Path.of(MOUNTS)));
  }

  static Cgroups detect(String home, List<String> mountinfo) throws IOException {
    Map<String, Path> perController = new HashMap<>();
    Path unified = null;
    for (String line : mountinfo) {
      String[] sides = line.split(" - ", 2);
      String[] right = sides[1].split(" ");
      Path at = Path.of(sides[0].split(" ")[4]);
      if (right[0].equals("cgroup2") && unified == null) {
        unified = at;
      } else if (right[0].equals("cgroup")) {
        for (String option : right[right.length - 1].split(",")) {
          if (!Set.of("rw", "ro", "xattr", "clone_children").contains(option)) {
            perController.putIfAbsent(option, at);
          }
        }
      }
    }
    String parent = "/microsandbox/" + home;
    if (perController.keySet().containsAll(NEEDED)) {
      if (unified != null) {
        perController.put(UNIFIED_TREE, unified);
      }
      return new Cgroups(Layout.PER_CONTROLLER, perController, parent);
    }
    if (unified == null) {
      throw new LinuxException("control groups for " + NEEDED + " are not mounted");
    }
    Map<String, Path> all = new HashMap<>();
    for (String controller : NEEDED) {
      all.put(controller, unified);
    }
    Cgroups cgroups = new Cgroups(Layout.UNIFIED, all, parent);
    cgroups.enableControllers(unified);
    return cgroups;
  }

  public Layout layout() {
    return layout;
  }

  /// In words, for people.
  public String describe() {
    return layout == Layout.UNIFIED ? "one hierarchy (v2)" : "one hierarchy per controller (v1)";
  }

  /// Whether sandboxes can be paused.
  public boolean canFreeze() {
    return layout == Layout.UNIFIED || mounts.containsKey("freezer");
  }

  /// The sandbox's path in each hierarchy, as a runtime wants to know it.
  public String path(SandboxId id) {
    return parent + "/" + id.value();
  }

  /// Makes the sandbox's groups, empty, with these limits.
  public Cgroup create(SandboxId id, Limits limits) throws IOException {
    Cgroup cgroup = cgroup(id);
    Set<Path> folders = new HashSet<>();
    for (String controller : NEEDED) {
      folders.add(cgroup.folder(controller));
    }
    if (layout == Layout.PER_CONTROLLER && mounts.containsKey("freezer")) {
      folders.add(cgroup.folder("freezer"));
    }
    for (Path folder : folders) {
      Files.createDirectories(folder);
    }
    cgroup.limit(limits);
    return cgroup;
  }

  /// A process is about to enter a group. With version 1 the kernel lets none in before every
  /// processor has passed a quiet state, which takes 7 to 17 ms, but then lets in whoever comes in
  /// the next ten: this begins the wait, by moving this process to where it is, and returns.
  public void announceEntry() {
    if (layout == Layout.PER_CONTROLLER) {
      Thread.ofPlatform().name("group-entry").daemon().start(this::moveNowhere);
    }
  }

  void moveNowhere() {
    Path tree = mounts.get("pids");
    try {
      String own = pathIn("pids", Files.readAllLines(Path.of("/proc/self/cgroup")));
      if (tree != null && own != null) {
        String pid = Long.toString(ProcessHandle.current().pid());
        Cgroup.write(tree.resolve(own.substring(1)).resolve("cgroup.procs"), pid);
      }
    } catch (IOException | RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, "a process that enters a group will have to wait", e);
    }
  }

  /// Where a process is in a controller's hierarchy, by its lines of `/proc/PID/cgroup`.
  static @Nullable String pathIn(String controller, List<String> lines) {
    for (String line : lines) {
      String[] parts = line.split(":", 3);
      if (List.of(parts[1].split(",")).contains(controller)) {
        return parts[2];
      }
    }
    return null;
  }

  /// The sandbox's groups, where there are any.
  public Optional<Cgroup> find(SandboxId id) {
    Cgroup cgroup = cgroup(id);
    return cgroup.exists() ? Optional.of(cgroup) : Optional.empty();
  }

  /// The sandboxes of this home that have a group in any hierarchy.
  public Set<SandboxId> list() throws IOException {
    Set<SandboxId> ids = new HashSet<>();
    for (Path mount : Set.copyOf(mounts.values())) {
      Path folder = mount.resolve(parent.substring(1));
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

  /// Takes away this home's own groups, once no sandbox has one.
  public void removeParent() {
    for (Path mount : Set.copyOf(mounts.values())) {
      boolean _ =
          mount.resolve(parent.substring(1)).toFile().delete()
              && mount.resolve("microsandbox").toFile().delete();
    }
  }

  private Cgroup cgroup(SandboxId id) {
    String below = path(id).substring(1);
    Map<String, Path> folders = new HashMap<>();
    mounts.forEach((controller, mount) -> folders.put(controller, mount.resolve(below)));
    return layout == Layout.UNIFIED
        ? new UnifiedCgroup(folders.values().iterator().next())
        : new PerControllerCgroup(folders);
  }

  private void enableControllers(Path unified) throws IOException {
    List<Path> chain = new ArrayList<>(List.of(unified));
    for (String part : parent.substring(1).split("/")) {
      chain.add(chain.getLast().resolve(part));
    }
    for (Path folder : chain) {
      Files.createDirectories(folder);
      Path enabled = folder.resolve("cgroup.subtree_control");
      List<String> present = List.of(Files.readString(enabled).strip().split(" "));
      for (String controller : NEEDED) {
        if (!present.contains(controller)) {
          enable(enabled, controller);
        }
      }
    }
  }

  private static void enable(Path file, String controller) throws LinuxException {
    try {
      Files.writeString(file, "+" + controller);
    } catch (IOException e) {
      throw new LinuxException(
          "the cgroup controller " + controller + " cannot be enabled in " + file.getParent());
    }
  }
}
