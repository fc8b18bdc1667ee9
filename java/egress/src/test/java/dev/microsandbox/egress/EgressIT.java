package dev.microsandbox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.AgentChannels;
import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.ContextInfo;
import dev.microsandbox.agent.FakeAgent;
import dev.microsandbox.agent.FrameType;
import dev.microsandbox.agent.Lane;
import dev.microsandbox.agent.ListeningTransport;
import dev.microsandbox.agent.SandboxListener;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.AgentOpen;
import dev.microsandbox.agent.wire.Connect;
import dev.microsandbox.agent.wire.Credit;
import dev.microsandbox.agent.wire.DnsQuery;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.ResetReason;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// A sandbox's half of the channel by frames, a real channel, and real servers on this host,
/// reached under mapped names.
@Timeout(90)
class EgressIT {
  private static final int WINDOW = 256 * 1024;
  private static final byte[] HELLO = {1, 2, 3, 4, 5};

  @TempDir Path folder;
  private final SandboxId sandbox = SandboxId.random();
  private final AgentChannels channels = AgentChannels.open();
  private final LinkedBlockingQueue<ConnectionRecord> log = new LinkedBlockingQueue<>();
  private ServerSocket server;
  private ListeningTransport transport;
  private Egress egress;
  private SandboxEgress outside;
  private AgentClient client;
  private FakeAgent agent;
  private InetAddress mapped;
  private int streams;

  @BeforeEach
  void start() throws Exception {
    server = new ServerSocket(0, 2_000, InetAddress.ofLiteral("127.0.0.1"));
    connect(
        Map.of("server.test", new Endpoint("127.0.0.1", server.getLocalPort())), Optional.empty());
    mapped = resolve("server.test");
  }

  private void connect(Map<String, Endpoint> names, Optional<UpstreamProxy> proxy)
      throws Exception {
    transport = ListeningTransport.bind(folder.resolve("s" + streams));
    egress =
        Egress.open(
            new EgressSettings(
                names, List.of(), new HostNetworkSettings(PackageMirrors.NONE, List.of(), proxy)));
    outside = egress.forSandbox(NetworkPolicy.PUBLIC, log::add);
    CompletableFuture<AgentClient> connecting =
        CompletableFuture.supplyAsync(() ->
            channels.connect(sandbox, transport, Duration.ofSeconds(10), new Silent(), outside));
    agent = FakeAgent.connect(folder.resolve("s" + streams), sandbox);
    client = connecting.get(10, TimeUnit.SECONDS);
    streams = 0;
  }

  @AfterEach
  void stop() throws IOException {
    agent.close();
    channels.close();
    transport.close();
    egress.close();
    server.close();
  }

  @Test
  void carriesBytesBothWaysWithHalfClose() throws Exception {
    int stream = open(mapped, 443);
    assertThat(reply(stream)).isEqualTo("opened");
    try (Socket accepted = server.accept()) {
      agent.data(stream, 0, HELLO);
      assertThat(accepted.getInputStream().readNBytes(5)).isEqualTo(HELLO);
      agent.frame(stream, FrameType.END, 0, new byte[0]);
      assertThat(accepted.getInputStream().read()).isEqualTo(-1);
      accepted.getOutputStream().write(HELLO);
      assertThat(agent.receive(FrameType.DATA).payload()).isEqualTo(HELLO);
    }
    assertThat(agent.receive(FrameType.END).stream()).isEqualTo(stream);
    ConnectionRecord record = log.poll(5, TimeUnit.SECONDS);
    assertThat(record.verdict()).isEqualTo(ConnectionRecord.Verdict.CARRIED);
    assertThat(record.names()).containsExactly("server.test");
    assertThat(record.sent()).isEqualTo(5);
    assertThat(record.received()).isEqualTo(5);
    assertThat(record.line()).startsWith("connection to server.test 198.19.0.1:443: 5 bytes sent");
    assertThat(outside.connectionCount()).isZero();
  }

  @Test
  void aResetIsCarriedInBothDirections() throws Exception {
    int first = open(mapped, 443);
    assertThat(reply(first)).isEqualTo("opened");
    try (Socket accepted = server.accept()) {
      accepted.setSoLinger(true, 0);
    }
    assertThat(reply(first)).isEqualTo("RESET_REASON_BROKEN");

    int second = open(mapped, 443);
    assertThat(reply(second)).isEqualTo("opened");
    try (Socket accepted = server.accept()) {
      agent.frame(
          second,
          FrameType.RESET,
          Reset.newBuilder().setReason(ResetReason.RESET_REASON_BROKEN).build());
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> accepted.getInputStream().read())
          .isInstanceOf(SocketException.class);
    }
  }

  @Test
  void aClosedPortIsRefusedAtOnce() throws Exception {
    server.close();
    long start = System.nanoTime();
    assertThat(reply(open(mapped, 443))).isEqualTo("RESET_REASON_REFUSED");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    assertThat(log.poll(5, TimeUnit.SECONDS).verdict()).isEqualTo(ConnectionRecord.Verdict.FAILED);
  }

  @Test
  void metadataLoopbackAndPrivateAddressesAreDeniedInAllForms() throws Exception {
    for (String address :
        List.of(
            "169.254.169.254",
            "fd00:ec2::254",
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::1",
            "198.19.200.200")) {
      assertThat(reply(open(InetAddress.ofLiteral(address), server.getLocalPort())))
          .as(address)
          .isEqualTo("RESET_REASON_DENIED");
      assertThat(log.poll(5, TimeUnit.SECONDS).verdict())
          .isEqualTo(ConnectionRecord.Verdict.DENIED);
    }
  }

  @Test
  void aNameThatMeansAPrivateAddressIsDeniedWhenItIsDialled() throws Exception {
    InetAddress loopback = resolve("localhost");
    assertThat(loopback.isLoopbackAddress()).isTrue();
    assertThat(reply(open(loopback, server.getLocalPort()))).isEqualTo("RESET_REASON_DENIED");
    assertThat(log.poll(5, TimeUnit.SECONDS).line())
        .startsWith("connection to localhost 127.0.0.1:");
  }

  @Test
  void anotherPolicyCutsWhatStands() throws Exception {
    int stream = open(mapped, 443);
    assertThat(reply(stream)).isEqualTo("opened");
    try (Socket accepted = server.accept()) {
      outside.setPolicy(NetworkPolicy.NONE);
      assertThat(reply(stream)).isEqualTo("RESET_REASON_BROKEN");
      assertThat(accepted.isConnected()).isTrue();
    }
    assertThat(reply(open(mapped, 443))).isEqualTo("RESET_REASON_DENIED");
  }

  @Test
  void theEndOfTheChannelIsTheEndOfItsConnections() throws Exception {
    assertThat(reply(open(mapped, 443))).isEqualTo("opened");
    try (Socket accepted = server.accept()) {
      agent.close();
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> accepted.getInputStream().read())
          .isInstanceOf(SocketException.class);
    }
    assertThat(log.poll(5, TimeUnit.SECONDS).verdict()).isEqualTo(ConnectionRecord.Verdict.CARRIED);
  }

  @Test
  void aServerThatDoesNotReadMakesTheSandboxWaitInBoundedMemory() throws Exception {
    int stream = open(mapped, 443);
    FakeAgent.Frame opened = agent.receive(FrameType.OPENED);
    long credit = opened.parsed(Opened.parser()).getWindow();
    long sent = 0;
    try (Socket accepted = server.accept()) {
      while (true) {
        while (credit > 0) {
          int length = (int) Math.min(credit, 32 * 1024);
          agent.data(stream, 0, new byte[length]);
          credit -= length;
          sent += length;
        }
        FakeAgent.Frame frame = nextWithin(stream);
        if (frame == null) {
          break;
        }
        credit += frame.parsed(Credit.parser()).getBytes();
      }
      assertThat(sent).as("the socket's buffers and one window").isLessThan(16L << 20);
      assertThat(accepted.getInputStream().readNBytes((int) sent)).hasSize((int) sent);
    }
  }

  /// The next CREDIT, or null where none comes before the answer to a ping.
  private FakeAgent.@Nullable Frame nextWithin(int stream) throws Exception {
    Thread.sleep(30);
    byte[] query = Message.newQuery(Record.newRecord(Name.root, Type.NS, DClass.IN)).toWire();
    agent.control(
        AgentControl.newBuilder()
            .setId(1)
            .setDnsQuery(DnsQuery.newBuilder().setMessage(ByteString.copyFrom(query))));
    FakeAgent.@Nullable Frame credit = null;
    int total = 0;
    while (true) {
      FakeAgent.Frame frame = agent.receive();
      if (frame.type() == FrameType.CONTROL) {
        break;
      }
      assertThat(frame.stream()).isEqualTo(stream);
      total += frame.parsed(Credit.parser()).getBytes();
      credit = frame;
    }
    return credit == null
        ? null
        : new FakeAgent.Frame(
            stream, FrameType.CREDIT, 0, Credit.newBuilder().setBytes(total).build().toByteArray());
  }

  @Test
  void aThousandConnectionsAtOnceAllWorkAndOneMoreThanTheLimitDoesNot() throws Exception {
    Thread.ofVirtual().start(this::echo);
    int count = 1_000;
    long start = System.nanoTime();
    int opened = 0;
    Set<Integer> waiting = new HashSet<>();
    Map<Integer, Integer> windows = new HashMap<>();
    while (opened < count) {
      for (int i = 0; i < 100; i++) {
        waiting.add(open(mapped, 443, 1_024));
      }
      while (!waiting.isEmpty()) {
        FakeAgent.Frame frame = agent.receive(FrameType.OPENED);
        windows.put(frame.stream(), frame.parsed(Opened.parser()).getWindow());
        waiting.remove(frame.stream());
      }
      opened += 100;
    }
    assertThat(windows.values()).allMatch(window -> window >= 4_096);
    for (int stream : windows.keySet()) {
      agent.data(stream, 0, HELLO);
    }
    Set<Integer> answered = new HashSet<>();
    while (answered.size() < count) {
      answered.add(agent.receive(FrameType.DATA).stream());
    }
    System.out.printf(
        "1,000 connections opened and answered in %d ms%n",
        (System.nanoTime() - start) / 1_000_000);
    for (int i = 0; i < 25; i++) {
      open(mapped, 443, 1_024);
    }
    assertThat(agent.receive(FrameType.RESET).parsed(Reset.parser()).getReason())
        .isEqualTo(ResetReason.RESET_REASON_LIMIT);
    assertThat(outside.connectionCount()).isLessThanOrEqualTo(1_024);
  }

  @Test
  void aDownloadIsFast() throws Exception {
    long total = 400L << 20;
    Thread.ofPlatform().daemon().start(() -> source(total));
    int stream = open(mapped, 443);
    assertThat(reply(stream)).isEqualTo("opened");
    long start = System.nanoTime();
    long read = 0;
    int ungranted = 0;
    while (read < total) {
      FakeAgent.Frame frame = agent.receive();
      if (frame.type() == FrameType.DATA) {
        read += frame.payload().length;
        ungranted += frame.payload().length;
        if (ungranted >= WINDOW / 4) {
          agent.frame(stream, FrameType.CREDIT, Credit.newBuilder().setBytes(ungranted).build());
          ungranted = 0;
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf("download: %.0f MB/s%n", total / 1e6 / seconds);
    assertThat(read).isEqualTo(total);
  }

  @Test
  void manyConnectAfterOneAnother() throws Exception {
    long[] times = new long[300];
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      int stream = open(mapped, 443);
      assertThat(reply(stream)).isEqualTo("opened");
      times[i] = System.nanoTime() - start;
      server.accept().close();
      agent.receive(FrameType.END);
      agent.frame(stream, FrameType.END, 0, new byte[0]);
    }
    java.util.Arrays.sort(times);
    System.out.printf("connect: median %d us%n", times[times.length / 2] / 1_000);
  }

  @Test
  void theHostsProxyIsDialledThroughByTheAddressThatWasJudged() throws Exception {
    stopChannel();
    streams = 1;
    connect(Map.of(), UpstreamProxy.parse("http://me:pw@127.0.0.1:" + server.getLocalPort(), ""));
    int denied = open(InetAddress.ofLiteral("169.254.169.254"), 80);
    assertThat(reply(denied)).isEqualTo("RESET_REASON_DENIED");
    int stream = open(InetAddress.ofLiteral("192.0.2.77"), 443);
    try (Socket proxy = server.accept()) {
      String request = readHead(proxy);
      assertThat(request)
          .startsWith("CONNECT 192.0.2.77:443 HTTP/1.1\r\n")
          .contains("Proxy-Authorization: Basic bWU6cHc=\r\n");
      proxy.getOutputStream().write("HTTP/1.1 200 OK\r\nX: y\r\n\r\nearly".getBytes("US-ASCII"));
      assertThat(reply(stream)).isEqualTo("opened");
      assertThat(new String(agent.receive(FrameType.DATA).payload(), "US-ASCII"))
          .isEqualTo("early");
    }
    int refused = open(InetAddress.ofLiteral("192.0.2.77"), 443);
    try (Socket proxy = server.accept()) {
      readHead(proxy);
      proxy.getOutputStream().write("HTTP/1.1 403 No\r\n\r\n".getBytes("US-ASCII"));
      assertThat(reply(refused)).isEqualTo("RESET_REASON_REFUSED");
    }
  }

  @Test
  void anAddressThatDoesNotAnswerTimesOutOrIsUnreachable() throws Exception {
    // 192.0.2.0/24 is documentation's; whatever this host's network does with it, it ends in time.
    long start = System.nanoTime();
    assertThat(reply(open(InetAddress.ofLiteral("192.0.2.213"), 9)))
        .isIn("RESET_REASON_TIMED_OUT", "RESET_REASON_UNREACHABLE", "RESET_REASON_REFUSED");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
  }

  // ---- helpers

  private void stopChannel() throws IOException {
    agent.close();
    client.close();
    transport.close();
    egress.close();
  }

  private int open(InetAddress address, int port) throws IOException {
    return open(address, port, WINDOW);
  }

  private int open(InetAddress address, int port, int window) throws IOException {
    streams += 2;
    Connect.Builder connect =
        Connect.newBuilder().setAddress(ByteString.copyFrom(address.getAddress())).setPort(port);
    agent.frame(
        streams,
        FrameType.OPEN,
        AgentOpen.newBuilder().setWindow(window).setConnect(connect).build());
    return streams;
  }

  /// What the host answers on a stream: `opened`, or the reason of its reset.
  private String reply(int stream) throws IOException {
    while (true) {
      FakeAgent.Frame frame = agent.receive();
      if (frame.stream() == stream && frame.type() == FrameType.OPENED) {
        return "opened";
      } else if (frame.stream() == stream && frame.type() == FrameType.RESET) {
        return frame.parsed(Reset.parser()).getReason().name();
      }
    }
  }

  private InetAddress resolve(String name) throws Exception {
    Message query =
        Message.newQuery(Record.newRecord(Name.fromString(name + "."), Type.A, DClass.IN));
    agent.control(
        AgentControl.newBuilder()
            .setId(7)
            .setDnsQuery(DnsQuery.newBuilder().setMessage(ByteString.copyFrom(query.toWire()))));
    byte[] answer =
        agent.receive(FrameType.CONTROL).control().getDnsAnswer().getMessage().toByteArray();
    return InetAddress.ofLiteral(
        new Message(answer).getSection(Section.ANSWER).getFirst().rdataToString());
  }

  private static String readHead(Socket proxy) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      head.append((char) proxy.getInputStream().read());
    }
    return head.toString();
  }

  private void echo() {
    try {
      while (true) {
        Socket socket = server.accept();
        Thread.ofVirtual()
            .start(() -> {
              try (socket) {
                socket.getInputStream().transferTo(socket.getOutputStream());
              } catch (IOException _) {
                // the test is over
              }
            });
      }
    } catch (IOException _) {
      // the test is over
    }
  }

  private void source(long total) {
    byte[] block = new byte[1 << 17];
    try (Socket socket = server.accept()) {
      for (long left = total; left > 0; left -= block.length) {
        socket.getOutputStream().write(block, 0, (int) Math.min(left, block.length));
      }
    } catch (IOException _) {
      // the test is over
    }
  }

  private static final class Silent implements SandboxListener {
    @Override
    public void onContextChanged(ContextInfo context) {}

    @Override
    public void onBackgroundOutput(String contextId, Lane lane, ByteBuffer bytes, long dropped) {}

    @Override
    public void onDiagnostic(String level, String text) {}
  }
}
