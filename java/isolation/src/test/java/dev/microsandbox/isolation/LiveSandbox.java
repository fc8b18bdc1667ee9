package dev.microsandbox.isolation;

import dev.microsandbox.agent.AgentChannels;
import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.ContextInfo;
import dev.microsandbox.agent.Lane;
import dev.microsandbox.agent.ObjectEnd;
import dev.microsandbox.agent.ObjectListener;
import dev.microsandbox.agent.ObjectStream;
import dev.microsandbox.agent.OutboundHandler;
import dev.microsandbox.agent.OutboundStream;
import dev.microsandbox.agent.ProcessRequest;
import dev.microsandbox.agent.SandboxConfiguration;
import dev.microsandbox.agent.SandboxListener;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A launched sandbox with its agent on the line, for tests to run programs in.
public final class LiveSandbox implements AutoCloseable {
  private static final int WINDOW = 256 * 1024;
  private static final Duration HELLO = Duration.ofSeconds(20);

  private final RunningSandbox running;
  private final AgentClient agent;

  private LiveSandbox(RunningSandbox running, AgentClient agent) {
    this.running = running;
    this.agent = agent;
  }

  /// What a program said, and how it ended.
  public record Answer(String output, String error, ObjectEnd end) {
    public String text() {
      return output.strip();
    }
  }

  /// Launches, and waits for the agent's hello.
  public static LiveSandbox launch(
      IsolationDriver driver, AgentChannels channels, LaunchSpec spec) {
    RunningSandbox running = driver.launch(spec);
    return of(running, channels);
  }

  /// Waits for the hello of one that runs.
  public static LiveSandbox of(RunningSandbox running, AgentChannels channels) {
    try {
      AgentClient agent =
          channels.connect(running.id(), running.transport(), HELLO, new Deaf(), new Shut());
      agent
          .configure(
              new SandboxConfiguration(
                  "test", Map.of(), false, Map.of(), new byte[0], List.of(), List.of(), List.of()),
              Duration.ofSeconds(10))
          .join();
      return new LiveSandbox(running, agent);
    } catch (RuntimeException e) {
      running.kill();
      throw e;
    }
  }

  public RunningSandbox running() {
    return running;
  }

  public AgentClient agent() {
    return agent;
  }

  /// Runs a program to its end, a minute at most.
  public Answer run(String user, String... command) throws Exception {
    return start(user, command).get(60, TimeUnit.SECONDS);
  }

  /// Runs a text by the image's Python.
  public Answer python(String user, String program) throws Exception {
    return run(user, "/usr/bin/python3", "-c", program);
  }

  /// Starts a program; the future is its end.
  public CompletableFuture<Answer> start(String user, String... command) {
    Collector collector = new Collector();
    ProcessRequest request =
        new ProcessRequest(
            ObjectId.random(), List.of(command), Map.of(), "/", user, false, 0, WINDOW);
    ObjectStream stream = agent.startProcess(request, collector);
    collector.stream.complete(stream);
    return collector.end;
  }

  @Override
  public void close() {
    agent.close();
    running.kill();
  }

  private static final class Collector implements ObjectListener {
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final ByteArrayOutputStream error = new ByteArrayOutputStream();
    private final CompletableFuture<ObjectStream> stream = new CompletableFuture<>();
    private final CompletableFuture<Answer> end = new CompletableFuture<>();

    @Override
    public void onStarted(int pid, int cellNumber) {}

    @Override
    public void onOutput(Lane lane, ByteBuffer bytes) {
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      (lane == Lane.STDOUT ? output : error).writeBytes(copy);
      stream.thenAccept(open -> open.grant(copy.length));
    }

    @Override
    public void onResult(Map<String, String> data, List<String> omitted) {}

    @Override
    public void onError(String name, String message, String traceback) {}

    @Override
    public void onFinished(ObjectEnd how) {
      end.complete(
          new Answer(
              output.toString(StandardCharsets.UTF_8),
              error.toString(StandardCharsets.UTF_8),
              how));
    }

    @Override
    public void onLost(SandboxException reason) {
      end.completeExceptionally(reason);
    }
  }

  /// Nothing that an agent says unasked matters here.
  private static final class Deaf implements SandboxListener {
    @Override
    public void onContextChanged(ContextInfo context) {}

    @Override
    public void onBackgroundOutput(String contextId, Lane lane, ByteBuffer bytes, long dropped) {}

    @Override
    public void onDiagnostic(String level, String text) {
      System.err.println("agent: " + level + ": " + text);
    }
  }

  /// No connection is let out.
  private static final class Shut implements OutboundHandler {
    @Override
    public void onConnect(InetAddress address, int port, OutboundStream stream) {
      stream.refuse(OutboundStream.Refusal.DENIED);
    }

    @Override
    public void onDnsQuery(byte[] message, boolean tcp, DnsReply reply) {
      reply.answer(new byte[0]);
    }

    @Override
    public void onChannelEnded() {}
  }
}
