package dev.microsandbox.engine;

/// A key just made. The secret is shown this once and kept nowhere.
///
/// @param secret `msb_` and 43 characters
public record NewApiKey(ApiKey key, String secret) {
  /// Without the secret, which belongs into no log.
  @Override
  public String toString() {
    return "NewApiKey[" + key.id() + "]";
  }
}
