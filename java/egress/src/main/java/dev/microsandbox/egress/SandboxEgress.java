package dev.microsandbox.egress;

import dev.microsandbox.agent.OutboundHandler;
import dev.microsandbox.agent.OutboundStream;
import dev.microsandbox.agent.OutboundStream.Refusal;
import dev.microsandbox.agent.SelectorLoop;
import dev.microsandbox.model.NetworkPolicy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// The outside of one sandbox: judges, resolves and dials for it, and carries the bytes.
///
/// Everything that a sandbox can make grow is bounded: 1,024 connections, 256 of them being
/// dialled, its look-ups, its table of names, and the bytes that wait for a slow end of a
/// connection.
public final class SandboxEgress implements OutboundHandler {
  private static final int MAX_CONNECTIONS = 1_024;
  private static final int MAX_DIALS = 256;

  private final Egress egress;
  private final Consumer<ConnectionRecord> log;
  private final NameTable table = new NameTable();
  private final NameService names;
  private final AtomicInteger dials = new AtomicInteger();
  private final AtomicInteger count = new AtomicInteger();
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private volatile NetworkPolicy policy;

  SandboxEgress(Egress egress, NetworkPolicy policy, Consumer<ConnectionRecord> log) {
    this.egress = egress;
    this.policy = policy;
    this.log = log;
    this.names =
        new NameService(
            egress.resolver(), egress.map(), table, () -> this.policy != NetworkPolicy.NONE);
  }

  /// Judges by another policy from now on. Connections that stand are ended where it forbids all.
  public void setPolicy(NetworkPolicy to) {
    policy = to;
    if (to == NetworkPolicy.NONE) {
      connections.forEach(Connection::cut);
    }
  }

  @Override
  public void onDnsQuery(byte[] message, boolean tcp, DnsReply reply) {
    names.answer(message, tcp, reply);
  }

  @Override
  public void onConnect(InetAddress address, int port, OutboundStream stream) {
    if (count.get() >= MAX_CONNECTIONS || dials.get() >= MAX_DIALS) {
      stream.refuse(Refusal.LIMIT);
      note(ConnectionRecord.Verdict.LIMITED, address, port, "too many connections at once");
      return;
    }
    count.incrementAndGet();
    dials.incrementAndGet();
    SelectorLoop loop = egress.nextLoop();
    loop.execute(() -> dial(loop, address, port, stream));
  }

  @Override
  public void onChannelEnded() {
    connections.forEach(Connection::cut);
  }

  /// How many connections stand or are being made.
  public int connectionCount() {
    return count.get();
  }

  private void dial(SelectorLoop loop, InetAddress address, int port, OutboundStream stream) {
    List<String> known =
        egress
            .map()
            .behind(address)
            .map(mapped -> List.of(mapped.name()))
            .orElseGet(() -> table.namesOf(address));
    Connection connection =
        new Connection(loop, stream, new Connection.Target(address, port, known), new Watch());
    connections.add(connection);
    switch (egress.destinations().decide(policy, address, port, known)) {
      case Destinations.Decision.Deny(String reason) -> connection.deny(reason);
      case Destinations.Decision.Dial(InetAddress to, int at) ->
          connection.dial(new InetSocketAddress(to, at));
      case Destinations.Decision.DialMapped(Endpoint target) ->
          resolve(target, loop, connection, connection::dial);
      case Destinations.Decision.DialThroughProxy(UpstreamProxy proxy, String host, int at) ->
          resolve(
              proxy.endpoint(),
              loop,
              connection,
              to -> connection.dialThroughProxy(to, proxy.authorization(), host, at));
    }
  }

  /// Finds the address of an endpoint that the operator has named, which may be any.
  private void resolve(
      Endpoint target, SelectorLoop loop, Connection connection, Consumer<InetSocketAddress> then) {
    var literal = Names.literal(target.host());
    if (literal.isPresent()) {
      then.accept(new InetSocketAddress(literal.get(), target.port()));
      return;
    }
    egress
        .resolver()
        .resolve(
            target.host(),
            answer ->
                loop.execute(() -> {
                  if (answer instanceof HostResolver.Answer.Found(List<InetAddress> found)) {
                    then.accept(new InetSocketAddress(found.getFirst(), target.port()));
                  } else {
                    connection.fail(Refusal.UNREACHABLE, "its name is not known to the host");
                  }
                }));
  }

  private void note(
      ConnectionRecord.Verdict verdict, InetAddress address, int port, String reason) {
    log.accept(
        new ConnectionRecord(
            verdict, address, port, table.namesOf(address), 0, 0, Duration.ZERO, reason));
  }

  /// Counts this sandbox's connections.
  private final class Watch implements Connection.Watcher {
    @Override
    public void dialled() {
      dials.decrementAndGet();
    }

    @Override
    public void ended(Connection connection, ConnectionRecord record) {
      connections.remove(connection);
      count.decrementAndGet();
      log.accept(record);
    }
  }
}
