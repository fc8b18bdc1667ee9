package dev.microsandbox.agent;

import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// The host's end and a [FakeAgent] at the other, over a unix socket.
final class ChannelFixture implements AutoCloseable, SandboxListener, OutboundHandler {
  final SandboxId sandbox = SandboxId.random();
  final AgentChannels channels = AgentChannels.open();
  final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
  final LinkedBlockingQueue<Wanted> wanted = new LinkedBlockingQueue<>();
  final Path folder;
  final Path path;
  final ListeningTransport transport;

  record Wanted(InetAddress address, int port, OutboundStream stream) {}

  ChannelFixture() throws IOException {
    folder = Files.createTempDirectory("chan");
    path = folder.resolve("s");
    transport = ListeningTransport.bind(path);
  }

  /// Waits for an agent in the background.
  CompletableFuture<AgentClient> connecting(Duration timeout) {
    CompletableFuture<AgentClient> result = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(channels.connect(sandbox, transport, timeout, this, this));
          } catch (RuntimeException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  record Pair(AgentClient client, FakeAgent agent) {}

  Pair connected() throws Exception {
    CompletableFuture<AgentClient> client = connecting(Duration.ofSeconds(10));
    FakeAgent agent = FakeAgent.connect(path, sandbox);
    return new Pair(client.get(10, TimeUnit.SECONDS), agent);
  }

  String nextTold() throws InterruptedException {
    return String.valueOf(told.poll(10, TimeUnit.SECONDS));
  }

  @Override
  public void onContextChanged(ContextInfo context) {
    told.add("context " + context.id() + " " + context.ready());
  }

  @Override
  public void onBackgroundOutput(String contextId, Lane lane, ByteBuffer bytes, long dropped) {
    told.add("background " + contextId + " " + lane + " " + bytes.remaining() + " " + dropped);
  }

  @Override
  public void onDiagnostic(String level, String text) {
    if (text.equals("throw")) {
      throw new IllegalStateException("a listener that fails");
    }
    told.add(level + " " + text);
  }

  @Override
  public void onConnect(InetAddress address, int port, OutboundStream stream) {
    wanted.add(new Wanted(address, port, stream));
  }

  @Override
  public void onDnsQuery(byte[] message, boolean tcp, DnsReply reply) {
    reply.answer(message);
  }

  @Override
  public void onChannelEnded() {
    told.add("ended");
  }

  @Override
  public void close() throws IOException {
    channels.close();
    transport.close();
    Files.deleteIfExists(path);
    Files.deleteIfExists(folder);
  }
}
