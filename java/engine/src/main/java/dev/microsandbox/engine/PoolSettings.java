package dev.microsandbox.engine;

import java.time.Duration;

/// What an operator can set about pools.
///
/// @param enabled `pool`: `on` or `off`
/// @param minimum `pool-min`: kept of each default image in the default sizes, asked for or not
/// @param maximum `pool-max`: kept of one key at most, where nothing else is set for that
/// @param total `pool-total`: kept in all at most, beside the minimums that are set
/// @param idle `pool-idle`: how long a pool without demand keeps its last sandbox (seconds)
/// @param rate `pool-rate`: sandboxes started for pools in a second at most
public record PoolSettings(
    boolean enabled, int minimum, int maximum, int total, Duration idle, int rate) {
  public PoolSettings {
    require(minimum >= 0, "pool-min", "cannot be negative");
    require(maximum >= minimum, "pool-max", "cannot be smaller than pool-min");
    require(total >= 0, "pool-total", "cannot be negative");
    require(!idle.isNegative(), "pool-idle", "cannot be negative");
    require(rate > 0 && rate <= 1000, "pool-rate", "is between 1 and 1000");
  }

  static PoolSettings of(SettingValues from) {
    return new PoolSettings(
        from.flag("pool", true),
        from.number("pool-min", 1),
        from.number("pool-max", 8),
        from.number("pool-total", 16),
        from.duration("pool-idle", Duration.ofMinutes(5)),
        from.number("pool-rate", 10));
  }

  private static void require(boolean holds, String key, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(key + " " + rule);
    }
  }
}
