package dev.microsandbox.engine;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// Sets a statement's parameters one after another.
final class Columns {
  private final PreparedStatement statement;
  private int index;

  Columns(PreparedStatement statement) {
    this.statement = statement;
  }

  void text(@Nullable String value) throws SQLException {
    statement.setString(++index, value);
  }

  void number(long value) throws SQLException {
    statement.setLong(++index, value);
  }

  void numberOrNull(@Nullable Integer value) throws SQLException {
    index++;
    if (value == null) {
      statement.setNull(index, Types.INTEGER);
    } else {
      statement.setInt(index, value);
    }
  }

  void real(double value) throws SQLException {
    statement.setDouble(++index, value);
  }

  void time(@Nullable Instant value) throws SQLException {
    index++;
    if (value == null) {
      statement.setNull(index, Types.INTEGER);
    } else {
      statement.setLong(index, value.toEpochMilli());
    }
  }
}
