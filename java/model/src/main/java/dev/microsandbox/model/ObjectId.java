package dev.microsandbox.model;

import java.security.SecureRandom;
import java.util.HexFormat;

/// Identifies a cell's run or a process within its sandbox: 32 hexadecimal digits, given by the
/// host.
public record ObjectId(String value) {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int BYTES = 16;

  public ObjectId {
    if (value.length() != 2 * BYTES || !value.matches("[0-9a-f]+")) {
      throw new IllegalArgumentException("not an object id: " + value);
    }
  }

  public static ObjectId random() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return of(bytes);
  }

  public static ObjectId of(byte[] bytes) {
    return new ObjectId(HexFormat.of().formatHex(bytes));
  }

  public byte[] toBytes() {
    return HexFormat.of().parseHex(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
