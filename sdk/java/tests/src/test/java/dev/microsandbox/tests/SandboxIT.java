package dev.microsandbox.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.BaseSandbox;
import dev.microsandbox.CommandExecution;
import dev.microsandbox.CommandOptions;
import dev.microsandbox.Context;
import dev.microsandbox.ContextInfo;
import dev.microsandbox.ContextOptions;
import dev.microsandbox.ErrorCode;
import dev.microsandbox.Execution;
import dev.microsandbox.ImageInfo;
import dev.microsandbox.ImageSandbox;
import dev.microsandbox.KeyInfo;
import dev.microsandbox.NodeSandbox;
import dev.microsandbox.Outcome;
import dev.microsandbox.PythonSandbox;
import dev.microsandbox.RunEvent;
import dev.microsandbox.RunOptions;
import dev.microsandbox.SandboxBuilder;
import dev.microsandbox.SandboxException;
import dev.microsandbox.SandboxInfo;
import dev.microsandbox.Server;
import dev.microsandbox.WriteOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The SDK against a real server, real isolation and real interpreters.
@Timeout(180)
class SandboxIT {
  private static RunningServer running;
  private static Server server;

  @BeforeAll
  static void start() throws Exception {
    running = RunningServer.start();
    server = Server.of(running.unixUrl());
  }

  @AfterAll
  static void stop() throws Exception {
    assertThat(server.sandboxes()).isEmpty();
    running.close();
  }

  private static SandboxBuilder<PythonSandbox> python() {
    return PythonSandbox.builder().server(server);
  }

  private static void assertCode(ThrowingCallable call, ErrorCode code) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).as(e.message()).isEqualTo(code));
  }

  private static String text(Stream<RunEvent> events) {
    StringBuilder text = new StringBuilder();
    events.forEach(event -> {
      if (event instanceof RunEvent.Stdout output) {
        text.append(output.text());
      }
    });
    return text.toString();
  }

  @Nested
  class Life {
    @Test
    void stateIsKeptBetweenRunsAndEndsWithTheBlock() {
      PythonSandbox ended;
      try (PythonSandbox sandbox = python().create()) {
        ended = sandbox;
        sandbox.run("x = 42");
        assertThat(sandbox.run("x * 2").output()).isEqualTo("84");
        assertThat(sandbox.info().state()).isEqualTo("running");
      }
      assertThat(ended.isStarted()).isFalse();
      assertCode(() -> ended.run("x"), ErrorCode.SANDBOX_NOT_RUNNING);
    }

    @Test
    void optionsArriveAndTcpWorksAsTheSocketDoes() {
      try (NodeSandbox sandbox =
          NodeSandbox.builder()
              .serverUrl(running.url())
              .namespace("team")
              .name("options")
              .memory(200)
              .cpus(0.5)
              .processes(64)
              .disk(64)
              .env("GREETING", "hello")
              .label("team", "a")
              .network("none")
              .timeToLive(Duration.ofMinutes(10))
              .idleTimeout(Duration.ZERO)
              .create()) {
        SandboxInfo info = sandbox.info();
        assertThat(info.memory()).isEqualTo(200);
        assertThat(info.cpus()).isEqualTo(0.5);
        assertThat(info.processes()).isEqualTo(64);
        assertThat(info.disk()).isEqualTo(64);
        assertThat(info.labels()).isEqualTo(Map.of("team", "a"));
        assertThat(info.network()).isEqualTo("none");
        assertThat(info.timeToLive()).isEqualTo(Duration.ofMinutes(10));
        assertThat(info.idleTimeout()).isEqualTo(Duration.ZERO);
        assertThat(info.expiresAt()).isAfter(info.createdAt());
        assertThat(info.languages()).contains("node");
        assertThat(sandbox.run("process.env.GREETING").output()).isEqualTo("'hello'");
        assertThat(server.sandboxes("team", Map.of("team", "a")))
            .extracting(SandboxInfo::name)
            .containsExactly("options");
        assertThat(server.sandboxes("team", Map.of("team", "b"))).isEmpty();
      }
    }

    @Test
    void diskIsKeptOverStopAndStart() {
      PythonSandbox sandbox = python().name("keeps").ephemeral(false).create();
      try {
        sandbox.run("open('kept.txt', 'w').write('still here')\nv = 1");
        assertCode(() -> python().name("keeps").create(), ErrorCode.NAME_TAKEN);
        sandbox.stop();
        assertThat(sandbox.info().state()).isEqualTo("stopped");
        sandbox.start();
        assertThat(sandbox.files().readText("kept.txt")).isEqualTo("still here");
        assertThat(sandbox.run("v").hasError()).isTrue();
      } finally {
        sandbox.delete();
        sandbox.delete();
      }
    }

    @Test
    void connectedSandboxIsTheSameOneAndStays() {
      try (PythonSandbox made = python().name("found").namespace("team").create()) {
        made.run("x = 'shared'");
        try (PythonSandbox byName = python().namespace("team").connect("found");
            ImageSandbox byId = ImageSandbox.builder().server(server).connect(made.info().id())) {
          assertThat(byName.run("x").output()).isEqualTo("'shared'");
          assertThat(byId.run("x").output()).isEqualTo("'shared'");
        }
        assertThat(made.run("x").output()).isEqualTo("'shared'");
      }
      assertCode(() -> python().connect("no-such-sandbox"), ErrorCode.SANDBOX_NOT_FOUND);
    }

    @Test
    void lifeIsExtended() {
      try (PythonSandbox sandbox = python().timeToLive(Duration.ofMinutes(5)).create()) {
        SandboxInfo extended = sandbox.extend(Duration.ofHours(2), Duration.ofMinutes(7));
        assertThat(extended.idleTimeout()).isEqualTo(Duration.ofMinutes(7));
        assertThat(extended.expiresAt()).isAfter(extended.createdAt().plus(Duration.ofMinutes(30)));
        assertThat(sandbox.extend(Duration.ZERO, null).expiresAt()).isNull();
      }
    }

    @Test
    void manyAtOnceAreApart() {
      List<CompletableFuture<PythonSandbox>> made = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        made.add(python().memory(128).createAsync());
      }
      List<String> squares = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        try (PythonSandbox sandbox = made.get(i).join()) {
          sandbox.run("n = " + i);
          squares.add(sandbox.run("n * n").output());
        }
      }
      assertThat(squares).containsExactly("0", "1", "4");
    }

    @Test
    void impossibleWishesAreRefusedByTheirCode() {
      assertCode(() -> python().name("-bad").create(), ErrorCode.INVALID_NAME);
      assertCode(() -> python().memory(1).create(), ErrorCode.INVALID_LIMITS);
      assertCode(() -> python().image("no-such-image").create(), ErrorCode.IMAGE_NOT_FOUND);
      assertCode(
          () -> python().server(Server.of("unix:/nonexistent/s")).create(),
          ErrorCode.SERVER_UNREACHABLE);
      assertCode(() -> Server.of(running.url()).administration().keys(), ErrorCode.FORBIDDEN);
    }
  }

  @Nested
  class Runs {
    @Test
    void raisedExceptionIsAResult() {
      try (PythonSandbox sandbox = python().create()) {
        Execution execution = sandbox.run("y = 1\ninvalid_code_here\ny = 2");
        assertThat(execution.hasError()).isTrue();
        assertThat(execution.raised().name()).isEqualTo("NameError");
        assertThat(execution.error()).contains("<cell");
        assertThat(sandbox.run("y").output()).isEqualTo("1");
        assertThat(sandbox.run("print('a' * 5000)", RunOptions.builder().outputLimit(100).build()))
            .extracting(Execution::leftOut)
            .isEqualTo(4901L);
      }
    }

    @Test
    void timeLimitIsAResultAndKeepsTheState() {
      try (PythonSandbox sandbox = python().create()) {
        sandbox.run("kept = 1");
        Execution stuck = sandbox.run("while True: pass", Duration.ofMillis(300));
        assertThat(stuck.outcome()).isEqualTo(Outcome.TIMED_OUT);
        assertThat(stuck.stateLost()).isFalse();
        assertThat(sandbox.run("kept").output()).isEqualTo("1");
      }
    }

    @Test
    void outputArrivesWhileTheCellRunsAndInterruptEndsIt() {
      try (PythonSandbox sandbox = python().create()) {
        String[] run = new String[1];
        StringBuilder written = new StringBuilder();
        RunEvent.Finished end =
            sandbox.stream(
                "import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.05)",
                event -> {
                  if (event instanceof RunEvent.Started started) {
                    run[0] = started.id();
                  } else if (event instanceof RunEvent.Stdout output) {
                    written.append(output.text());
                    sandbox.interrupt(run[0]);
                  }
                });
        assertThat(written.toString()).startsWith("begun");
        assertThat(end.outcome()).isEqualTo(Outcome.INTERRUPTED);
      }
    }

    @Test
    void streamThatIsLeftEarlyInterruptsTheCell() {
      try (PythonSandbox sandbox = python().create()) {
        String code =
            """
            import time
            state = 'running'
            try:
              print('begun', flush=True)
              while True: time.sleep(0.05)
            except KeyboardInterrupt:
              state = 'interrupted'
            """;
        try (Stream<RunEvent> events = sandbox.stream(code)) {
          assertThat(events.anyMatch(RunEvent.Stdout.class::isInstance)).isTrue();
        }
        assertThat(sandbox.run("state").output()).isEqualTo("'interrupted'");
      }
    }

    @Test
    void floodThatIsLeftInterruptsTheCell() {
      try (PythonSandbox sandbox = python().create()) {
        for (int i = 0; i < 5; i++) {
          try (Stream<RunEvent> events =
              sandbox.stream("n = 0\nwhile True:\n  n += 1\n  print(n)")) {
            assertThat(events.anyMatch(RunEvent.Stdout.class::isInstance)).isTrue();
          }
          assertThat(sandbox.run("n > 0").output()).isEqualTo("True");
        }
      }
    }

    @Test
    void runIsFollowedFromAnOffset() {
      try (PythonSandbox sandbox = python().create()) {
        Execution done = sandbox.run("print('0123456789')");
        try (Stream<RunEvent> events = sandbox.attach(done.runId(), 5)) {
          assertThat(text(events)).isEqualTo("56789\n");
        }
        try (Stream<RunEvent> events = sandbox.attach(done.runId())) {
          assertThat(text(events)).isEqualTo("0123456789\n");
        }
        assertCode(() -> sandbox.attach("0".repeat(32)), ErrorCode.RUN_NOT_FOUND);
      }
    }

    @Test
    void cancelledFutureInterruptsTheRun() throws Exception {
      try (PythonSandbox sandbox = python().create()) {
        CountDownLatch begun = new CountDownLatch(1);
        String code =
            """
            import time
            state = 'running'
            try:
              print('begun', flush=True)
              while True: time.sleep(0.05)
            except KeyboardInterrupt:
              state = 'interrupted'
            """;
        CompletableFuture<RunEvent.Finished> run =
            sandbox.async().stream(
                code,
                event -> {
                  if (event instanceof RunEvent.Stdout) {
                    begun.countDown();
                  }
                });
        begun.await();
        run.cancel(true);
        assertThat(sandbox.run("state").output()).isEqualTo("'interrupted'");
        assertThatThrownBy(run::join).isInstanceOf(CancellationException.class);
      }
    }

    @Test
    void futuresHaveAllThatPlainCallsHave() {
      try (PythonSandbox sandbox = python().create()) {
        assertThat(sandbox.async().run("1 + 1").join().output()).isEqualTo("2");
        assertThat(sandbox.async().info().join().name()).isEqualTo(sandbox.name());
        sandbox.async().files().write("f", "text").join();
        assertThat(sandbox.async().files().readText("f").join()).isEqualTo("text");
        assertThat(sandbox.async().command().run("true").join().success()).isTrue();
        assertThat(sandbox.async().contexts().list().join()).isNotEmpty();
        assertThat(sandbox.async().metrics().join().running()).isTrue();
        assertThat(sandbox.async().call(BaseSandbox::name).join()).isEqualTo(sandbox.name());
        assertThatThrownBy(() -> sandbox.async().files().read("missing").join())
            .hasCauseInstanceOf(SandboxException.class);
      }
    }

    @Test
    void contextsAreApart() {
      try (PythonSandbox sandbox = python().create()) {
        sandbox.run("x = 'first'");
        ContextOptions options = ContextOptions.DEFAULT.withId("second").withEnv(Map.of("A", "b"));
        try (Context second = sandbox.contexts().open("python", options)) {
          assertThat(second.id()).isEqualTo("second");
          assertThat(second.language()).isEqualTo("python");
          second.run("x = 'second'");
          assertThat(second.run("import os; os.environ['A']").output()).isEqualTo("'b'");
          assertThat(sandbox.run("x").output()).isEqualTo("'first'");
          RunOptions there = RunOptions.builder().context("second").build();
          assertThat(sandbox.run("x", there).output()).isEqualTo("'second'");
          assertThat(sandbox.contexts().list()).extracting(ContextInfo::id).contains("second");
        }
        assertThat(sandbox.contexts().list()).extracting(ContextInfo::id).doesNotContain("second");
        assertCode(() -> sandbox.contexts().close("second"), ErrorCode.CONTEXT_NOT_FOUND);
        assertCode(() -> sandbox.contexts().open("cobol"), ErrorCode.UNKNOWN_LANGUAGE);
      }
    }
  }

  @Nested
  class Parts {
    @Test
    void commandsRunWithTheirOptions() {
      try (PythonSandbox sandbox = python().create()) {
        CommandExecution done =
            sandbox
                .command()
                .run(
                    "sh",
                    List.of("-c", "echo $A; pwd; id -u; cat; exit 3"),
                    CommandOptions.builder()
                        .env("A", "b")
                        .workingDirectory("/tmp")
                        .user("root")
                        .stdin("typed")
                        .build());
        assertThat(done.output()).isEqualTo("b\n/tmp\n0\ntyped");
        assertThat(done.exitCode()).isEqualTo(3);
        assertThat(done.success()).isFalse();
        assertCode(() -> sandbox.command().run("no-such-program"), ErrorCode.COMMAND_NOT_FOUND);
      }
    }

    @Test
    void signalReachesACommand() {
      try (PythonSandbox sandbox = python().create()) {
        String[] run = new String[1];
        RunEvent.Finished end =
            sandbox.command().stream(
                "sh",
                List.of("-c", "trap 'exit 7' USR1; echo up; while :; do sleep 0.1; done"),
                CommandOptions.DEFAULT,
                event -> {
                  if (event instanceof RunEvent.Started started) {
                    run[0] = started.id();
                  } else if (event instanceof RunEvent.Stdout) {
                    sandbox.command().signal(run[0], 10, false);
                  }
                });
        assertThat(end.exitCode()).isEqualTo(7);
      }
    }

    @Test
    void bytesOfACommandArriveAsTheyAre() {
      try (PythonSandbox sandbox = python().create();
          Stream<RunEvent> events = sandbox.command().stream("printf", "\\377\\000a")) {
        List<Byte> bytes = new ArrayList<>();
        events.forEach(event -> {
          if (event instanceof RunEvent.Stdout output) {
            for (byte each : output.bytes()) {
              bytes.add(each);
            }
          }
        });
        assertThat(bytes).containsExactly((byte) -1, (byte) 0, (byte) 'a');
      }
    }

    @Test
    void filesAreReadAndWritten() {
      try (PythonSandbox sandbox = python().create()) {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
          all[i] = (byte) i;
        }
        sandbox.files().write("a folder/ä&b.bin", all);
        assertThat(sandbox.files().read("a folder/ä&b.bin")).isEqualTo(all);
        sandbox
            .files()
            .write("/root/tool", "#!", WriteOptions.DEFAULT.withUser("root").withMode(0755));
        assertThat(sandbox.files().readText("/root/tool", "root")).isEqualTo("#!");
        assertThat(sandbox.command().run("stat", "-c", "%a", "a folder/ä&b.bin").output())
            .isEqualTo("644");
        assertCode(() -> sandbox.files().read("missing"), ErrorCode.NO_SUCH_FILE);
        assertCode(() -> sandbox.files().read("."), ErrorCode.IS_A_DIRECTORY);
      }
    }

    @Test
    void metricsAndLogsTellOfTheSandbox() {
      try (PythonSandbox sandbox = python().create()) {
        sandbox.run("1");
        assertThat(sandbox.metrics().isRunning()).isTrue();
        assertThat(sandbox.metrics().memory()).isPositive();
        assertThat(sandbox.metrics().disk()).isNotNegative();
        assertThat(sandbox.metrics().cpu()).isNotNegative();
        assertThat(sandbox.metrics().all().name()).isEqualTo(sandbox.name());
        assertThat(sandbox.logs()).allSatisfy(line -> assertThat(line.sequence()).isPositive());
        assertThat(sandbox.logs(0, 1)).hasSizeLessThanOrEqualTo(1);
      }
    }

    @Test
    void serverTellsOfItselfAndItsAdministratorRules() {
      assertThat(server.info().accepting()).isTrue();
      assertThat(server.images())
          .extracting(ImageInfo::name)
          .contains("microsandbox/python", "microsandbox/node");
      KeyInfo made = server.administration().createKey("laptop", null);
      assertThat(made.key()).startsWith("msb_");
      assertThat(server.administration().keys()).extracting(KeyInfo::name).contains("laptop");
      server.administration().revokeKey(made.id());
      assertThat(server.administration().doctor().usable()).isTrue();
      assertThat(server.administration().serverMetrics()).contains("# TYPE");
    }
  }
}
