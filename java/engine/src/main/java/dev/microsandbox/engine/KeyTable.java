package dev.microsandbox.engine;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Rows of `api_keys`. Each method is one transaction.
final class KeyTable {
  private final Database database;

  KeyTable(Database database) {
    this.database = database;
  }

  /// @param hash SHA-256 of the secret, which itself is stored nowhere
  record Row(ApiKey key, byte[] hash) {}

  void insert(Row row) {
    database.write(statements -> {
      PreparedStatement statement =
          statements.of("INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?)");
      ApiKey key = row.key();
      statement.setString(1, key.id());
      statement.setString(2, key.name());
      statement.setString(3, key.owner());
      statement.setBytes(4, row.hash());
      statement.setLong(5, key.createdAt().toEpochMilli());
      statement.executeUpdate();
    });
  }

  List<Row> all() {
    return database.transaction(statements -> {
      List<Row> all = new ArrayList<>();
      try (ResultSet rows =
          statements.of("SELECT * FROM api_keys ORDER BY created_at DESC, id").executeQuery()) {
        while (rows.next()) {
          all.add(read(rows));
        }
      }
      return all;
    });
  }

  void used(String id, Instant now) {
    setTime("UPDATE api_keys SET last_used_at = ? WHERE id = ?", id, now);
  }

  void revoked(String id, Instant now) {
    setTime("UPDATE api_keys SET revoked_at = ? WHERE id = ?", id, now);
  }

  private void setTime(String sql, String id, Instant now) {
    database.write(statements -> {
      PreparedStatement statement = statements.of(sql);
      statement.setLong(1, now.toEpochMilli());
      statement.setString(2, id);
      statement.executeUpdate();
    });
  }

  private static Row read(ResultSet row) throws SQLException {
    ApiKey key =
        new ApiKey(
            row.getString("id"),
            row.getString("name"),
            row.getString("owner"),
            Instant.ofEpochMilli(row.getLong("created_at")),
            time(row, "last_used_at"),
            time(row, "revoked_at"));
    return new Row(key, row.getBytes("hash"));
  }

  private static @Nullable Instant time(ResultSet row, String column) throws SQLException {
    long millis = row.getLong(column);
    return row.wasNull() ? null : Instant.ofEpochMilli(millis);
  }
}
