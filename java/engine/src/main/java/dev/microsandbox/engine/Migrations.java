package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/// Numbered SQL files among the resources, `migrations/0001.sql` and up, each applied once, in a
/// transaction of its own. The number of the last one stands in the file's `user_version`.
final class Migrations {
  private Migrations() {}

  static void apply(Connection connection) throws SQLException {
    int version = version(connection);
    if (version > 0 && read(version) == null) {
      throw new SandboxException(
          ErrorCode.STORE_FAILED,
          "the server's database was written by a newer microsandbox; update this one, or use another"
              + " home");
    }
    String sql = read(version + 1);
    while (sql != null) {
      version++;
      applyOne(connection, version, sql);
      sql = read(version + 1);
    }
  }

  private static void applyOne(Connection connection, int version, String sql) throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      for (String part : statements(sql)) {
        statement.execute(part);
      }
      statement.execute("PRAGMA user_version = " + version);
      connection.commit();
    } catch (SQLException e) {
      connection.rollback();
      throw e;
    } finally {
      connection.setAutoCommit(true);
    }
  }

  /// A statement ends with a semicolon at the end of a line; comments are lines of their own.
  private static String[] statements(String sql) {
    return sql.replaceAll("(?m)^--.*$", "").strip().split(";\\s*(?:\\n|$)");
  }

  static int version(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("PRAGMA user_version")) {
      return rows.next() ? rows.getInt(1) : 0;
    }
  }

  private static @Nullable String read(int version) {
    try (InputStream in =
        Migrations.class.getResourceAsStream("migrations/%04d.sql".formatted(version))) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
