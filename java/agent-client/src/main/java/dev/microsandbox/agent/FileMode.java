package dev.microsandbox.agent;

/// How a file is written.
///
/// @param permissions such as 0644
/// @param user whose rights apply and who owns it; `sandbox` where empty
public record FileMode(int permissions, boolean makeDirectories, String user) {
  public static final FileMode DEFAULT = new FileMode(0644, true, "");
}
