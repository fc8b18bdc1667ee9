package dev.microsandbox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class HostCommandIT {
  @Test
  void outputsAndExitCodeAreTold() throws Exception {
    CommandResult result = HostCommand.of("sh", "-c", "echo out; echo err >&2; exit 3").run();

    assertThat(result.output()).isEqualTo("out\n");
    assertThat(result.error()).isEqualTo("err\n");
    assertThat(result.exitCode()).isEqualTo(3);
    assertThatThrownBy(result::orThrow).hasMessageContaining("sh ended with 3: err");
  }

  @Test
  void aSignalIsToldAs128AndItsNumber() throws Exception {
    assertThat(HostCommand.of("sh", "-c", "kill -TERM $$").run().exitCode()).isEqualTo(143);
  }

  @Test
  void inputArrivesWholeAndIsClosed() throws Exception {
    byte[] input = "x".repeat(1_000_000).getBytes(StandardCharsets.UTF_8);

    CommandResult result = HostCommand.of("wc", "-c").withInput(input).run();

    assertThat(result.output().strip()).isEqualTo("1000000");
  }

  @Test
  void inputThatNobodyReadsIsNoError() throws Exception {
    assertThat(HostCommand.of("true").withInput(new byte[1_000_000]).run().succeeded()).isTrue();
  }

  @Test
  void atTheDeadlineTheWholeGroupIsKilled() throws Exception {
    long start = System.nanoTime();

    CommandResult result =
        HostCommand.of("sh", "-c", "sleep 61.25 & echo $!; wait")
            .withDeadline(Duration.ofMillis(300))
            .run();

    assertThat(result.timedOut()).isTrue();
    assertThat(result.succeeded()).isFalse();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    Path child = Path.of("/proc", result.output().strip(), "cmdline");
    assertThat(readOrEmpty(child)).doesNotContain("61.25");
  }

  @Test
  void aDaemonThatKeepsThePipesDoesNotHoldTheCaller() throws Exception {
    long start = System.nanoTime();

    CommandResult result = HostCommand.of("sh", "-c", "sleep 8 & echo done").run();

    assertThat(result.output()).isEqualTo("done\n");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(7));
  }

  @Test
  void longOutputKeepsItsBeginningAndItsEnd() throws Exception {
    CommandResult result = HostCommand.of("seq", "1", "200000").withCaptureLimit(1_000).run();

    assertThat(result.output())
        .startsWith("1\n2\n")
        .contains("[… left out …]")
        .endsWith("200000\n");
    assertThat(result.output().length()).isLessThan(1_100);
  }

  @Test
  void linesAreReportedAsTheyCome() throws Exception {
    List<String> lines = new ArrayList<>();

    HostCommand.of("sh", "-c", "echo one; echo two >&2; printf three").onLine(lines::add).run();

    assertThat(lines).containsExactlyInAnyOrder("one", "two", "three");
  }

  @Test
  void noDescriptorOfTheServersIsPassedOn() throws Exception {
    try (var leaky = new FileInputStream("/proc/self/status")) {
      assertThat(leaky.getFD().valid()).isTrue();

      CommandResult result =
          HostCommand.of(
                  "sh", "-c", "for n in $(seq 0 200); do [ ! -e /proc/$$/fd/$n ] || echo $n; done")
              .run();

      assertThat(result.output()).isEqualTo("0\n1\n2\n");
    }
  }

  @Test
  void environmentIsExactlyTheGivenOne() throws Exception {
    CommandResult result = HostCommand.of("env").withEnvironment(Map.of("A", "b c")).run();

    assertThat(result.output()).isEqualTo("A=b c\n");
  }

  @Test
  void signalsThatTheServerIgnoresAreDefaultInTheProgram() throws Exception {
    CommandResult result = HostCommand.of("grep", "^Sig[IB]", "/proc/self/status").run();

    assertThat(result.output().lines().map(line -> line.split("\t")[1]))
        .allMatch(mask -> mask.matches("0+"));
  }

  @Test
  void anUnknownProgramIsNamed() {
    assertThatThrownBy(() -> HostCommand.of("no-such-program-here").run())
        .isInstanceOf(LinuxException.class)
        .hasMessageContaining("no-such-program-here");
  }

  @Test
  void virtualThreadsMayRunIt() throws Exception {
    CompletableFuture<Integer> code = new CompletableFuture<>();
    Thread thread =
        Thread.ofVirtual()
            .start(() -> {
              try {
                code.complete(HostCommand.of("true").run().exitCode());
              } catch (Exception e) {
                code.completeExceptionally(e);
              }
            });

    thread.join();

    assertThat(code).isCompletedWithValue(0);
  }

  @Test
  void anInterruptKillsTheProgram() throws Exception {
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                HostCommand.of("sleep", "61.75").run();
              } catch (Exception e) {
                thrown.complete(e);
              }
            });
    Thread.sleep(200);

    thread.interrupt();
    thread.join(Duration.ofSeconds(3));

    assertThat(thrown).isCompletedWithValueMatching(InterruptedException.class::isInstance);
  }

  private static String readOrEmpty(Path path) {
    try {
      return java.nio.file.Files.readString(path);
    } catch (java.io.IOException e) {
      return "";
    }
  }
}
