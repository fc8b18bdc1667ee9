import dev.microsandbox.Execution;
import dev.microsandbox.PythonSandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;

/// Answers the benchmark's questions with the Java client; client.py says how.
final class Client {
  private static final double NANOS_PER_MILLI = 1e6;

  private Client() {}

  public static void main(String[] arguments) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (PythonSandbox kept = PythonSandbox.create()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ");
        StringJoiner taken = new StringJoiner(" ");
        for (int done = 0; done < Integer.parseInt(words[1]); done++) {
          taken.add(Double.toString(words[0].equals("cell") ? cell(kept) : create()));
        }
        System.out.println(taken);
      }
    }
  }

  private static double cell(PythonSandbox kept) {
    long begin = System.nanoTime();
    Execution execution = kept.run("6 * 7");
    return since(begin, execution);
  }

  private static double create() {
    long begin = System.nanoTime();
    try (PythonSandbox sandbox = PythonSandbox.create()) {
      return since(begin, sandbox.run("6 * 7"));
    }
  }

  private static double since(long begin, Execution execution) {
    double taken = (System.nanoTime() - begin) / NANOS_PER_MILLI;
    if (!execution.output().equals("42")) {
      throw new AssertionError(execution);
    }
    return taken;
  }
}
