package dev.microsandbox.engine;

import java.util.List;

/// Who may use the server.
public interface KeyService {

  /// Makes a key for an owner.
  NewApiKey createKey(String owner, String name);

  /// All keys, the newest first; revoked ones too.
  List<ApiKey> keys();

  /// Makes a key useless from now on. Harmless for one that is revoked already.
  ///
  /// @throws dev.microsandbox.model.SandboxException `key_not_found`
  void revokeKey(String id);

  /// Whose key this is.
  ///
  /// @throws dev.microsandbox.model.SandboxException `invalid_key` for anything but a good key, in
  ///   the same words and the same time whatever is wrong with it
  Caller authenticate(String secret);
}
