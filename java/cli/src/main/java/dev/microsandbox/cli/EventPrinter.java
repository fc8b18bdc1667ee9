package dev.microsandbox.cli;

import dev.microsandbox.RunEvent;
import java.io.PrintStream;
import java.util.function.Consumer;

/// Passes on what a cell or command writes, as it comes and byte for byte.
final class EventPrinter implements Consumer<RunEvent> {
  private final PrintStream out;
  private final PrintStream err;
  private boolean outAtLineStart = true;

  EventPrinter(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public void accept(RunEvent event) {
    switch (event) {
      case RunEvent.Started _ -> {}
      case RunEvent.Output output -> write(output);
      case RunEvent.Value value -> value(value.data().get("text/plain"));
      case RunEvent.Raised raised -> err.println(raised.error().traceback().stripTrailing());
      case RunEvent.Finished finished -> explain(finished);
    }
  }

  private void write(RunEvent.Output output) {
    PrintStream target = output.error() ? err : out;
    byte[] bytes = output.bytes();
    target.write(bytes, 0, bytes.length);
    target.flush();
    if (!output.error() && bytes.length > 0) {
      outAtLineStart = bytes[bytes.length - 1] == '\n';
    }
  }

  private void value(@org.jspecify.annotations.Nullable String text) {
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
      case "timed_out" -> err.println("msb: the time limit is over");
      case "out_of_memory" -> err.println("msb: killed for want of memory; see --memory");
      case "sandbox_ended" -> err.println("msb: the sandbox ended before this did");
      default -> {}
    }
    if (finished.stateLost()) {
      err.println("msb: the interpreter died; its variables are lost");
    }
  }
}
