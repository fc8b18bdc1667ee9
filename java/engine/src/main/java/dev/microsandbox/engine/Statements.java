package dev.microsandbox.engine;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/// The prepared statements of the one connection, each compiled once: compiling takes SQLite longer
/// than carrying out. For a transaction's thread alone, and never to be closed by it; all of a
/// statement's parameters are set anew at each use.
final class Statements {
  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  Statements(Connection connection) {
    this.connection = connection;
  }

  /// @param sql a constant of this package: what is prepared once is kept
  PreparedStatement of(String sql) throws SQLException {
    PreparedStatement known = prepared.get(sql);
    if (known == null) {
      known = connection.prepareStatement(sql);
      prepared.put(sql, known);
    }
    return known;
  }

  /// After an error: the driver has closed the statement that failed, and another may be half
  /// carried out. All are compiled anew.
  void forget() {
    for (PreparedStatement statement : prepared.values()) {
      try {
        statement.close();
      } catch (SQLException _) {
        // it is of no more use, and that was all
      }
    }
    prepared.clear();
  }
}
