package dev.microsandbox.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How builds are run, with small programs in the builder's place that speak as it does.
class ImageBuildsIT {
  @TempDir private Path folder;
  private final List<String> steps = new ArrayList<>();

  @Test
  void refusesAnImageWithoutARecipe() throws IOException {
    assertFails("exit 0", new ImageReference("alpine/git"), ErrorCode.IMAGE_NOT_FOUND, "no recipe");
  }

  @Test
  void tellsTheStepsAsTheyCome() throws Exception {
    new StoreFixture(store().folder()).add("python");
    Image image =
        builds("echo '[   0s] one' >&2; echo '[   1s] two' >&2")
            .build(ImageReference.PYTHON, false, steps::add);
    assertThat(steps).containsExactly("one", "two");
    assertThat(image.digest()).isEqualTo(StoreFixture.DIGEST);
  }

  @Test
  void namesImageFolderAndForceToTheBuilder() throws Exception {
    new StoreFixture(store().folder()).add("node");
    builds("echo \"[   0s] $*\" >&2").build(ImageReference.parse("node"), true, steps::add);
    assertThat(steps).containsExactly("node --out the image store --force");
  }

  @Nested
  class WhenTheBuilderFails {
    @Test
    void theErrorHasReasonAndRemedy() throws IOException {
      assertFails(
          "echo '[   2s] failed: base: packing' >&2; echo '        free some' >&2; exit 1",
          ImageReference.PYTHON,
          ErrorCode.IMAGE_BUILD_FAILED,
          "image python could not be built: base: packing; free some");
    }

    @Test
    void aMissingBuilderIsTold() {
      ImageBuilds builds = new ImageBuilds(folder.resolve("absent"), store());
      assertThatThrownBy(() -> builds.build(ImageReference.PYTHON, false, steps::add))
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("the builder cannot be started");
    }

    @Test
    void aKilledOneIsToldToo() throws IOException {
      assertFails(
          "kill -KILL $$", ImageReference.PYTHON, ErrorCode.IMAGE_BUILD_FAILED, "was ended");
    }

    @Test
    void successWithoutAnImageIsNotBelieved() throws IOException {
      assertFails("exit 0", ImageReference.PYTHON, ErrorCode.IMAGE_NOT_FOUND, "not on this host");
    }
  }

  @Test
  void runsOneBuildAtATime() throws Exception {
    new StoreFixture(store().folder()).add("python");
    String script = "mkdir '%1$s/busy' || exit 1; sleep 0.3; rmdir '%1$s/busy'".formatted(folder);
    ImageBuilds builds = builds(script);
    List<Throwable> failures = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  builds.build(ImageReference.PYTHON, false, _ -> {});
                } catch (SandboxException | InterruptedException e) {
                  synchronized (failures) {
                    failures.add(e);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }

  private void assertFails(String script, ImageReference name, ErrorCode code, String message)
      throws IOException {
    ImageBuilds builds = builds(script);
    assertThatThrownBy(() -> builds.build(name, false, steps::add))
        .isInstanceOfSatisfying(SandboxException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(message);
  }

  private ImageStore store() {
    return ImageStore.open(folder.resolve("store"));
  }

  private ImageBuilds builds(String script) throws IOException {
    Path program = folder.resolve("build");
    Files.writeString(program, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    return new ImageBuilds(program, store());
  }
}
