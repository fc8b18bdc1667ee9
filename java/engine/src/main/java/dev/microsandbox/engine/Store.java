package dev.microsandbox.engine;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// What must survive the server: sandboxes, their id ranges, and the journal of what may lie about
/// on the host. Each method is one transaction.
final class Store {
  private final Database database;
  private final IdBlock block;

  /// @param block from which sandboxes' id ranges are taken
  Store(Database database, IdBlock block) {
    this.database = database;
    this.block = block;
  }

  /// The ranges that can be given out.
  record IdBlock(int start, int ranges) {}

  /// Gives a new sandbox its id range, stores it, and journals what its launch will make.
  SandboxRecord add(SandboxId id, Function<IdRange, SandboxRecord> row, Instant now) {
    return database.transaction(statements -> {
      IdRange range = takeRange(statements, id);
      SandboxRecord added = row.apply(range);
      SandboxTable.insert(statements, added);
      journal(statements, id, added.isolation(), "disk", now);
      journal(statements, id, added.isolation(), "launch", now);
      return added;
    });
  }

  /// Gives a sandbox for nobody its id range, and journals what its launch will make. It has no
  /// row: after a crash nothing of it is kept.
  IdRange reserve(SandboxId id, IsolationKind isolation, Instant now) {
    return database.transaction(statements -> {
      IdRange range = takeRange(statements, id);
      journal(statements, id, isolation, "disk", now);
      journal(statements, id, isolation, "launch", now);
      return range;
    });
  }

  /// Makes a reserved sandbox somebody's; a later server finds it by this.
  void claim(SandboxRecord row, Foothold foothold) {
    database.write(statements -> {
      SandboxTable.insert(statements, row);
      FootholdTable.put(statements, row.id(), foothold);
    });
  }

  /// Journals a further launch of a sandbox that has its disk, and stores its state.
  void launching(SandboxRecord row, Instant now) {
    database.write(statements -> {
      journal(statements, row.id(), row.isolation(), "launch", now);
      SandboxTable.update(statements, row);
    });
  }

  void update(SandboxRecord row) {
    database.write(statements -> SandboxTable.update(statements, row));
  }

  /// It runs, and a later server finds it by this.
  void running(SandboxRecord row, Foothold foothold) {
    database.write(statements -> {
      FootholdTable.put(statements, row.id(), foothold);
      SandboxTable.update(statements, row);
    });
  }

  /// The sandboxes that run, by what a server's last write said.
  List<Orphan> orphans() {
    return database.transaction(statements -> {
      Map<SandboxId, Foothold> footholds = FootholdTable.all(statements);
      Map<SandboxId, List<RunRecord>> runs = RunRecordTable.all(statements);
      List<Orphan> orphans = new ArrayList<>();
      for (SandboxRecord row : SandboxTable.all(statements)) {
        Foothold foothold = footholds.get(row.id());
        if (row.state() == SandboxState.RUNNING && foothold != null) {
          orphans.add(new Orphan(row, foothold, runs.getOrDefault(row.id(), List.of())));
        }
      }
      return orphans;
    });
  }

  /// What is written behind: runs that are under way, such that are over, and when running
  /// sandboxes were last used.
  void journal(List<RunRecord> begun, List<RunRecord> over, List<Use> uses) {
    database.write(statements -> {
      RunRecordTable.insert(statements, begun);
      RunRecordTable.delete(statements, over);
      for (Use use : uses) {
        FootholdTable.used(statements, use.id(), use.lastUsed(), use.oomKills());
      }
    });
  }

  /// A moment of a running sandbox.
  record Use(SandboxId id, Instant lastUsed, long oomKills) {}

  /// Nothing of a launch is left on the host; the sandbox stays with its disk.
  void landed(SandboxRecord row) {
    database.write(statements -> {
      forgetLaunch(statements, row.id());
      SandboxTable.update(statements, row);
    });
  }

  /// Something of it cannot be removed now: it stays, to be tried again at the next start, but
  /// gives its name free.
  void setAside(SandboxId id) {
    database.write(statements -> {
      PreparedStatement statement =
          statements.of("UPDATE sandboxes SET state = 'deleting', name = id WHERE id = ?");
      statement.setString(1, id.value());
      statement.executeUpdate();
    });
  }

  /// Nothing at all is left of a sandbox on the host.
  void remove(SandboxId id) {
    database.write(statements -> {
      SandboxTable.delete(statements, id);
      forgetLaunch(statements, id);
      forget(statements, id, "disk");
      PreparedStatement statement = statements.of("DELETE FROM id_ranges WHERE sandbox_id = ?");
      statement.setString(1, id.value());
      statement.executeUpdate();
    });
  }

  List<SandboxRecord> sandboxes() {
    return database.transaction(SandboxTable::all);
  }

  /// The sandboxes of which something may be on the host.
  Set<SandboxId> journaled() {
    return ids("SELECT DISTINCT sandbox_id FROM journal");
  }

  /// The sandboxes of which a launch may have left something.
  Set<SandboxId> launched() {
    return ids("SELECT sandbox_id FROM journal WHERE resource = 'launch'");
  }

  private Set<SandboxId> ids(String query) {
    return database.transaction(statements -> {
      Set<SandboxId> ids = new HashSet<>();
      try (ResultSet rows = statements.of(query).executeQuery()) {
        while (rows.next()) {
          ids.add(new SandboxId(rows.getString(1)));
        }
      }
      return ids;
    });
  }

  private static void journal(
      Statements statements, SandboxId id, IsolationKind isolation, String resource, Instant now)
      throws SQLException {
    PreparedStatement statement =
        statements.of("INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?)");
    Columns columns = new Columns(statement);
    columns.text(id.value());
    columns.text(resource);
    columns.text(isolation.wireName());
    columns.time(now);
    statement.executeUpdate();
  }

  private static void forgetLaunch(Statements statements, SandboxId id) throws SQLException {
    forget(statements, id, "launch");
    FootholdTable.delete(statements, id);
    RunRecordTable.deleteAll(statements, id);
  }

  private static void forget(Statements statements, SandboxId id, String resource)
      throws SQLException {
    PreparedStatement statement =
        statements.of("DELETE FROM journal WHERE sandbox_id = ? AND resource = ?");
    statement.setString(1, id.value());
    statement.setString(2, resource);
    statement.executeUpdate();
  }

  private IdRange takeRange(Statements statements, SandboxId id) throws SQLException {
    Set<Integer> taken = new HashSet<>();
    try (ResultSet rows = statements.of("SELECT start FROM id_ranges").executeQuery()) {
      while (rows.next()) {
        taken.add(rows.getInt(1));
      }
    }
    for (int i = 0; i < block.ranges(); i++) {
      int start = block.start() + i * IdRange.SIZE;
      if (!taken.contains(start)) {
        PreparedStatement statement = statements.of("INSERT INTO id_ranges VALUES (?, ?)");
        statement.setInt(1, start);
        statement.setString(2, id.value());
        statement.executeUpdate();
        return new IdRange(start);
      }
    }
    throw new SandboxException(
        ErrorCode.TOO_MANY_SANDBOXES,
        "no block of user ids is left for another sandbox; delete stopped ones");
  }
}
