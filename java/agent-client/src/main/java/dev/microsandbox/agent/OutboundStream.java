package dev.microsandbox.agent;

import java.nio.ByteBuffer;

/// One outbound connection, the sandbox's half of it.
public interface OutboundStream {

  /// The connection stands. From now on the receiver gets what the program sends.
  ///
  /// @param window bytes that may come before more are granted
  void accept(Receiver receiver, int window);

  void refuse(Refusal reason);

  /// Sends as much of the buffer as credit and the channel allow, and returns the number of bytes
  /// taken, maybe 0; then [Receiver#onWritable] is called once there is room again.
  int write(ByteBuffer bytes);

  /// No more bytes will be written (the server's FIN).
  void end();

  /// Both directions are gone (the server's RST).
  void reset();

  /// Lets `bytes` more come from the program: what has been taken, and beyond that as far as the
  /// channel has room.
  void grant(int bytes);

  /// Why a connection is not made.
  enum Refusal {
    REFUSED,
    DENIED,
    UNREACHABLE,
    TIMED_OUT,
    LIMIT
  }

  /// Gets the program's half. Called by the thread that reads the channel; must not wait, must copy
  /// what it keeps.
  interface Receiver {
    void onData(ByteBuffer bytes);

    /// The program has finished sending.
    void onEnd();

    void onReset();

    /// There is room again after a [OutboundStream#write] that did not take all.
    void onWritable();
  }
}
