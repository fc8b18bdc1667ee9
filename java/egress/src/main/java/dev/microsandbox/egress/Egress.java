package dev.microsandbox.egress;

import dev.microsandbox.agent.SelectorLoop;
import dev.microsandbox.model.NetworkPolicy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The outside of all sandboxes of a server: the settings, and the few threads that carry their
/// connections. Opened once.
public final class Egress implements AutoCloseable {
  private static final int LOOPS = 2;

  private final NameMap map;
  private final Destinations destinations;
  private final EgressSettings settings;
  private final List<String> operators;
  private final HostResolver resolver = new HostResolver();
  private final List<SelectorLoop> loops;
  private final AtomicInteger turn = new AtomicInteger();
  private @Nullable Provision provision;

  private Egress(EgressSettings settings) {
    Map<String, Endpoint> names = new HashMap<>(settings.host().mirrors().names());
    names.putAll(settings.names());
    this.map = new NameMap(names);
    this.destinations =
        new Destinations(map, settings.host().mirrors().endpoints(), settings.host().proxy());
    this.settings = settings;
    this.operators = Authorities.ofOperator(settings.authorities());
    this.loops = IntStream.range(0, LOOPS).mapToObj(i -> SelectorLoop.open("egress-" + i)).toList();
  }

  /// What sandboxes have to be told so that their tools reach the outside.
  ///
  /// @param environment for programs: the host's package mirrors
  /// @param caBundle PEM of authorities beyond the usual ones; empty for none
  public record Provision(Map<String, String> environment, byte[] caBundle) {
    public Provision {
      environment = Map.copyOf(environment);
    }
  }

  /// Reads the operator's files of authorities and starts the threads.
  ///
  /// @throws dev.microsandbox.model.SandboxException when a file that the operator named is missing
  ///   or holds no certificate
  public static Egress open(EgressSettings settings) {
    return new Egress(settings);
  }

  /// The way out of one sandbox, for one channel.
  ///
  /// @param log takes a record of each connection that was refused or has ended; must not wait
  public SandboxEgress forSandbox(NetworkPolicy policy, Consumer<ConnectionRecord> log) {
    return new SandboxEgress(this, policy, log);
  }

  /// The first call reads the host's authorities, a few hundred files: nobody needs them before the
  /// first sandbox, and a server shall be ready before that.
  public synchronized Provision provision() {
    if (provision == null) {
      provision =
          new Provision(
              settings.host().mirrors().environment(),
              Authorities.bundle(operators, settings.host().authorities()));
    }
    return provision;
  }

  /// Cuts all connections and ends the threads.
  @Override
  public void close() {
    loops.forEach(SelectorLoop::close);
    resolver.close();
  }

  HostResolver resolver() {
    return resolver;
  }

  NameMap map() {
    return map;
  }

  Destinations destinations() {
    return destinations;
  }

  SelectorLoop nextLoop() {
    return loops.get(Math.floorMod(turn.getAndIncrement(), loops.size()));
  }
}
