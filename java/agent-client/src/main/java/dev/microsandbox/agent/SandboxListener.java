package dev.microsandbox.agent;

import java.nio.ByteBuffer;

/// What an agent tells unasked. Called by the thread that reads the channel; must not wait.
public interface SandboxListener {
  void onContextChanged(ContextInfo context);

  /// Output of a context outside of any cell.
  ///
  /// @param dropped bytes left out before this one
  void onBackgroundOutput(String contextId, Lane lane, ByteBuffer bytes, long dropped);

  /// A line for the sandbox's log, already escaped and shortened.
  void onDiagnostic(String level, String text);
}
