package dev.microsandbox.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// What is to be sent on one channel. A frame goes straight to the socket from the thread that
/// sends it; only what the socket does not take waits here. Stream 0 goes first, the others take
/// turns, a frame each.
///
/// Not safe for threads by itself: guarded by the channel's lock.
final class SendQueue {
  /// More than this of control and credit frames waiting means that the agent has stopped reading.
  static final int MAX_BACKLOG = 16 << 20;

  private static final int BATCH_FRAMES = 16;
  private static final int BATCH_BYTES = 128 * 1024;

  private final GatheringByteChannel socket;
  private final ArrayDeque<ByteBuffer> control = new ArrayDeque<>();
  private final ArrayDeque<Outbox> turns = new ArrayDeque<>();
  private final Set<ChannelStream> waitingForRoom = new LinkedHashSet<>();
  private final ByteBuffer[] batch = new ByteBuffer[BATCH_FRAMES];
  private int batchFrom;
  private int batchTo;
  private long queuedBytes;

  SendQueue(GatheringByteChannel socket) {
    this.socket = socket;
  }

  /// The frames of one stream that wait for their turn.
  static final class Outbox {
    private final ArrayDeque<ByteBuffer> frames = new ArrayDeque<>();
    private int bytes;
    private boolean inTurn;

    boolean isFull() {
      return bytes >= Frames.MAX_PAYLOAD;
    }
  }

  boolean isEmpty() {
    return queuedBytes == 0;
  }

  /// Whether somebody is to hear of the socket's next room: frames that wait, or a stream, which
  /// may wait while another's frames have just gone.
  boolean isAwaited() {
    return !isEmpty() || !waitingForRoom.isEmpty();
  }

  long queuedBytes() {
    return queuedBytes;
  }

  /// Sends bytes that are no frame, or a frame of stream 0.
  void sendControl(ByteBuffer frame) throws IOException {
    queueControl(frame);
    flush();
  }

  void send(Outbox box, ByteBuffer frame) throws IOException {
    queue(box, frame);
    flush();
  }

  /// Sends up to `limit` bytes as DATA frames, as far as the stream's outbox has room; returns the
  /// number of bytes taken from the buffer.
  int sendData(Outbox box, int stream, ByteBuffer bytes, int limit) throws IOException {
    int taken = 0;
    while (taken < limit && !box.isFull()) {
      int length = Math.min(Frames.MAX_PAYLOAD, limit - taken);
      ByteBuffer payload = bytes.slice(bytes.position(), length);
      ByteBuffer header = Frames.dataHeader(stream, length);
      if (isEmpty()) {
        writeNow(box, header, payload);
      } else {
        queue(box, joined(header, payload));
        flush();
      }
      bytes.position(bytes.position() + length);
      taken += length;
    }
    return taken;
  }

  /// The same, but nothing where something waits already: what does not go to the socket at once
  /// has to be copied.
  int sendDataAtOnce(Outbox box, int stream, ByteBuffer bytes, int limit) throws IOException {
    int taken = 0;
    flush(); // what was left for the next frame
    while (taken < limit && isEmpty()) {
      taken += sendData(box, stream, bytes, Math.min(Frames.MAX_PAYLOAD, limit - taken));
    }
    return taken;
  }

  /// The stream's `writable` is to be called once its outbox has drained.
  void notifyOfRoom(ChannelStream stream) {
    waitingForRoom.add(stream);
  }

  /// Streams that waited for room and have it now.
  List<ChannelStream> takeThoseWithRoom() {
    if (waitingForRoom.isEmpty()) {
      return List.of();
    }
    List<ChannelStream> ready = new ArrayList<>();
    waitingForRoom.removeIf(stream -> stream.outbox.bytes == 0 && ready.add(stream));
    return ready;
  }

  /// Forgets what a stream had queued (a frame already begun is finished).
  void drop(ChannelStream stream) {
    queuedBytes -= stream.outbox.bytes;
    stream.outbox.bytes = 0;
    stream.outbox.frames.clear();
    waitingForRoom.remove(stream);
  }

  /// Writes as much as the socket takes.
  void flush() throws IOException {
    while (!isEmpty()) {
      if (batchFrom == batchTo) {
        fillBatch();
      }
      queuedBytes -= socket.write(batch, batchFrom, batchTo - batchFrom);
      while (batchFrom < batchTo && !batch[batchFrom].hasRemaining()) {
        batchFrom++;
      }
      if (batchFrom < batchTo) {
        return; // the socket is full
      }
    }
  }

  private void writeNow(Outbox box, ByteBuffer header, ByteBuffer payload) throws IOException {
    ByteBuffer[] both = {header, payload};
    socket.write(both, 0, 2);
    if (header.hasRemaining() || payload.hasRemaining()) {
      // The rest of a frame that has been begun comes before everything else.
      batch[0] = joined(header, payload);
      batchFrom = 0;
      batchTo = 1;
      queuedBytes = batch[0].remaining();
    }
  }

  /// Leaves a frame of stream 0 to the next flush.
  void queueControl(ByteBuffer frame) {
    queuedBytes += frame.remaining();
    control.add(frame);
  }

  /// Leaves a frame to the next flush.
  void queue(Outbox box, ByteBuffer frame) {
    queuedBytes += frame.remaining();
    box.bytes += frame.remaining();
    box.frames.add(frame);
    if (!box.inTurn) {
      box.inTurn = true;
      turns.add(box);
    }
  }

  private void fillBatch() {
    batchFrom = 0;
    batchTo = 0;
    int bytes = 0;
    while (batchTo < BATCH_FRAMES && bytes < BATCH_BYTES) {
      ByteBuffer next = nextFrame();
      if (next == null) {
        return;
      }
      batch[batchTo++] = next;
      bytes += next.remaining();
    }
  }

  private @org.jspecify.annotations.Nullable ByteBuffer nextFrame() {
    ByteBuffer first = control.poll();
    if (first != null) {
      return first;
    }
    for (Outbox box = turns.poll(); box != null; box = turns.poll()) {
      ByteBuffer frame = box.frames.poll();
      box.inTurn = !box.frames.isEmpty();
      if (box.inTurn) {
        turns.add(box);
      }
      if (frame != null) {
        box.bytes -= frame.remaining();
        return frame;
      }
    }
    return null;
  }

  private static ByteBuffer joined(ByteBuffer header, ByteBuffer payload) {
    return ByteBuffer.allocate(header.remaining() + payload.remaining())
        .put(header)
        .put(payload)
        .flip();
  }
}
