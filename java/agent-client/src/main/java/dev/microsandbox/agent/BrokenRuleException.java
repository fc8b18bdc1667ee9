package dev.microsandbox.agent;

import java.io.Serial;

/// The other end has broken a rule of `spec/channel.md`; the channel has to end.
final class BrokenRuleException extends Exception {
  @Serial private static final long serialVersionUID = 1;

  BrokenRuleException(String message) {
    super(message);
  }

  String message() {
    return String.valueOf(getMessage());
  }

  /// Throws unless the rule holds; the message says what was seen instead.
  static void require(boolean holds, String otherwise) throws BrokenRuleException {
    if (!holds) {
      throw new BrokenRuleException(otherwise);
    }
  }
}
