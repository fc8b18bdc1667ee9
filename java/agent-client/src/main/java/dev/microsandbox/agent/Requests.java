package dev.microsandbox.agent;

import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.HostControl;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/// The host's requests that the agent has not answered, each with its deadline.
final class Requests {
  private static final int MAX_UNANSWERED = 1_024;
  private static final long MAX_BACKLOG = 8 << 20;

  private final Channel channel;

  // Guarded by this.
  private final Map<Long, Request> unanswered = new HashMap<>();
  private long lastId;

  Requests(Channel channel) {
    this.channel = channel;
  }

  /// Whether an expired request means that the agent is lost.
  enum Expiry {
    ALWAYS,
    /// Only if other frames have come meanwhile: else the sandbox may be paused.
    IF_ALIVE
  }

  private record Request(
      CompletableFuture<AgentControl> answer, SelectorLoop.Cancellable deadline) {}

  /// Sends a request. The future fails with what the agent refused, or with `agent_lost`.
  CompletableFuture<AgentControl> send(
      HostControl.Builder message, Duration deadline, Expiry expiry) {
    CompletableFuture<AgentControl> answer = new CompletableFuture<>();
    long id = admit(answer, deadline, expiry);
    try {
      channel.sendControl(message.setId(id).build());
    } catch (SandboxException e) {
      forget(id);
      answer.completeExceptionally(e);
    }
    ChannelEnd end = channel.ended();
    if (end != null && forget(id)) {
      answer.completeExceptionally(Channel.lost(end));
    }
    return answer;
  }

  private synchronized long admit(
      CompletableFuture<AgentControl> answer, Duration deadline, Expiry expiry) {
    if (unanswered.size() >= MAX_UNANSWERED || channel.backlog() > MAX_BACKLOG) {
      throw new SandboxException(
          ErrorCode.TOO_MANY_REQUESTS,
          "too many requests wait for this sandbox; try again when some have ended");
    }
    long id = ++lastId;
    long framesBefore = channel.framesRead();
    SelectorLoop.Cancellable timer =
        channel.loop().schedule(deadline, () -> expire(id, expiry, framesBefore));
    unanswered.put(id, new Request(answer, timer));
    return id;
  }

  /// Gives an answer to whoever waits for it; one that nobody waits for is dropped.
  void answer(AgentControl message) {
    Request request = take(message.getId());
    if (request == null) {
      return;
    }
    if (message.hasFailure()) {
      request.answer.completeExceptionally(AgentWords.failure(message.getFailure()));
    } else {
      request.answer.complete(message);
    }
  }

  /// Fails all.
  void end(ChannelEnd reason) {
    List<Request> all;
    synchronized (this) {
      all = new ArrayList<>(unanswered.values());
      unanswered.clear();
    }
    for (Request request : all) {
      request.deadline.cancel();
      request.answer.completeExceptionally(Channel.lost(reason));
    }
  }

  private void expire(long id, Expiry expiry, long framesBefore) {
    Request request = take(id);
    if (request == null) {
      return;
    }
    ChannelEnd end =
        new ChannelEnd(ChannelEnd.Cause.UNANSWERED, "a request went past its deadline");
    if (expiry == Expiry.ALWAYS || channel.framesRead() > framesBefore) {
      channel.end(end);
    }
    request.answer.completeExceptionally(Channel.lost(end));
  }

  private boolean forget(long id) {
    return take(id) != null;
  }

  private @org.jspecify.annotations.Nullable Request take(long id) {
    Request request;
    synchronized (this) {
      request = unanswered.remove(id);
    }
    if (request != null) {
      request.deadline.cancel();
    }
    return request;
  }
}
