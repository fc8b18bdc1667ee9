package dev.microsandbox.cli;

import dev.microsandbox.RunEvent;
import java.io.PrintStream;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Passes on what a cell or command writes, as it comes and byte for byte.
final class EventPrinter implements Consumer<RunEvent> {
  private final PrintStream out;
  private final PrintStream err;
  private boolean outAtLineStart = true;

  EventPrinter(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  // Not a switch over types, whose linking at run time takes ten milliseconds of a short command.
  @Override
  public void accept(RunEvent event) {
    if (event instanceof RunEvent.Stdout output) {
      write(out, output);
      outAtLineStart = endsLine(output, outAtLineStart);
    } else if (event instanceof RunEvent.Stderr output) {
      write(err, output);
    } else if (event instanceof RunEvent.Result result) {
      value(result.data().get("text/plain"));
    } else if (event instanceof RunEvent.Raised raised) {
      err.println(raised.error().traceback().stripTrailing());
    } else if (event instanceof RunEvent.Finished finished) {
      explain(finished);
    }
  }

  private static void write(PrintStream target, RunEvent.Output output) {
    byte[] bytes = output.bytes();
    target.write(bytes, 0, bytes.length);
    target.flush();
  }

  private static boolean endsLine(RunEvent.Output output, boolean before) {
    byte[] bytes = output.bytes();
    return bytes.length == 0 ? before : bytes[bytes.length - 1] == '\n';
  }

  private void value(@Nullable String text) {
    if (text != null) {
      if (!outAtLineStart) {
        out.println();
      }
      out.println(text);
      out.flush();
      outAtLineStart = true;
    }
  }

  private void explain(RunEvent.Finished finished) {
    switch (finished.outcome()) {
      case TIMED_OUT -> err.println("msb: the time limit is over");
      case OUT_OF_MEMORY -> err.println("msb: killed for want of memory; see --memory");
      case SANDBOX_ENDED -> err.println("msb: the sandbox ended before this did");
      default -> {}
    }
    if (finished.stateLost()) {
      err.println("msb: the interpreter died; its variables are lost");
    }
  }
}
