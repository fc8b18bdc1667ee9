package dev.microsandbox.agent;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.FileContent;
import dev.microsandbox.agent.wire.HostControl;
import dev.microsandbox.agent.wire.ReadFile;
import dev.microsandbox.agent.wire.WriteFile;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayOutputStream;
import java.time.Duration;

/// Reads and writes a whole small file by requests of at most 60 KiB.
final class SmallFileTransfer {
  private static final int PART = 61_440;
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  private final Requesting agent;

  /// Sends a request and waits for its answer.
  interface Requesting {
    AgentControl answer(HostControl.Builder message, Duration deadline);
  }

  SmallFileTransfer(Requesting agent) {
    this.agent = agent;
  }

  byte[] read(String path, String user, int limit) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    while (true) {
      FileContent part = part(path, user, content.size());
      content.writeBytes(part.getContent().toByteArray());
      if (content.size() > limit || part.getSize() > limit) {
        throw new SandboxException(
            ErrorCode.FILE_TOO_LARGE, "the file is larger than the " + limit + " bytes allowed");
      }
      if (part.getEnd() || part.getContent().isEmpty()) {
        return content.toByteArray();
      }
    }
  }

  private FileContent part(String path, String user, int offset) {
    ReadFile.Builder read =
        ReadFile.newBuilder().setPath(path).setUser(user).setOffset(offset).setLimit(PART);
    AgentControl answer = agent.answer(HostControl.newBuilder().setReadFile(read), DEADLINE);
    if (!answer.hasFileContent() || answer.getFileContent().getContent().size() > PART) {
      throw unexpected();
    }
    return answer.getFileContent();
  }

  void write(String path, byte[] content, FileMode mode) {
    ByteString id = HostWords.bytes(ObjectId.random());
    int offset = 0;
    do {
      int length = Math.min(PART, content.length - offset);
      WriteFile.Builder part =
          WriteFile.newBuilder()
              .setPath(path)
              .setContent(ByteString.copyFrom(content, offset, length))
              .setOffset(offset)
              .setLast(offset + length == content.length)
              .setMode(mode.permissions())
              .setMakeDirectories(mode.makeDirectories())
              .setUser(mode.user())
              .setWriteId(id);
      if (!agent.answer(HostControl.newBuilder().setWriteFile(part), DEADLINE).hasDone()) {
        throw unexpected();
      }
      offset += length;
    } while (offset < content.length);
  }

  private static SandboxException unexpected() {
    return new SandboxException(
        ErrorCode.AGENT_LOST, "the sandbox's agent answers something else; create another sandbox");
  }
}
