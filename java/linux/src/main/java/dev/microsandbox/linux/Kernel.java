package dev.microsandbox.linux;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/// The way into the kernel: libc's `syscall` with six words, so that one handle serves every call
/// and no newer libc is needed for newer calls.
final class Kernel {
  static final int AT_FDCWD = -100;
  static final int AT_EMPTY_PATH = 0x1000;
  static final int O_CLOEXEC = 0x80000;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle SYSCALL = bindSyscall();

  private Kernel() {}

  private static MethodHandle bindSyscall() {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor form =
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG);
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow("syscall"),
        form,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(1));
  }

  /// Makes a call; the result is the kernel's, or the negated error number.
  static long attempt(Syscall call, long... words) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result =
          (long)
              SYSCALL.invokeExact(
                  state,
                  call.number(),
                  word(words, 0),
                  word(words, 1),
                  word(words, 2),
                  word(words, 3),
                  word(words, 4),
                  word(words, 5));
      return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /// Makes a call that has to succeed; repeats it when a signal interrupted it.
  ///
  /// @param what is being done, for the exception's message
  static long call(String what, Syscall call, long... words) throws LinuxException {
    long result;
    do {
      result = attempt(call, words);
    } while (result == -Errno.EINTR);
    if (result < 0) {
      throw new LinuxException(what, (int) -result);
    }
    return result;
  }

  /// A C string's address, valid as long as its arena.
  static long text(Arena arena, String text) {
    return arena.allocateFrom(text).address();
  }

  /// Another function of libc's that returns its error number instead of setting it.
  static MethodHandle function(String name, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
  }

  static final AddressLayout POINTER = ValueLayout.ADDRESS;

  private static long word(long[] words, int index) {
    return index < words.length ? words[index] : 0;
  }
}
