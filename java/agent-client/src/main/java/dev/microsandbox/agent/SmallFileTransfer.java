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
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Files by requests of at most 60 KiB each, for agents from before whole files were streams: those
/// of sandboxes that an earlier server has left.
final class SmallFileTransfer {
  private static final int PART = 61_440;
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  private SmallFileTransfer() {}

  /// Sends a request and waits for its answer.
  interface Requesting {
    AgentControl answer(HostControl.Builder message, Duration deadline);
  }

  static FileDownload download(Requesting agent, String path, String user) {
    return new Download(agent, path, user);
  }

  static FileUpload upload(Requesting agent, String path, FileMode mode) {
    return new Upload(agent, path, mode);
  }

  private static SandboxException unexpected() {
    return new SandboxException(
        ErrorCode.AGENT_LOST, "the sandbox's agent answers something else; create another sandbox");
  }

  private static final class Download implements FileDownload {
    private final Requesting agent;
    private final String path;
    private final String user;
    private final long size;
    private FileContent part;
    private long offset;
    private boolean taken;

    Download(Requesting agent, String path, String user) {
      this.agent = agent;
      this.path = path;
      this.user = user;
      part = request();
      // Files of /proc say that they are empty.
      size = part.getSize() <= 0 && !part.getContent().isEmpty() ? -1 : part.getSize();
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public @Nullable ByteBuffer next() {
      if (taken) {
        offset += part.getContent().size();
        if (part.getEnd() || (size >= 0 && offset >= size)) {
          return ended();
        }
        part = request();
      }
      taken = true;
      if (part.getContent().isEmpty()) {
        return ended();
      }
      ByteBuffer content = part.getContent().asReadOnlyByteBuffer();
      // What it has grown by since it was opened is no part of what was announced.
      return size < 0 ? content : content.slice(0, (int) Math.min(content.limit(), size - offset));
    }

    private @Nullable ByteBuffer ended() {
      if (offset < size) {
        throw new SandboxException(
            ErrorCode.INVALID_REQUEST, "the file became shorter while it was read; read it again");
      }
      return null;
    }

    private FileContent request() {
      ReadFile.Builder read =
          ReadFile.newBuilder().setPath(path).setUser(user).setOffset(offset).setLimit(PART);
      AgentControl answer = agent.answer(HostControl.newBuilder().setReadFile(read), DEADLINE);
      if (!answer.hasFileContent() || answer.getFileContent().getContent().size() > PART) {
        throw unexpected();
      }
      return answer.getFileContent();
    }

    @Override
    public void close() {}
  }

  /// One that is given up leaves its temporary file, for such an agent has no word to remove it.
  private static final class Upload implements FileUpload {
    private final Requesting agent;
    private final String path;
    private final FileMode mode;
    private final ByteString id = HostWords.bytes(ObjectId.random());
    private final ByteBuffer part = ByteBuffer.allocate(PART);
    private long offset;

    Upload(Requesting agent, String path, FileMode mode) {
      this.agent = agent;
      this.path = path;
      this.mode = mode;
    }

    @Override
    public void write(ByteBuffer piece) {
      while (piece.hasRemaining()) {
        if (!part.hasRemaining()) {
          send(false);
        }
        int length = Math.min(part.remaining(), piece.remaining());
        part.put(piece.slice(piece.position(), length));
        piece.position(piece.position() + length);
      }
    }

    @Override
    public void finish() {
      send(true);
    }

    private void send(boolean last) {
      WriteFile.Builder message =
          WriteFile.newBuilder()
              .setPath(path)
              .setContent(ByteString.copyFrom(part.flip()))
              .setOffset(offset)
              .setLast(last)
              .setMode(mode.permissions())
              .setMakeDirectories(mode.makeDirectories())
              .setUser(mode.user())
              .setWriteId(id);
      offset += part.limit();
      part.clear();
      if (!agent.answer(HostControl.newBuilder().setWriteFile(message), DEADLINE).hasDone()) {
        throw unexpected();
      }
    }

    @Override
    public void close() {}
  }
}
