package dev.microsandbox.tests;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A fenced block of a document.
///
/// @param heading under which it stands
record Block(String heading, String language, String source) {
  private static final Pattern PART = Pattern.compile("(?ms)^#+ (.+?)$|^```(\\w+)\\n(.*?)^```$");
  private static final Pattern NAME = Pattern.compile("(?m)^(?:public )?class (\\w+)");

  static List<Block> of(Path document) throws Exception {
    List<Block> blocks = new ArrayList<>();
    String heading = "";
    Matcher parts = PART.matcher(Files.readString(document));
    while (parts.find()) {
      if (parts.group(1) != null) {
        heading = parts.group(1);
      } else {
        blocks.add(new Block(heading, parts.group(2), parts.group(3)));
      }
    }
    return blocks;
  }

  /// Whether it is a class of tests.
  boolean isTest() {
    return source.contains("@Test");
  }

  /// Its class, or that of the program around a piece.
  String className() {
    Matcher name = NAME.matcher(source);
    return name.find() ? name.group(1) : "Piece";
  }

  /// A whole program; a piece has a sandbox around it.
  String program() {
    if (NAME.matcher(source).find()) {
      return source;
    }
    return String.format(
        Locale.ROOT,
        """
        import dev.microsandbox.*;
        import java.time.Duration;
        import java.util.*;
        import java.util.concurrent.CompletableFuture;
        import java.util.stream.Stream;

        public class Piece {
          public static void main(String[] args) throws Exception {
            try (var sandbox = PythonSandbox.create()) {
              %s
            }
          }
        }
        """,
        source);
  }
}
