package dev.microsandbox.engine;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Limits;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/// Rows of `pools`: what administrators have set. Each method is one transaction.
final class PoolTable {
  private final Database database;

  PoolTable(Database database) {
    this.database = database;
  }

  void set(PoolKey key, Pool.Bounds bounds) {
    database.write(statements -> {
      PreparedStatement statement =
          statements.of("INSERT OR REPLACE INTO pools VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
      Columns columns = key(statement, key);
      columns.number(bounds.minimum());
      columns.numberOrNull(bounds.maximum());
      statement.executeUpdate();
    });
  }

  void remove(PoolKey key) {
    database.write(statements -> delete(statements, key));
  }

  private static void delete(Statements statements, PoolKey key) throws SQLException {
    PreparedStatement statement =
        statements.of(
            """
            DELETE FROM pools WHERE image = ? AND isolation = ? AND memory = ? AND cpus = ?
              AND processes = ? AND disk = ?
            """);
    var _ = key(statement, key);
    statement.executeUpdate();
  }

  private static Columns key(PreparedStatement statement, PoolKey key) throws SQLException {
    Columns columns = new Columns(statement);
    columns.text(key.image().name());
    columns.text(key.isolation().wireName());
    columns.number(key.limits().memory().bytes());
    columns.real(key.limits().cpus());
    columns.number(key.limits().processes());
    columns.number(key.limits().disk().bytes());
    return columns;
  }

  Map<PoolKey, Pool.Bounds> all() {
    return database.transaction(statements -> {
      Map<PoolKey, Pool.Bounds> all = new HashMap<>();
      try (ResultSet rows = statements.of("SELECT * FROM pools").executeQuery()) {
        while (rows.next()) {
          all.put(readKey(rows), readBounds(rows));
        }
      }
      return all;
    });
  }

  private static PoolKey readKey(ResultSet row) throws SQLException {
    return new PoolKey(
        new ImageReference(row.getString("image")),
        IsolationKind.valueOf(row.getString("isolation").toUpperCase(Locale.ROOT)),
        new Limits(
            new ByteSize(row.getLong("memory")),
            row.getDouble("cpus"),
            row.getInt("processes"),
            new ByteSize(row.getLong("disk"))));
  }

  private static Pool.Bounds readBounds(ResultSet row) throws SQLException {
    int maximum = row.getInt("maximum");
    boolean none = row.wasNull();
    return new Pool.Bounds(row.getInt("minimum"), none ? null : maximum);
  }
}
