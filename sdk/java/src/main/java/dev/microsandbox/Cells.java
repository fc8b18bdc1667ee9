package dev.microsandbox;

import org.jspecify.annotations.Nullable;

/// The calls that run cells, of a sandbox and of its contexts.
final class Cells {
  private Cells() {}

  /// @param language of the default context where the options name none
  static Execution run(
      Session session, String code, @Nullable String language, RunOptions options) {
    Call call = session.post("/runs", options.toJson(code, language));
    return Execution.of(session.json(call.withinRun(options.timeout())));
  }

  /// @param language of the default context where the options name none
  static EventReader events(
      Session session, String code, @Nullable String language, RunOptions options) {
    String path = session.path("/runs", new Query().add("encoding", "base64"));
    Call call = Call.post(path, options.toJson(code, language));
    return session.events(call.withinRun(options.timeout()));
  }

  static EventReader attach(Session session, String runId, long offset) {
    Query query = new Query().add("encoding", "base64").add("offset", offset);
    return session.events(Call.get(session.path("/runs/" + Call.escape(runId), query)));
  }
}
