package dev.microsandbox.engine;

import dev.microsandbox.agent.Lane;
import dev.microsandbox.agent.SandboxListener;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// The last lines of a sandbox's log, in memory. Bounded whatever a tenant writes.
final class SandboxLog {
  private static final int MAXIMUM_LINES = 1000;
  private static final int MAXIMUM_CHARACTERS = 128 * 1024;
  private static final int LONGEST_LINE = 8 * 1024;

  private final EngineClock clock;
  private final Deque<LogEntry> entries = new ArrayDeque<>();
  private long sequence;
  private int characters;

  SandboxLog(EngineClock clock) {
    this.clock = clock;
  }

  void info(String text) {
    add("server", "info", text);
  }

  void warning(String text) {
    add("server", "warning", text);
  }

  synchronized void add(String source, String level, String text) {
    String line = text.length() <= LONGEST_LINE ? text : text.substring(0, LONGEST_LINE) + "…";
    Instant now = clock.now();
    entries.addLast(new LogEntry(++sequence, now, source, level, line));
    characters += line.length();
    while (entries.size() > MAXIMUM_LINES || characters > MAXIMUM_CHARACTERS) {
      characters -= entries.removeFirst().text().length();
    }
  }

  synchronized List<LogEntry> after(long last, int limit) {
    List<LogEntry> found = new ArrayList<>();
    for (LogEntry entry : entries) {
      if (entry.sequence() > last && found.size() < limit) {
        found.add(entry);
      }
    }
    return found;
  }

  /// What reaches the log from an agent, unasked.
  static String decode(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
  }

  /// A background output's line, by lane.
  void output(Lane lane, String text) {
    add(lane == Lane.STDOUT ? "stdout" : "stderr", "info", text);
  }

  /// Everything an agent may say unasked ends here, contexts' changes by way of `contexts`.
  SandboxListener listener(Contexts contexts) {
    return new SandboxListener() {
      @Override
      public void onContextChanged(dev.microsandbox.agent.ContextInfo context) {
        contexts.changed(context);
      }

      @Override
      public void onBackgroundOutput(String contextId, Lane lane, ByteBuffer bytes, long dropped) {
        if (dropped > 0) {
          add("server", "warning", dropped + " bytes of background output were left out");
        }
        output(lane, decode(bytes));
      }

      @Override
      public void onDiagnostic(String level, String text) {
        add("agent", level.equals("error") || level.equals("warning") ? level : "info", text);
      }
    };
  }
}
