package dev.microsandbox.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Starts programs by libc's posix_spawn: in a session of their own, with default signal
/// dispositions and an empty mask, and with no descriptor beyond the three standard ones.
///
/// The JVM's own descriptors are not close-on-exec, and one that leaks into a container runtime is
/// a way out of the sandbox (CVE-2024-21626); hence the closing of everything from 3 up.
final class Spawn {
  private static final short SETSIGDEF = 0x04;
  private static final short SETSIGMASK = 0x08;
  private static final short SETSID = 0x80;
  private static final int OPAQUE = 512; // larger than any of libc's spawn structures

  private static final MethodHandle SPAWN =
      Kernel.function(
          "posix_spawn",
          Kernel.POINTER,
          Kernel.POINTER,
          Kernel.POINTER,
          Kernel.POINTER,
          Kernel.POINTER,
          Kernel.POINTER);
  private static final MethodHandle ACTIONS_INIT =
      Kernel.function("posix_spawn_file_actions_init", Kernel.POINTER);
  private static final MethodHandle ACTIONS_DESTROY =
      Kernel.function("posix_spawn_file_actions_destroy", Kernel.POINTER);
  private static final MethodHandle ADD_DUP2 =
      Kernel.function("posix_spawn_file_actions_adddup2", Kernel.POINTER, JAVA_INT, JAVA_INT);
  private static final MethodHandle ADD_CLOSEFROM =
      Kernel.function("posix_spawn_file_actions_addclosefrom_np", Kernel.POINTER, JAVA_INT);
  private static final MethodHandle ADD_CHDIR =
      Kernel.function("posix_spawn_file_actions_addchdir_np", Kernel.POINTER, Kernel.POINTER);
  private static final MethodHandle ATTR_INIT =
      Kernel.function("posix_spawnattr_init", Kernel.POINTER);
  private static final MethodHandle ATTR_DESTROY =
      Kernel.function("posix_spawnattr_destroy", Kernel.POINTER);
  private static final MethodHandle SET_FLAGS =
      Kernel.function("posix_spawnattr_setflags", Kernel.POINTER, ValueLayout.JAVA_SHORT);
  private static final MethodHandle SET_SIGDEFAULT =
      Kernel.function("posix_spawnattr_setsigdefault", Kernel.POINTER, Kernel.POINTER);

  /// What to start.
  ///
  /// @param program absolute path
  /// @param arguments with the program's name first
  /// @param standard descriptors that become 0, 1 and 2; others than these three numbers
  record Plan(
      Path program,
      List<String> arguments,
      Map<String, String> environment,
      @Nullable Path directory,
      int[] standard) {}

  private Spawn() {}

  /// Returns the new process's id. It runs in the mount namespace of the calling thread.
  static int start(Plan plan) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment actions = arena.allocate(OPAQUE, 16);
      MemorySegment attributes = arena.allocate(OPAQUE, 16);
      MemorySegment pid = arena.allocate(JAVA_INT);
      check("spawn", (int) ACTIONS_INIT.invokeExact(actions));
      try {
        check("spawn", (int) ATTR_INIT.invokeExact(attributes));
        try {
          fillActions(arena, actions, plan);
          fillAttributes(arena, attributes);
          int error =
              (int)
                  SPAWN.invokeExact(
                      pid,
                      arena.allocateFrom(plan.program.toString()),
                      actions,
                      attributes,
                      strings(arena, plan.arguments),
                      strings(arena, assignments(plan.environment)));
          check("cannot start " + plan.program, error);
          return pid.get(JAVA_INT, 0);
        } finally {
          int _ = (int) ATTR_DESTROY.invokeExact(attributes);
        }
      } finally {
        int _ = (int) ACTIONS_DESTROY.invokeExact(actions);
      }
    } catch (LinuxException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static void fillActions(Arena arena, MemorySegment actions, Plan plan) throws Throwable {
    for (int number = 0; number < 3; number++) {
      check("spawn", (int) ADD_DUP2.invokeExact(actions, plan.standard[number], number));
    }
    check("spawn", (int) ADD_CLOSEFROM.invokeExact(actions, 3));
    if (plan.directory != null) {
      MemorySegment directory = arena.allocateFrom(plan.directory.toString());
      check("spawn", (int) ADD_CHDIR.invokeExact(actions, directory));
    }
  }

  private static void fillAttributes(Arena arena, MemorySegment attributes) throws Throwable {
    // A sigset_t is 128 bytes; the mask of fresh attributes is empty already.
    MemorySegment all = arena.allocate(128, 8).fill((byte) 0xff);
    check("spawn", (int) SET_SIGDEFAULT.invokeExact(attributes, all));
    short flags = SETSIGDEF | SETSIGMASK | SETSID;
    check("spawn", (int) SET_FLAGS.invokeExact(attributes, flags));
  }

  private static List<String> assignments(Map<String, String> environment) {
    return environment.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
  }

  private static MemorySegment strings(Arena arena, List<String> texts) {
    MemorySegment array = arena.allocate(Kernel.POINTER, texts.size() + 1L);
    for (int i = 0; i < texts.size(); i++) {
      array.setAtIndex(Kernel.POINTER, i, arena.allocateFrom(texts.get(i)));
    }
    return array;
  }

  private static void check(String what, int error) throws LinuxException {
    if (error != 0) {
      throw new LinuxException(what, error);
    }
  }
}
