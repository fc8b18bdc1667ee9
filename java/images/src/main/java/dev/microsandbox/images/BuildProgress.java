package dev.microsandbox.images;

import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads what `images/build` says: `[ 12s] python: compiling` for a step, `[ 12s] failed: …` for
/// the end, and indented lines for the log's end and the remedy.
final class BuildProgress {
  private static final Pattern STEP = Pattern.compile("\\[ *\\d+s] (.*)");
  private static final String FAILED = "failed: ";
  private static final String LOG_LINE = "|";
  private static final String BEFORE_START = "images/build: ";

  private final Consumer<String> listener;
  private final Path folder;
  private String failure = "";

  BuildProgress(Consumer<String> listener, Path folder) {
    this.listener = listener;
    this.folder = folder;
  }

  synchronized void take(String line) {
    Matcher step = STEP.matcher(line);
    if (step.matches()) {
      String text = withoutPaths(step.group(1).strip());
      if (text.startsWith(FAILED)) {
        failure = text.substring(FAILED.length());
      } else {
        listener.accept(text);
      }
    } else if (line.startsWith(BEFORE_START)) {
      failure = withoutPaths(line.substring(BEFORE_START.length()));
    } else if (!failure.isEmpty() && line.startsWith(" ") && !line.strip().startsWith(LOG_LINE)) {
      failure += "; " + withoutPaths(line.strip());
    }
  }

  /// Why it failed and what to do.
  synchronized String failure() {
    return failure.isEmpty() ? "the builder was ended" : failure;
  }

  private String withoutPaths(String text) {
    return text.replace(folder.toString(), "the image store");
  }
}
