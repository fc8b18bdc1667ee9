package dev.microsandbox.engine;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.Limits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/// What an operator can set. [#of] reads it from kebab-case keys, which the components' names give.
///
/// @param home `home`: where everything is kept; belongs to one server
/// @param maxSandboxes `max-sandboxes`: running at once
/// @param maxSandboxesPerOwner `max-sandboxes-per-owner`: running at once, of one owner
/// @param maxStoredSandboxes `max-stored-sandboxes`: stopped ones included
/// @param maxMemory `max-memory`: sum of the memory limits of all that run, in MiB; 0 for no bound
/// @param largest `max-sandbox-memory`, `max-sandbox-cpus`, `max-sandbox-processes`,
///   `max-sandbox-disk`: what one sandbox may ask for (memory and disk in MiB)
/// @param idRangeStart `id-range-start`: first host id given to sandboxes, a multiple of 65,536
/// @param idRanges `id-ranges`: how many blocks of 65,536 ids follow from there
/// @param runTimeout `run-timeout`: of a cell or command that does not say; 0 for none (seconds)
/// @param pools sandboxes that are kept ready
/// @param timings what is rarely changed
public record EngineSettings(
    Path home,
    int maxSandboxes,
    int maxSandboxesPerOwner,
    int maxStoredSandboxes,
    ByteSize maxMemory,
    Limits largest,
    int idRangeStart,
    int idRanges,
    Duration runTimeout,
    PoolSettings pools,
    Timings timings) {

  /// Half a gigabyte below the ids that people's accounts and other programs' ranges use.
  private static final int DEFAULT_ID_RANGE_START = 0x1000_0000;

  public EngineSettings {
    require(maxSandboxes > 0, "max-sandboxes", "must be positive");
    require(maxSandboxesPerOwner > 0, "max-sandboxes-per-owner", "must be positive");
    require(
        maxStoredSandboxes >= maxSandboxes,
        "max-stored-sandboxes",
        "cannot be smaller than max-sandboxes");
    require(
        idRangeStart >= IdRange.SIZE && idRangeStart % IdRange.SIZE == 0,
        "id-range-start",
        "must be a positive multiple of 65536");
    require(
        idRanges > 0 && idRangeStart + (long) idRanges * IdRange.SIZE <= Integer.MAX_VALUE,
        "id-ranges",
        "must be positive and stay below 2147483647");
    require(!runTimeout.isNegative(), "run-timeout", "cannot be negative");
  }

  /// How patient the engine is.
  ///
  /// @param connect `connect-timeout`: from a sandbox's launch to its agent's hello
  /// @param adopt `adopt-timeout`: for the agent of a sandbox that an earlier server left running
  ///   to dial
  /// @param redial `redial-timeout`: for an agent that has lost its connection to dial again
  /// @param interruptGrace `interrupt-grace`: for a cell or command to end after it was
  ///   interrupted, before it is killed
  /// @param agentPatience `agent-patience`: after that, for the agent to say so
  /// @param stop `stop-timeout`: for a sandbox to end by itself, before it is killed
  /// @param busy `busy-timeout`: for another operation on the same sandbox to be done
  /// @param shutdown `shutdown-timeout`: for all sandboxes to end when the server stops
  /// @param sweep `sweep-interval`: between looks for idle and expired sandboxes
  public record Timings(
      Duration connect,
      Duration adopt,
      Duration redial,
      Duration interruptGrace,
      Duration agentPatience,
      Duration stop,
      Duration busy,
      Duration shutdown,
      Duration sweep) {
    public static final Timings DEFAULT =
        new Timings(
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofSeconds(3),
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(3),
            Duration.ofSeconds(15),
            Duration.ofSeconds(10),
            Duration.ofSeconds(1));

    public Timings {
      for (Duration each :
          new Duration[] {
            connect, adopt, redial, interruptGrace, agentPatience, stop, busy, shutdown, sweep
          }) {
        require(each.isPositive(), "a timeout", "must be positive");
      }
    }
  }

  /// What holds where nothing is set.
  public static EngineSettings defaults(Path home) {
    return of(home, Map.of());
  }

  /// Reads settings; what is missing has its default.
  ///
  /// @param values by kebab-case key; times in seconds (`2.5`), sizes in MiB
  /// @throws IllegalArgumentException names the key and what is wrong with it
  public static EngineSettings of(Path home, Map<String, String> values) {
    SettingValues from = new SettingValues(values);
    int maxSandboxes = from.number("max-sandboxes", 256);
    EngineSettings settings =
        new EngineSettings(
            home,
            maxSandboxes,
            from.number("max-sandboxes-per-owner", maxSandboxes),
            from.number("max-stored-sandboxes", Math.max(2048, maxSandboxes)),
            ByteSize.ofMib(from.number("max-memory", 0)),
            largest(from),
            from.number("id-range-start", DEFAULT_ID_RANGE_START),
            from.number("id-ranges", 4096),
            from.duration("run-timeout", Duration.ofSeconds(300)),
            PoolSettings.of(from),
            timings(from));
    from.rejectUnknown();
    return settings;
  }

  private static Limits largest(SettingValues from) {
    return new Limits(
        ByteSize.ofMib(from.number("max-sandbox-memory", 64 * 1024)),
        from.number("max-sandbox-cpus", 64),
        from.number("max-sandbox-processes", 32 * 1024),
        ByteSize.ofMib(from.number("max-sandbox-disk", 1024 * 1024)));
  }

  private static Timings timings(SettingValues from) {
    Timings standard = Timings.DEFAULT;
    return new Timings(
        from.duration("connect-timeout", standard.connect()),
        from.duration("adopt-timeout", standard.adopt()),
        from.duration("redial-timeout", standard.redial()),
        from.duration("interrupt-grace", standard.interruptGrace()),
        from.duration("agent-patience", standard.agentPatience()),
        from.duration("stop-timeout", standard.stop()),
        from.duration("busy-timeout", standard.busy()),
        from.duration("shutdown-timeout", standard.shutdown()),
        from.duration("sweep-interval", standard.sweep()));
  }

  /// The same with other times.
  public EngineSettings with(Timings changed) {
    return new EngineSettings(
        home,
        maxSandboxes,
        maxSandboxesPerOwner,
        maxStoredSandboxes,
        maxMemory,
        largest,
        idRangeStart,
        idRanges,
        runTimeout,
        pools,
        changed);
  }

  private static void require(boolean holds, String key, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(key + " " + rule);
    }
  }
}
