package dev.microsandbox.engine;

import dev.microsandbox.isolation.ProcessMark;
import dev.microsandbox.model.SandboxId;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/// Rows of `footholds`. The methods run within a caller's transaction.
final class FootholdTable {
  private FootholdTable() {}

  static void put(Statements statements, SandboxId id, Foothold foothold) throws SQLException {
    PreparedStatement statement =
        statements.of("INSERT OR REPLACE INTO footholds VALUES (?, ?, ?, ?, ?)");
    Columns columns = new Columns(statement);
    columns.text(id.value());
    columns.text(foothold.first().text());
    columns.text(foothold.agentBootId());
    columns.number(foothold.oomKills());
    columns.time(foothold.lastUsed());
    statement.executeUpdate();
  }

  /// Brings one up to date, where there is one.
  static void used(Statements statements, SandboxId id, Instant lastUsed, long oomKills)
      throws SQLException {
    PreparedStatement statement =
        statements.of("UPDATE footholds SET last_used_at = ?, oom_kills = ? WHERE sandbox_id = ?");
    Columns columns = new Columns(statement);
    columns.time(lastUsed);
    columns.number(oomKills);
    columns.text(id.value());
    statement.executeUpdate();
  }

  static Map<SandboxId, Foothold> all(Statements statements) throws SQLException {
    Map<SandboxId, Foothold> all = new HashMap<>();
    try (ResultSet rows = statements.of("SELECT * FROM footholds").executeQuery()) {
      while (rows.next()) {
        all.put(
            new SandboxId(rows.getString("sandbox_id")),
            new Foothold(
                ProcessMark.parse(rows.getString("first_process")),
                rows.getString("agent_boot_id"),
                rows.getLong("oom_kills"),
                Instant.ofEpochMilli(rows.getLong("last_used_at"))));
      }
    }
    return all;
  }

  /// Its processes are gone, and what was under way with them.
  static void delete(Statements statements, SandboxId id) throws SQLException {
    PreparedStatement statement = statements.of("DELETE FROM footholds WHERE sandbox_id = ?");
    statement.setString(1, id.value());
    statement.executeUpdate();
  }
}
