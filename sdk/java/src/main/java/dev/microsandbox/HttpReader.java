package dev.microsandbox;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/// Reads HTTP/1.1 answers from a connection's bytes: status line, headers, body by length, by
/// chunks or until the end.
final class HttpReader {
  private static final int MAXIMUM_LINE = 16 * 1024;
  private static final int MAXIMUM_HEADERS = 100;

  private final InputStream in;

  HttpReader(InputStream in) {
    this.in = in;
  }

  /// @param keepAlive whether the connection may be used again once the body has been read
  record Head(int status, Map<String, String> headers, boolean keepAlive) {}

  Head readHead() throws IOException {
    String[] status = line().split(" ", 3);
    if (status.length < 2 || !status[0].startsWith("HTTP/1.")) {
      throw new IOException("not an HTTP answer");
    }
    Map<String, String> headers = new HashMap<>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      if (colon <= 0 || headers.size() >= MAXIMUM_HEADERS) {
        throw new IOException("broken headers in an HTTP answer");
      }
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    boolean keepAlive = !"close".equalsIgnoreCase(headers.get("connection"));
    return new Head((int) number(status[1], 10), headers, keepAlive);
  }

  /// The body's bytes; its end is the end of the stream.
  InputStream body(Head head) throws IOException {
    if (head.status() == 204 || head.status() == 304) {
      return InputStream.nullInputStream();
    }
    if ("chunked".equalsIgnoreCase(head.headers().get("transfer-encoding"))) {
      return new ChunkedBody();
    }
    String length = head.headers().get("content-length");
    return length == null ? in : new LengthBody(number(length, 10));
  }

  private static long number(String text, int radix) throws IOException {
    try {
      long number = Long.parseLong(text.strip(), radix);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new IOException("broken numbers in an HTTP answer", e);
    }
    throw new IOException("negative numbers in an HTTP answer");
  }

  private String line() throws IOException {
    byte[] line = new byte[256];
    int size = 0;
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (size == MAXIMUM_LINE) {
        throw new IOException("an endless line in an HTTP answer");
      }
      if (size == line.length) {
        line = java.util.Arrays.copyOf(line, size * 2);
      }
      line[size++] = (byte) b;
    }
    int end = size > 0 && line[size - 1] == '\r' ? size - 1 : size;
    return new String(line, 0, end, StandardCharsets.ISO_8859_1);
  }

  private final class LengthBody extends InputStream {
    private long left;

    LengthBody(long length) {
      left = length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (left == 0) {
        return -1;
      }
      int read = in.read(target, offset, (int) Math.min(length, left));
      if (read < 0) {
        throw new EOFException("the server closed the connection within an answer");
      }
      left -= read;
      return read;
    }
  }

  private final class ChunkedBody extends InputStream {
    private long left;
    private boolean first = true;
    private boolean ended;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (left == 0 && !ended) {
        nextChunk();
      }
      if (ended) {
        return -1;
      }
      int read = in.read(target, offset, (int) Math.min(length, left));
      if (read < 0) {
        throw new EOFException("the server closed the connection within an answer");
      }
      left -= read;
      return read;
    }

    private void nextChunk() throws IOException {
      if (!first) {
        line();
      }
      first = false;
      String size = line();
      int semicolon = size.indexOf(';');
      left = number(semicolon < 0 ? size : size.substring(0, semicolon), 16);
      if (left == 0) {
        while (!line().isEmpty()) {
          // trailers are of no interest
        }
        ended = true;
      }
    }
  }
}
