package dev.microsandbox.isolation;

import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxId;
import java.nio.file.Path;
import java.util.Map;

/// What a driver needs to know to launch one sandbox. Nothing in it is particular to a request but
/// what keys a pool.
///
/// @param rootfs the image's one read-only file (EROFS)
/// @param imageEnvironment of the image's configuration, for the agent to pass on
/// @param ids the block of host user and group ids that this sandbox's 0 to 65535 are mapped to
/// @param egress whether outbound capture is wanted
public record LaunchSpec(
    SandboxId id,
    Path rootfs,
    Map<String, String> imageEnvironment,
    Limits limits,
    IdRange ids,
    boolean egress) {

  public LaunchSpec {
    imageEnvironment = Map.copyOf(imageEnvironment);
  }
}
