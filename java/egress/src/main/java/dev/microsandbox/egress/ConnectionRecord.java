package dev.microsandbox.egress;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;

/// An outbound connection, for the sandbox's log: written when it is refused, and when it ends.
///
/// @param names under which the sandbox knew the address, the latest first; maybe none
/// @param sent bytes from the sandbox
/// @param received bytes to the sandbox
/// @param reason why it was denied or failed; empty for one that stood
public record ConnectionRecord(
    Verdict verdict,
    InetAddress address,
    int port,
    List<String> names,
    long sent,
    long received,
    Duration duration,
    String reason) {

  /// What became of it.
  public enum Verdict {
    /// It stood, and has ended.
    CARRIED,
    /// The policy forbids it.
    DENIED,
    /// The other end refused it, was not reached, or did not answer.
    FAILED,
    /// Too many at once.
    LIMITED
  }

  /// The record as a line for people.
  public String line() {
    String where = (names.isEmpty() ? "" : names.getFirst() + " ") + shown();
    return switch (verdict) {
      case CARRIED ->
          "connection to %s: %d bytes sent, %d received in %.1f s"
              .formatted(where, sent, received, duration.toMillis() / 1000.0);
      case DENIED -> "connection to " + where + " denied: " + reason;
      case FAILED -> "connection to " + where + " failed: " + reason;
      case LIMITED -> "connection to " + where + " not made: " + reason;
    };
  }

  private String shown() {
    String text = address.getHostAddress();
    return (text.indexOf(':') < 0 ? text : "[" + text + "]") + ":" + port;
  }
}
