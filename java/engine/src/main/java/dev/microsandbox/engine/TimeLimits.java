package dev.microsandbox.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// A change of how long a sandbox lives. Both null merely mark it as used just now.
///
/// @param timeToLive from now; zero for none; null to leave it
/// @param idleTimeout zero for never; null to leave it
public record TimeLimits(@Nullable Duration timeToLive, @Nullable Duration idleTimeout) {
  /// Changes nothing, but counts as use.
  public static final TimeLimits TOUCH = new TimeLimits(null, null);
}
