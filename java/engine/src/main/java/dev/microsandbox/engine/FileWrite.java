package dev.microsandbox.engine;

/// How a file is to be written into a sandbox.
///
/// @param path relative to the user's home, or absolute
/// @param permissions such as 0644
/// @param user whose rights apply and who owns it; `sandbox` where empty
public record FileWrite(String path, int permissions, boolean makeDirectories, String user) {
  /// For the sandbox's user, readable by all, with its directories.
  public static FileWrite of(String path) {
    return new FileWrite(path, 0644, true, "");
  }
}
