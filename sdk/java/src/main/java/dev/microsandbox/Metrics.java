package dev.microsandbox;

/// Tells what a sandbox uses.
public final class Metrics {
  private static final long MEBIBYTE = 1 << 20;

  private final Session session;

  Metrics(Session session) {
    this.session = session;
  }

  /// Everything, of one moment.
  public MetricsData all() {
    return MetricsData.of(session.json(session.get("/metrics")));
  }

  /// Processing time in use, in per cent of one CPU.
  public double cpu() {
    return all().cpuPercent();
  }

  /// Memory in use, in MiB.
  public long memory() {
    return all().memoryBytes() / MEBIBYTE;
  }

  /// Bytes that its writable layer takes.
  public long disk() {
    return all().diskBytes();
  }

  /// Whether it runs.
  public boolean isRunning() {
    return all().running();
  }
}
