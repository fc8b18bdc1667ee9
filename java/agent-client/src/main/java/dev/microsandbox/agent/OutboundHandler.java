package dev.microsandbox.agent;

import java.net.InetAddress;

/// Decides about and carries a sandbox's outbound connections. Called by the thread that reads the
/// channel; must not wait.
public interface OutboundHandler {

  /// A program wants to connect. The handler calls [OutboundStream#accept] or
  /// [OutboundStream#refuse] later, from any thread, and does so within the connection's own time
  /// limit.
  void onConnect(InetAddress address, int port, OutboundStream stream);

  /// A resolver's message. The handler answers later, from any thread.
  void onDnsQuery(byte[] message, boolean tcp, DnsReply reply);

  /// The channel is gone, and with it all streams; called once, after each stream's own `onReset`.
  void onChannelEnded();

  /// Takes the answer to a resolver's message.
  interface DnsReply {
    /// @param message empty where no answer shall come
    void answer(byte[] message);
  }
}
