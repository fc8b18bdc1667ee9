package dev.microsandbox.engine;

import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.ObjectId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A server process with sandboxes at work, which waits to be killed; see [AdoptionIT].
final class KilledServer {
  private KilledServer() {}

  /// Prints `tick 1`, `tick 2` and so on, for ever.
  static final String TICKS = "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done";

  /// The same by a cell, until there is a file `stop`; then its value is `'through'`.
  static final String COUNTING_CELL =
      """
      import os, time
      i = 0
      while not os.path.exists('stop'):
          i += 1
          print('tick', i, flush=True)
          time.sleep(0.05)
      'through'
      """;

  /// Waits for SIGUSR1, then takes all the memory there is, by many processes of which none is
  /// large.
  static final String MEMORY_BOMB =
      """
      import os, signal
      signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
      print('armed', flush=True)
      signal.sigwait([signal.SIGUSR1])
      while True:
          if os.fork() == 0:
              b = bytearray(16 << 20)
              signal.pause()
      """;

  /// Dials the host in the agent's place, again and again, with a hello of its own making: another
  /// boot id, the sandbox's name as given, and runs without number at offsets past all bounds.
  static final String FORGER =
      """
      import os, socket, struct, sys, time
      def varint(n):
          out = b''
          while n > 127:
              out += bytes([n & 127 | 128]); n >>= 7
          return out + bytes([n])
      def field(number, content):
          return varint(number << 3 | 2) + varint(len(content)) + content
      endless = b'\\x10' + b'\\xff' * 9 + b'\\x01'
      runs = b''.join(field(6, field(1, os.urandom(16)) + endless) for _ in range(1500))
      hello = b'\\x08\\x01' + field(2, sys.argv[1].encode()) + field(3, os.urandom(16)) + runs
      control = field(2, hello)
      frame = struct.pack('>IBBHI', 0, 1, 0, 0, len(control)) + control
      print('armed', flush=True)
      while True:
          try:
              with socket.socket(socket.AF_UNIX) as host:
                  host.settimeout(5)
                  host.connect('/.msb/channel/agent.sock')
                  greeting = b''
                  while len(greeting) < 24:
                      more = host.recv(24 - len(greeting))
                      if not more: raise OSError
                      greeting += more
                  host.sendall(greeting + frame)
                  while host.recv(4096): pass
          except OSError:
              time.sleep(0.01)
      """;

  public static void main(String[] arguments) throws InterruptedException {
    RealEngine server = new RealEngine(Path.of(arguments[0]));
    SandboxRef box = server.create("box", true);
    server.python(box, "x = 41; note = open('note', 'w'); _ = note.write('before, ')");
    context(server, box, "second");
    server.engine.run(RealEngine.ME, box, RunRequest.of("second", "y = 'other'")).await();
    context(server, box, "keeping");
    context(server, box, "losing");
    ObjectId keeping = cell(server, box, "keeping", true);
    ObjectId losing = cell(server, box, "losing", false);
    ObjectId command = command(server, box, "tick 3", "sh", "-c", TICKS);
    SandboxRef node =
        SandboxRef.of(
            server
                .engine
                .create(RealEngine.ME, RealEngine.spec("node", ImageReference.NODE, true))
                .id());
    server.engine.run(RealEngine.ME, node, RunRequest.of("node", "const n = 5")).await();
    SandboxRef victim = server.create("victim", false);
    server.command(victim, "sh", "-c", "echo kept > note");
    SandboxRef hungry = server.create("hungry", false);
    command(server, hungry, "armed", "python3", "-c", MEMORY_BOMB);
    for (String name : List.of("forging", "posing")) {
      SandboxRef forging = server.create(name, false);
      server.python(forging, "x = 7");
      SandboxRef claimed = name.equals("forging") ? forging : box;
      String id = server.engine.get(RealEngine.ME, claimed).id().value();
      CommandRequest forger =
          new CommandRequest(
              List.of("python3", "-c", FORGER, id),
              Map.of(),
              "",
              "root",
              new byte[0],
              false,
              null,
              true,
              null);
      awaited(server.engine.stream(RealEngine.ME, forging, forger), "armed");
    }
    SandboxRef brief = server.create("brief", true);
    server.python(brief, "1");
    server.engine.journal().write();
    System.out.println("ready " + keeping + " " + losing + " " + command);
    System.out.flush();
    new CountDownLatch(1).await();
  }

  private static void context(RealEngine server, SandboxRef box, String id) {
    server.engine.openContext(
        RealEngine.ME, box, new ContextSpec(id, Language.PYTHON, Map.of(), "", ""));
  }

  private static ObjectId cell(RealEngine server, SandboxRef box, String context, boolean keep)
      throws InterruptedException {
    RunRequest request = new RunRequest(context, COUNTING_CELL, Duration.ofMinutes(10), keep, null);
    return awaited(server.engine.stream(RealEngine.ME, box, request), "tick 3");
  }

  private static ObjectId command(RealEngine server, SandboxRef box, String until, String... argv)
      throws InterruptedException {
    return awaited(server.engine.stream(RealEngine.ME, box, CommandRequest.of(argv)), until);
  }

  /// Reads until this was said; the reader stays.
  private static ObjectId awaited(RunStream run, String text) throws InterruptedException {
    StringBuilder said = new StringBuilder();
    while (said.indexOf(text) < 0) {
      if (run.next(Duration.ofSeconds(60)) instanceof RunEvent.Output output) {
        said.append(new String(output.bytes(), StandardCharsets.UTF_8));
      }
    }
    Thread.startVirtualThread(() -> readOn(run));
    return run.id();
  }

  private static void readOn(RunStream run) {
    try {
      while (!(run.next(Duration.ofMinutes(10)) instanceof RunEvent.Finished)) {
        // a client that takes what comes
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Starts one in a process of its own. Where `MSB_OLDER_AGENT` names a program, its sandboxes
  /// have that as their agent, and the next server another: as after an upgrade.
  static Process start(Path home) throws IOException {
    return start(KilledServer.class, home.toString());
  }

  static Process start(Class<?> program, String... arguments) throws IOException {
    return start(command(program, arguments));
  }

  /// What starts a program of the tests in a process of its own.
  static List<String> command(Class<?> program, String... arguments) {
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  private static Process start(List<String> command) throws IOException {
    ProcessBuilder process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    String older = System.getenv("MSB_OLDER_AGENT");
    if (older != null) {
      process.environment().put("MSB_AGENT", older);
    }
    return process.start();
  }

  /// The words of its line `ready …`.
  static String[] awaitReady(Process process) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("ready ")) {
        return line.split(" ");
      }
    }
    throw new AssertionError("the server has not become ready");
  }

  /// By SIGKILL.
  static void kill(Process process) throws InterruptedException {
    if (!process.destroyForcibly().waitFor(60, TimeUnit.SECONDS)) {
      throw new AssertionError("the server does not die");
    }
  }
}
