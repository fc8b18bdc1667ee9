package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/// Takes what a run does, in order, one call at a time. Must not wait.
interface RunSink {
  void started();

  /// @param bytes valid during the call only
  /// @return how many more bytes may come at once
  int output(RunEvent.Source source, ByteBuffer bytes, long offset);

  void result(Map<String, String> data, List<String> omitted);

  void raised(RunResult.RunError error);

  /// The end; nothing follows.
  void finished(RunEvent.Finished end);

  /// It could not be started, or the view of it is lost; nothing follows.
  void failed(SandboxException reason);

  /// Never holds the program up again, keeping what fits.
  ///
  /// @return how many more bytes may come at once
  int release();
}
