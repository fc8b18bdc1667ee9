package dev.microsandbox.isolation;

/// A block of 65,536 host ids that belongs to one sandbox. Ids on its disk are its own, 0 to 65535;
/// only mounts shift them.
///
/// @param start the host's id for the sandbox's root
public record IdRange(int start) {
  public static final int SIZE = 65_536;

  public IdRange {
    if (start < SIZE || start % SIZE != 0) {
      throw new IllegalArgumentException("not the start of an id range: " + start);
    }
  }
}
