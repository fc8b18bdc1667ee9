package dev.microsandbox.tests;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/// Where things are, and how programs are run.
final class Checkout {
  static final Path ROOT = Path.of("..", "..", "..").toAbsolutePath().normalize();
  static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
  private static final int LIMIT_SECONDS = 900;

  private Checkout() {}

  /// Runs a program to its end and gives what it wrote to standard output.
  ///
  /// @throws AssertionError with all that it said, where it fails
  static String run(ProcessBuilder program) throws Exception {
    Path out = java.nio.file.Files.createTempFile("msb", ".out");
    Path err = java.nio.file.Files.createTempFile("msb", ".err");
    try {
      Process process =
          program
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
      String said = java.nio.file.Files.readString(out);
      if (!ended || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new AssertionError(
            Arrays.toString(program.command().toArray())
                + (ended ? " failed:\n" : " takes too long:\n")
                + said
                + java.nio.file.Files.readString(err));
      }
      return said;
    } finally {
      java.nio.file.Files.delete(out);
      java.nio.file.Files.delete(err);
    }
  }
}
