package dev.microsandbox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/// One run of a host's program: pipes, waiting, the deadline, reaping.
final class CommandRun {
  private static final Duration SLICE = Duration.ofMillis(250);

  /// How long to go on reading when the program has ended and something else holds its pipes.
  private static final Duration DRAIN = Duration.ofMillis(200);

  private static final int BUFFER = 64 * 1024;

  private final HostCommand command;
  private final Path program;
  private final HostCommand.Starter starter;
  private final CapturedOutput output;
  private final CapturedOutput error;
  private int written;

  CommandRun(HostCommand command, Path program, HostCommand.Starter starter) {
    this.command = command;
    this.program = program;
    this.starter = starter;
    this.output = new CapturedOutput(command.captureLimit(), command.lines());
    this.error = new CapturedOutput(command.captureLimit(), command.lines());
  }

  /// On this thread, or, where it is a virtual one, on a platform thread of its own: native waiting
  /// would hold a carrier.
  CommandResult run() throws LinuxException, InterruptedException {
    if (!Thread.currentThread().isVirtual()) {
      return runHere();
    }
    FutureTask<CommandResult> task = new FutureTask<>(this::runHere);
    Thread worker = Thread.ofPlatform().daemon().name("host-command").start(task);
    try {
      return task.get();
    } catch (InterruptedException e) {
      worker.interrupt();
      worker.join();
      throw e;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case LinuxException cause -> throw cause;
        case InterruptedException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private CommandResult runHere() throws LinuxException, InterruptedException {
    return command.silent() ? runSilently() : runWithPipes();
  }

  private CommandResult runSilently() throws LinuxException, InterruptedException {
    ChildProcess child;
    try (Descriptor nothing = Descriptor.open(Path.of("/dev/null"), Descriptor.O_RDWR)) {
      int number = nothing.number();
      child = starter.start(plan(number, number, number));
    }
    try (child;
        Descriptor stdin = Descriptor.closed();
        Descriptor stdout = Descriptor.closed();
        Descriptor stderr = Descriptor.closed()) {
      return attend(child, stdin, stdout, stderr);
    }
  }

  private CommandResult runWithPipes() throws LinuxException, InterruptedException {
    Descriptor[] in = Descriptor.pipe();
    Descriptor[] out = Descriptor.pipe();
    Descriptor[] err = Descriptor.pipe();
    try (Descriptor stdin = in[1];
        Descriptor stdout = out[0];
        Descriptor stderr = err[0]) {
      ChildProcess child;
      try (Descriptor a = in[0];
          Descriptor b = out[1];
          Descriptor c = err[1]) {
        child = starter.start(plan(a.number(), b.number(), c.number()));
      }
      try (child) {
        stdin.setNonBlocking();
        stdout.setNonBlocking();
        stderr.setNonBlocking();
        return attend(child, stdin, stdout, stderr);
      }
    }
  }

  private Spawn.Plan plan(int in, int out, int err) {
    return new Spawn.Plan(
        program,
        command.command(),
        command.environment(),
        command.directory(),
        new int[] {in, out, err});
  }

  private CommandResult attend(
      ChildProcess child, Descriptor stdin, Descriptor stdout, Descriptor stderr)
      throws LinuxException, InterruptedException {
    Instant deadline = Instant.now().plus(command.deadline());
    boolean timedOut = false;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BUFFER);
      while (!child.awaitEnd(Duration.ZERO)) {
        if (Thread.interrupted()) {
          child.killGroup();
          throw new InterruptedException();
        }
        Duration left = Duration.between(Instant.now(), deadline);
        if (!timedOut && !left.isPositive()) {
          timedOut = true;
          child.killGroup();
        }
        Duration wait = timedOut || left.compareTo(SLICE) > 0 ? SLICE : left;
        step(child, stdin, stdout, stderr, buffer, wait);
      }
      Instant drained = Instant.now().plus(DRAIN);
      while ((stdout.isOpen() || stderr.isOpen()) && Instant.now().isBefore(drained)) {
        step(null, stdin, stdout, stderr, buffer, Duration.between(Instant.now(), drained));
      }
    }
    output.end();
    error.end();
    return new CommandResult(
        program.getFileName().toString(), child.exitCode(), timedOut, output.text(), error.text());
  }

  private void step(
      @Nullable ChildProcess child,
      Descriptor stdin,
      Descriptor stdout,
      Descriptor stderr,
      MemorySegment buffer,
      Duration wait)
      throws LinuxException {
    try (Poll poll = new Poll(4)) {
      if (child != null) {
        poll.add(child.pidfd(), Poll.IN);
      }
      int o = stdout.isOpen() ? poll.add(stdout.number(), Poll.IN) : -1;
      int e = stderr.isOpen() ? poll.add(stderr.number(), Poll.IN) : -1;
      feed(stdin, buffer);
      if (stdin.isOpen()) {
        poll.add(stdin.number(), Poll.OUT);
      }
      if (!poll.await(wait)) {
        return;
      }
      if (o >= 0 && poll.ready(o)) {
        take(stdout, output, buffer);
      }
      if (e >= 0 && poll.ready(e)) {
        take(stderr, error, buffer);
      }
    }
  }

  /// Writes what fits of the input, and closes once it is all written or nobody reads it.
  private void feed(Descriptor stdin, MemorySegment buffer) {
    byte[] input = command.input();
    while (stdin.isOpen()) {
      int count = Math.min(BUFFER, input.length - written);
      if (count == 0) {
        stdin.close();
        return;
      }
      MemorySegment.copy(input, written, buffer, ValueLayout.JAVA_BYTE, 0, count);
      int result = stdin.write(buffer.asSlice(0, count));
      if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
        return;
      }
      if (result < 0) {
        stdin.close();
        return;
      }
      written += result;
    }
  }

  private static void take(Descriptor from, CapturedOutput to, MemorySegment buffer) {
    int count = from.read(buffer);
    if (count == -Errno.EAGAIN || count == -Errno.EINTR) {
      return;
    }
    if (count <= 0) {
      from.close();
      return;
    }
    to.add(buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE), count);
  }
}
