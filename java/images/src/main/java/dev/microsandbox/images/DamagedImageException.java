package dev.microsandbox.images;

import java.io.Serial;

/// Something in the store is not as a finished build leaves it. The message says what, without
/// paths.
final class DamagedImageException extends Exception {
  @Serial private static final long serialVersionUID = 1;

  DamagedImageException(String message) {
    super(message);
  }

  DamagedImageException(String message, Throwable cause) {
    super(message, cause);
  }
}
