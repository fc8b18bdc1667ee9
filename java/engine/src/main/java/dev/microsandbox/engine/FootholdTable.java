package dev.microsandbox.engine;

import dev.microsandbox.isolation.ProcessMark;
import dev.microsandbox.model.SandboxId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/// Rows of `footholds`. The methods run within a caller's transaction.
final class FootholdTable {
  private FootholdTable() {}

  static void put(Connection connection, SandboxId id, Foothold foothold) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("INSERT OR REPLACE INTO footholds VALUES (?, ?, ?, ?, ?)")) {
      Columns columns = new Columns(statement);
      columns.text(id.value());
      columns.text(foothold.first().text());
      columns.text(foothold.agentBootId());
      columns.number(foothold.oomKills());
      columns.time(foothold.lastUsed());
      statement.executeUpdate();
    }
  }

  /// Brings one up to date, where there is one.
  static void used(Connection connection, SandboxId id, Instant lastUsed, long oomKills)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "UPDATE footholds SET last_used_at = ?, oom_kills = ? WHERE sandbox_id = ?")) {
      Columns columns = new Columns(statement);
      columns.time(lastUsed);
      columns.number(oomKills);
      columns.text(id.value());
      statement.executeUpdate();
    }
  }

  static Map<SandboxId, Foothold> all(Connection connection) throws SQLException {
    Map<SandboxId, Foothold> all = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM footholds");
        ResultSet rows = statement.executeQuery()) {
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
  static void delete(Connection connection, SandboxId id) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("DELETE FROM footholds WHERE sandbox_id = ?")) {
      statement.setString(1, id.value());
      statement.executeUpdate();
    }
  }
}
