package dev.microsandbox.engine;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.model.Digest;
import dev.microsandbox.model.SandboxId;
import java.time.Duration;

/// A sandbox that was launched for nobody yet: no owner, no name, no variables, no network. It is
/// claimed once or thrown away, and never comes back.
final class PoolMember {
  private final PoolKey key;
  private final Launcher.Launched launched;
  private final Admission.Place place;
  private volatile Duration cpuTime = Duration.ZERO;

  /// @param place what it takes of the server's limits until it is claimed
  PoolMember(PoolKey key, Launcher.Launched launched, Admission.Place place) {
    this.key = key;
    this.launched = launched;
    this.place = place;
  }

  PoolKey key() {
    return key;
  }

  Launcher.Launched launched() {
    return launched;
  }

  SandboxId id() {
    return launched.plan().id();
  }

  IdRange ids() {
    return launched.plan().ids();
  }

  Digest image() {
    return launched.plan().rootfs().info().digest();
  }

  SandboxLog log() {
    return launched.plan().log();
  }

  Contexts contexts() {
    return launched.plan().contexts();
  }

  /// Notes what has been used so far, for which whoever claims it is not to answer.
  void meter() {
    cpuTime = launched.running().usage().cpuTime();
  }

  Duration cpuTime() {
    return cpuTime;
  }

  /// As far as can be told without asking it.
  boolean isAlive() {
    return !launched.running().ended().isDone() && !launched.agent().ended().isDone();
  }

  /// It counts as its owner's from now on.
  void leave() {
    place.close();
  }
}
