package dev.microsandbox.engine;

/// A small file to be written into a sandbox, in one step as far as others can see.
///
/// @param path relative to the user's home, or absolute
/// @param permissions such as 0644
/// @param user whose rights apply and who owns it; `sandbox` where empty
public record FileWrite(
    String path, byte[] content, int permissions, boolean makeDirectories, String user) {
  /// For the sandbox's user, readable by all, with its directories.
  public static FileWrite of(String path, byte[] content) {
    return new FileWrite(path, content, 0644, true, "");
  }
}
