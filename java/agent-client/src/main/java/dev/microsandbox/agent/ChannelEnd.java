package dev.microsandbox.agent;

/// Why a connection to an agent is over.
///
/// @param detail for the log; may quote what a tenant sent, escaped and shortened
public record ChannelEnd(Cause cause, String detail) {
  /// What ended it.
  public enum Cause {
    /// This end closed it.
    CLOSED,
    /// The other end closed it, or it broke.
    LOST,
    /// The other end broke a rule of the protocol.
    RULE_BROKEN,
    /// A request went past its own deadline.
    UNANSWERED
  }
}
