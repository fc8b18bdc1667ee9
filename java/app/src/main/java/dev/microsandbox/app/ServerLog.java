package dev.microsandbox.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.temporal.ChronoUnit;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/// Sets up the server's log: one line a record, stacks below it.
final class ServerLog {
  /// Kept, for the logging system only holds these weakly.
  private static final Logger JETTY = Logger.getLogger("org.eclipse.jetty");

  private static final Logger OURS = Logger.getLogger("dev.microsandbox");

  private ServerLog() {}

  static void open(AppSettings settings) {
    Handler handler = handler(settings);
    handler.setFormatter(new LineFormatter());
    handler.setLevel(Level.ALL);
    Logger root = Logger.getLogger("");
    for (Handler standard : root.getHandlers()) {
      root.removeHandler(standard);
    }
    root.addHandler(handler);
    root.setLevel(Level.INFO);
    JETTY.setLevel(Level.WARNING);
    OURS.setLevel(level(settings.logLevel()));
  }

  private static Handler handler(AppSettings settings) {
    boolean toFile =
        switch (settings.logTarget()) {
          case FILE -> true;
          case STDERR -> false;
          case AUTO -> System.console() == null || !System.console().isTerminal();
        };
    if (!toFile) {
      return new ConsoleHandler();
    }
    try {
      Files.createDirectories(settings.home());
      return LogFile.open(settings.home().resolve("server.log"));
    } catch (IOException e) {
      throw new UncheckedIOException("the log cannot be written in " + settings.home(), e);
    }
  }

  private static Level level(System.Logger.Level level) {
    return switch (level) {
      case ALL, TRACE -> Level.ALL;
      case DEBUG -> Level.FINE;
      case INFO -> Level.INFO;
      case WARNING -> Level.WARNING;
      case ERROR -> Level.SEVERE;
      case OFF -> Level.OFF;
    };
  }

  /// `2026-01-31T12:00:00.000Z INFO engine.Reconciler: …`
  private static final class LineFormatter extends Formatter {
    private static final String PREFIX = "dev.microsandbox.";

    @Override
    public String format(LogRecord line) {
      String source = String.valueOf(line.getLoggerName());
      StringWriter text = new StringWriter();
      text.append(line.getInstant().truncatedTo(ChronoUnit.MILLIS).toString())
          .append(' ')
          .append(line.getLevel().getName())
          .append(' ')
          .append(source.startsWith(PREFIX) ? source.substring(PREFIX.length()) : source)
          .append(": ")
          .append(formatMessage(line).replace("\n", "\\n"))
          .append('\n');
      if (line.getThrown() != null) {
        line.getThrown().printStackTrace(new PrintWriter(text, true));
      }
      return text.toString();
    }
  }
}
