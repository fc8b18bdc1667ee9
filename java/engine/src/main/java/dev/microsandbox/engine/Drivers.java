package dev.microsandbox.engine;

import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.SandboxException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The isolation drivers of this server, the best first, and what each can do on this host.
///
/// Hosts are probed in the background once the server can be asked, for that takes longer than a
/// server may take to be ready; who needs the answer earlier has it begin, and waits for it.
final class Drivers implements AutoCloseable {
  private final List<IsolationDriver> drivers;
  private final Map<IsolationKind, CompletableFuture<ProbeReport>> reports =
      new EnumMap<>(IsolationKind.class);
  private final AtomicBoolean probing = new AtomicBoolean();

  Drivers(List<IsolationDriver> drivers) {
    this.drivers = List.copyOf(drivers);
    for (IsolationDriver driver : drivers) {
      reports.put(driver.kind(), new CompletableFuture<>());
    }
  }

  /// Lets the probes begin, where they have not; returns at once.
  void startProbing() {
    if (!probing.compareAndSet(false, true)) {
      return;
    }
    for (IsolationDriver driver : drivers) {
      probe(driver::probe, futureOf(driver.kind()));
    }
  }

  private static void probe(Supplier<ProbeReport> probe, CompletableFuture<ProbeReport> report) {
    Thread.startVirtualThread(() -> {
      try {
        report.complete(probe.get());
      } catch (RuntimeException | Error e) {
        report.completeExceptionally(e);
      }
    });
  }

  /// A driver and what it can do here.
  record Able(IsolationDriver driver, ProbeReport abilities) {}

  List<IsolationDriver> all() {
    return drivers;
  }

  boolean has(IsolationKind kind) {
    return drivers.stream().anyMatch(driver -> driver.kind() == kind);
  }

  IsolationDriver of(IsolationKind kind) {
    return drivers.stream()
        .filter(driver -> driver.kind() == kind)
        .findFirst()
        .orElseThrow(() -> unavailable(kind, "this server has no such isolation"));
  }

  /// The driver for what a caller asked for.
  ///
  /// @param kind null for the best that works
  Able choose(@Nullable IsolationKind kind) {
    if (kind == null) {
      for (IsolationDriver driver : drivers) {
        ProbeReport report = report(driver.kind());
        if (report.usable()) {
          return new Able(driver, report);
        }
      }
      throw new SandboxException(
          ErrorCode.RUNTIME_MISSING,
          "no kind of isolation works on this host; msb doctor says why");
    }
    IsolationDriver driver = of(kind);
    ProbeReport report = report(kind);
    if (!report.usable()) {
      throw unavailable(kind, "it does not work on this host; msb doctor says why");
    }
    return new Able(driver, report);
  }

  private ProbeReport report(IsolationKind kind) {
    startProbing();
    try {
      return futureOf(kind).join();
    } catch (CompletionException e) {
      System.getLogger(Drivers.class.getName())
          .log(System.Logger.Level.ERROR, "probing " + kind.wireName() + " failed", e);
      return new ProbeReport(false, "", Set.of(), List.of());
    }
  }

  private CompletableFuture<ProbeReport> futureOf(IsolationKind kind) {
    CompletableFuture<ProbeReport> future = reports.get(kind);
    if (future == null) {
      throw unavailable(kind, "this server has no such isolation");
    }
    return future;
  }

  List<ProbeReport.Finding> findings() {
    return drivers.stream().flatMap(driver -> report(driver.kind()).findings().stream()).toList();
  }

  /// The kinds known to work by now, with their runtimes.
  Map<IsolationKind, String> usable() {
    startProbing();
    Map<IsolationKind, String> usable = new EnumMap<>(IsolationKind.class);
    for (IsolationDriver driver : drivers) {
      CompletableFuture<ProbeReport> future = futureOf(driver.kind());
      if (future.isDone() && report(driver.kind()).usable()) {
        usable.put(driver.kind(), report(driver.kind()).runtime());
      }
    }
    return usable;
  }

  private SandboxException unavailable(IsolationKind kind, String why) {
    return new SandboxException(
        ErrorCode.ISOLATION_UNAVAILABLE,
        "isolation "
            + kind.wireName()
            + " cannot be had: "
            + why
            + "; this server offers "
            + drivers.stream().map(driver -> driver.kind().wireName()).toList());
  }

  @Override
  public void close() {
    List<RuntimeException> failures = new ArrayList<>();
    for (IsolationDriver driver : drivers) {
      try {
        driver.close();
      } catch (RuntimeException e) {
        failures.add(e);
      }
    }
    failures.forEach(e ->
        System.getLogger(Drivers.class.getName())
            .log(System.Logger.Level.WARNING, "a driver could not be closed", e));
  }
}
