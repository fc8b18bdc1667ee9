package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.AgentOpen;
import dev.microsandbox.agent.wire.HostOpen;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What an agent of version 1 once said must be understood for ever.
@Timeout(30)
class TranscriptTest {
  private static final Path TRANSCRIPT = Path.of("../../spec/vectors/channel/v1-agent.bin");

  @TempDir Path folder;

  @Test
  void theFirstVersionsWordsAreUnderstood() throws Exception {
    byte[] recorded = Files.readAllBytes(TRANSCRIPT);
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("s"));
    Recorder recorder = new Recorder();
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        SelectorLoop loop = SelectorLoop.open("transcript")) {
      server.bind(address);
      FakeAgent agent = FakeAgent.dial(folder.resolve("s"));
      SocketChannel accepted = server.accept();
      Channel channel = new Channel(loop, accepted, recorder);
      channel.start();
      agent.greet();
      RecordingListener cell = view(channel);
      RecordingListener process = view(channel);
      RecordingListener missing = view(channel);
      agent.raw(Arrays.copyOfRange(recorded, Handshake.PREAMBLE, recorded.length));

      assertThat(cell.awaitEnd().outcome()).isEqualTo(Outcome.OK);
      assertThat(cell.stdout()).isEqualTo("hello\n");
      assertThat(cell.events()).contains("result 42");
      assertThat(process.awaitEnd().exitCode()).isEqualTo(3);
      assertThat(process.stdout()).isEqualTo("typed");
      assertThat(process.stderr()).isEqualTo("hello\n");
      assertThatThrownBy(missing::awaitEnd)
          .cause()
          .isInstanceOfSatisfying(
              SandboxException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_NOT_FOUND));

      assertThat(recorder.next().getHello().getVersion()).isEqualTo(1);
      AgentControl message = recorder.next();
      int done = 0;
      boolean ready = false;
      while (done < 3) {
        ready |= message.hasContextChanged() && message.getContextChanged().getReady();
        done += message.hasDone() ? 1 : 0;
        message = done < 3 ? recorder.next() : message;
      }
      assertThat(ready).isTrue();
      assertThat(channel.ended()).isNull();
      agent.close();
      assertThat(recorder.end.get(5, TimeUnit.SECONDS).cause()).isEqualTo(ChannelEnd.Cause.LOST);
    }
  }

  private static RecordingListener view(Channel channel) {
    RecordingListener listener = new RecordingListener();
    channel.open(
        number ->
            new ObjectView(channel, number, ObjectId.random(), listener, ByteBuffer.allocate(0)),
        view -> HostOpen.newBuilder().setWindow(view.window.open(1 << 16)).build());
    return listener;
  }

  private static final class Recorder implements Channel.Owner {
    final CompletableFuture<ChannelEnd> end = new CompletableFuture<>();
    private final LinkedBlockingQueue<AgentControl> messages = new LinkedBlockingQueue<>();

    AgentControl next() throws InterruptedException {
      AgentControl message = messages.poll(5, TimeUnit.SECONDS);
      assertThat(message).isNotNull();
      return message;
    }

    @Override
    public void control(AgentControl message) {
      messages.add(message);
    }

    @Override
    public OutboundConnection outbound(int number, AgentOpen open) throws BrokenRuleException {
      throw new BrokenRuleException("the transcript has no outbound connection");
    }

    @Override
    public void ended(ChannelEnd reason) {
      end.complete(reason);
    }
  }
}
