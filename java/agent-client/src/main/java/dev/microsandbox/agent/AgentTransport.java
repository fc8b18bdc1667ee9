package dev.microsandbox.agent;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/// Byte streams to one sandbox's agent, whoever dials. Handed out by an isolation driver.
///
/// At most one connection is current: while it lives, further ones are closed unread, at a limited
/// rate.
public interface AgentTransport extends AutoCloseable {

  /// Waits for the next connection.
  ///
  /// @throws java.net.SocketTimeoutException when none came in time
  /// @throws IOException when the transport is closed
  SocketChannel next(Duration timeout) throws IOException;

  /// What the agent must say in its hello, where the transport does not prove who is there; else
  /// empty.
  byte[] secret();

  @Override
  void close();
}
