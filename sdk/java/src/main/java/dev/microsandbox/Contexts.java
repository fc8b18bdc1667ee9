package dev.microsandbox;

import java.util.List;

/// The contexts of a sandbox: interpreters, each with a state of its own.
public final class Contexts {
  private final Session session;

  Contexts(Session session) {
    this.session = session;
  }

  /// Opens a further context.
  ///
  /// @param language `python` or `node`, as far as the image has them
  public Context open(String language) {
    return open(language, ContextOptions.DEFAULT);
  }

  /// Opens a further context.
  ///
  /// @throws SandboxException `unknown_language`, `interpreter_failed` and others
  public Context open(String language, ContextOptions options) {
    return new Context(
        session, ContextInfo.of(session.json(session.post("/contexts", options.toJson(language)))));
  }

  /// All contexts, those that every sandbox has too.
  public List<ContextInfo> list() {
    return session.json(session.get("/contexts")).objects("contexts", ContextInfo::of);
  }

  /// Ends an interpreter; its state is lost.
  ///
  /// @throws SandboxException `context_not_found`
  public void close(String id) {
    session.bytes(Call.delete(session.path("/contexts/" + Call.escape(id), new Query())));
  }
}
