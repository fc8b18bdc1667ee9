package dev.microsandbox.server;

import dev.microsandbox.engine.RunResult;
import dev.microsandbox.server.RpcBodies.Line;
import java.util.ArrayList;
import java.util.List;

/// Output as the old clients take it: lines, each with the name of its stream.
final class RpcLines {
  private static final String TEXT = "text/plain";

  private RpcLines() {}

  static List<Line> ofCommand(RunResult result) {
    List<Line> lines = new ArrayList<>();
    add(lines, "stdout", result.stdout().text());
    add(lines, "stderr", result.stderr().text());
    return lines;
  }

  /// The value of the last expression follows stdout, and what went wrong follows stderr: these
  /// clients know no other place.
  static List<Line> ofCell(RunResult result) {
    List<Line> lines = new ArrayList<>();
    add(lines, "stdout", result.stdout().text());
    add(lines, "stdout", result.result().getOrDefault(TEXT, ""));
    add(lines, "stderr", result.stderr().text());
    RunResult.RunError error = result.error();
    if (error != null) {
      add(lines, "stderr", error.traceback());
    }
    add(lines, "stderr", remark(result));
    return lines;
  }

  private static String remark(RunResult result) {
    String seconds = String.valueOf(Math.round(ResponseBodies.seconds(result.duration())));
    String what =
        switch (result.outcome()) {
          case OK, ERROR -> "";
          case INTERRUPTED -> "Error: Execution was interrupted";
          case TIMED_OUT -> "Error: Execution timed out after " + seconds + " seconds";
          case EXITED -> exit(result);
          case SIGNALED -> "Error: The interpreter was killed by signal " + result.signal();
          case OUT_OF_MEMORY -> "Error: The interpreter was killed for want of memory";
          case SANDBOX_ENDED -> "Error: The sandbox was ended";
        };
    return result.stateLost() ? what + "\nError: All variables are lost" : what;
  }

  private static String exit(RunResult result) {
    return result.hasError() ? "Error: Exited with code " + result.exitCode() : "";
  }

  private static void add(List<Line> lines, String stream, String text) {
    if (text.isEmpty()) {
      return;
    }
    String body = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    for (String line : body.split("\n", -1)) {
      lines.add(
          new Line(stream, line.endsWith("\r") ? line.substring(0, line.length() - 1) : line));
    }
  }
}
