package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

/// The types of frames, in the order of their numbers on the wire, from 1.
public enum FrameType {
  CONTROL,
  OPEN,
  OPENED,
  DATA,
  EVENT,
  CREDIT,
  END,
  RESET;

  private static final FrameType[] ALL = values();

  byte number() {
    return (byte) (ordinal() + 1);
  }

  static FrameType of(byte number) throws BrokenRuleException {
    require(number >= 1 && number <= ALL.length, "unknown frame type " + (number & 0xff));
    return ALL[number - 1];
  }
}
