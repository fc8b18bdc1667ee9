package dev.microsandbox.agent;

import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/// What happens to a cell or process, in order. Called by the thread that reads the channel, for
/// one stream never by two at once: it must not wait, and must copy what it keeps of a buffer.
public interface ObjectListener {
  /// The offset from which output will come: later than asked for where the kept tail is shorter.
  default void onOpened(long offset) {}

  /// @param cellNumber 0 for a process
  void onStarted(int pid, int cellNumber);

  void onOutput(Lane lane, ByteBuffer bytes);

  /// The value of the last expression: MIME type to text (binary forms in base64).
  ///
  /// @param omitted MIME types left out for their size
  void onResult(Map<String, String> data, List<String> omitted);

  /// What a cell raised.
  void onError(String name, String message, String traceback);

  /// The end of the object; nothing follows.
  void onFinished(ObjectEnd end);

  /// The end of the view without the end of the object: the agent refused it, or the channel is
  /// gone. Nothing follows.
  void onLost(SandboxException reason);
}
