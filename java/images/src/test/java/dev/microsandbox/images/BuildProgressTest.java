package dev.microsandbox.images;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BuildProgressTest {
  private final List<String> steps = new ArrayList<>();
  private final BuildProgress progress = new BuildProgress(steps::add, Path.of("/srv/store"));

  @Test
  void passesOnStepsWithoutTheirTimes() {
    take("[   0s] base: from the cache", "[  12s]   done in 12 s", "python sha256:00 /srv/store/x");
    assertThat(steps).containsExactly("base: from the cache", "done in 12 s");
  }

  @Test
  void joinsTheFailureAndItsRemedyAndLeavesOutTheLog() {
    take(
        "[   3s] base: installing",
        "        | E: Failed to fetch",
        "[   4s] failed: base: installing",
        "        the disk is full: free 2 GB under /srv/store and run this again");
    assertThat(steps).containsExactly("base: installing");
    assertThat(progress.failure())
        .isEqualTo(
            "base: installing; the disk is full: free 2 GB under the image store and run this"
                + " again");
  }

  @Test
  void takesWhatIsSaidBeforeTheStart() {
    take("images/build: missing on this host: mmdebstrap; install by: apt-get install mmdebstrap");
    assertThat(progress.failure())
        .isEqualTo("missing on this host: mmdebstrap; install by: apt-get install mmdebstrap");
  }

  @Test
  void hasAFailureToTellEvenWhenNothingWasSaid() {
    assertThat(progress.failure()).isEqualTo("the builder was ended");
  }

  private void take(String... lines) {
    for (String line : lines) {
      progress.take(line);
    }
  }
}
