package dev.microsandbox.engine;

import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxId;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Rows of `runs`. The methods run within a caller's transaction.
final class RunRecordTable {
  private static final String INSERT =
      """
      INSERT OR REPLACE INTO runs SELECT ?, ?, ?, ?, ?, ?, ?
      WHERE EXISTS (SELECT 1 FROM footholds WHERE sandbox_id = ?)
      """;

  private RunRecordTable() {}

  /// Only of sandboxes that run still.
  static void insert(Statements statements, List<RunRecord> runs) throws SQLException {
    PreparedStatement statement = statements.of(INSERT);
    for (RunRecord run : runs) {
      Columns columns = new Columns(statement);
      columns.text(run.sandbox().value());
      columns.text(run.id().value());
      columns.text(run.context());
      columns.number(run.keepRunning() ? 1 : 0);
      columns.time(run.began());
      columns.time(run.deadline());
      columns.number(run.oomKills());
      columns.text(run.sandbox().value());
      statement.executeUpdate();
    }
  }

  static void delete(Statements statements, List<RunRecord> runs) throws SQLException {
    PreparedStatement statement = statements.of("DELETE FROM runs WHERE sandbox_id = ? AND id = ?");
    for (RunRecord run : runs) {
      statement.setString(1, run.sandbox().value());
      statement.setString(2, run.id().value());
      statement.executeUpdate();
    }
  }

  static void deleteAll(Statements statements, SandboxId id) throws SQLException {
    PreparedStatement statement = statements.of("DELETE FROM runs WHERE sandbox_id = ?");
    statement.setString(1, id.value());
    statement.executeUpdate();
  }

  static Map<SandboxId, List<RunRecord>> all(Statements statements) throws SQLException {
    Map<SandboxId, List<RunRecord>> all = new HashMap<>();
    try (ResultSet rows = statements.of("SELECT * FROM runs").executeQuery()) {
      while (rows.next()) {
        RunRecord run = read(rows);
        all.computeIfAbsent(run.sandbox(), _ -> new ArrayList<>()).add(run);
      }
    }
    return all;
  }

  private static RunRecord read(ResultSet row) throws SQLException {
    long deadline = row.getLong("deadline");
    boolean limited = !row.wasNull();
    return new RunRecord(
        new SandboxId(row.getString("sandbox_id")),
        new ObjectId(row.getString("id")),
        row.getString("context"),
        row.getInt("keep_running") != 0,
        Instant.ofEpochMilli(row.getLong("began_at")),
        limited ? Instant.ofEpochMilli(deadline) : null,
        row.getLong("oom_kills"));
  }
}
