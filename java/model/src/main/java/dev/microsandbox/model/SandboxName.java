package dev.microsandbox.model;

/// A sandbox's name, or a namespace's: 1 to 63 of `A-Z a-z 0-9 - _`, the first a letter or digit.
///
/// The rule and the wording of its errors are those of the original system, whose clients show
/// them.
public record SandboxName(String value) {
  private static final int MAXIMUM_LENGTH = 63;

  public SandboxName {
    check(value, "sandbox name");
  }

  /// Checks a text against the same rule under another title, such as `namespace`.
  public static String check(String text, String title) {
    if (text.isEmpty()) {
      throw invalid(title + " cannot be empty");
    }
    if (text.length() > MAXIMUM_LENGTH) {
      throw invalid(title + " cannot exceed 63 characters");
    }
    if (!text.chars().allMatch(SandboxName::allowed)) {
      throw invalid(title + " can only contain alphanumeric characters, hyphens, or underscores");
    }
    if (!alphanumeric(text.charAt(0))) {
      throw invalid(title + " must start with an alphanumeric character");
    }
    return text;
  }

  private static boolean allowed(int c) {
    return alphanumeric(c) || c == '-' || c == '_';
  }

  private static boolean alphanumeric(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  private static SandboxException invalid(String message) {
    return new SandboxException(ErrorCode.INVALID_NAME, message);
  }

  @Override
  public String toString() {
    return value;
  }
}
