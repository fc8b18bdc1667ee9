package dev.microsandbox;

import org.jspecify.annotations.Nullable;

/// How a file is written.
///
/// @param user with whose rights; `sandbox` where null, or `root`
/// @param mode its permissions, `0644` in octal by default
/// @param makeDirectories whether missing folders are made, which is the default
public record WriteOptions(@Nullable String user, int mode, boolean makeDirectories) {
  private static final int PLAIN = 0644;

  /// A plain file of the sandbox's user.
  public static final WriteOptions DEFAULT = new WriteOptions(null, PLAIN, true);

  /// The same with the rights of a user.
  public WriteOptions withUser(String name) {
    return new WriteOptions(name, mode, makeDirectories);
  }

  /// The same with other permissions, such as `0755`.
  public WriteOptions withMode(int permissions) {
    return new WriteOptions(user, permissions, makeDirectories);
  }

  /// The same, making missing folders or not.
  public WriteOptions withMakeDirectories(boolean made) {
    return new WriteOptions(user, mode, made);
  }
}
