package dev.microsandbox.images;

import dev.microsandbox.linux.CommandResult;
import dev.microsandbox.linux.HostCommand;
import dev.microsandbox.linux.LinuxException;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.SandboxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Builds the default images by the recipes' own program, `images/build`, one at a time.
///
/// The program publishes an image whole or not at all, so a build that fails, is interrupted or is
/// killed leaves the store as it was; what it left in its working folder the next one removes.
public final class ImageBuilds {
  /// A build takes half a minute on two cores; a slow mirror may need much longer.
  private static final Duration DEADLINE = Duration.ofMinutes(30);

  private static final int KEPT_OUTPUT = 64 * 1024;

  private final Path program;
  private final ImageStore store;
  private final ReentrantLock oneAtATime = new ReentrantLock(true);

  /// @param program the path of `images/build`
  public ImageBuilds(Path program, ImageStore store) {
    this.program = program.toAbsolutePath();
    this.store = store;
  }

  /// Builds an image and returns it; an image whose recipe is unchanged is returned at once. Waits
  /// while another build is under way.
  ///
  /// @param force to build in any case, for newer Debian packages
  /// @param progress gets a line for each step, such as `python: compiling`
  /// @throws SandboxException `image_not_found` for an image without a recipe, `image_build_failed`
  ///   with what went wrong and what to do
  /// @throws InterruptedException the build has been ended then
  public Image build(ImageReference name, boolean force, Consumer<String> progress)
      throws InterruptedException {
    if (!name.isDefault()) {
      throw new SandboxException(
          ErrorCode.IMAGE_NOT_FOUND,
          "no recipe for image %s; there are python and node".formatted(name),
          Map.of("image", name.name()));
    }
    oneAtATime.lockInterruptibly();
    try {
      run(name.shortName().orElseThrow(), force, progress);
    } finally {
      oneAtATime.unlock();
    }
    return store.find(name);
  }

  private void run(String shortName, boolean force, Consumer<String> progress)
      throws InterruptedException {
    BuildProgress lines = new BuildProgress(progress, store.folder());
    try {
      CommandResult result =
          HostCommand.of(program.toString(), shortName, "--out", store.folder().toString())
              .withArguments(force ? List.of("--force") : List.of())
              .withDeadline(DEADLINE)
              .withCaptureLimit(KEPT_OUTPUT)
              .onLine(lines::take)
              .run();
      if (!result.succeeded()) {
        String reason = result.timedOut() ? "it took longer than 30 minutes" : lines.failure();
        throw failed(shortName, reason, null);
      }
    } catch (LinuxException e) {
      throw failed(shortName, "the builder cannot be started; msb doctor says more", e);
    }
  }

  private static SandboxException failed(
      String shortName, String reason, @Nullable Throwable cause) {
    return new SandboxException(
        ErrorCode.IMAGE_BUILD_FAILED,
        "image %s could not be built: %s".formatted(shortName, reason),
        Map.of("image", shortName),
        cause);
  }
}
