package dev.microsandbox.app;

import java.util.logging.LogManager;

/// Keeps the log open to the very end: the usual one closes it as soon as the process is told to
/// end, and nothing would be heard of how it went.
///
/// Public, and with a public constructor, because the logging system makes it by name.
public final class LastingLogManager extends LogManager {
  @Override
  public void reset() {
    // Never: the handlers write every line at once and hold nothing back.
  }
}
