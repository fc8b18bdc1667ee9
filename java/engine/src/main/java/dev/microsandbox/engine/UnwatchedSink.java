package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/// Of a run that nobody waits for: keeps nothing and holds nothing up.
final class UnwatchedSink implements RunSink {
  @Override
  public void started() {}

  @Override
  public int output(RunEvent.Source source, ByteBuffer bytes, long offset) {
    return bytes.remaining();
  }

  @Override
  public void result(Map<String, String> data, List<String> omitted) {}

  @Override
  public void raised(RunResult.RunError error) {}

  @Override
  public void finished(RunEvent.Finished end) {}

  @Override
  public void failed(SandboxException reason) {}

  @Override
  public int release() {
    return 0;
  }
}
