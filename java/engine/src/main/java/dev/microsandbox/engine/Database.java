package dev.microsandbox.engine;

import dev.microsandbox.isolation.HomeTrouble;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteOpenMode;

/// The one connection to the home's SQLite file. Transactions are short and take turns.
///
/// Commits are not synced one by one (WAL, synchronous NORMAL): after a power cut the last ones may
/// be missing, but then the processes and mounts that they stood for are gone as well, and what
/// remains on the disk is found by the drivers.
final class Database implements AutoCloseable {
  /// A result code's lowest byte says what kind it is.
  private static final int PRIMARY_CODE = 0xff;

  /// What SQLite needs beside its file to open it.
  private static final long LEAST = 64 << 10;

  private final ReentrantLock turn = new ReentrantLock(true);
  private final Path file;
  private final Connection connection;
  private final Statements statements;
  private volatile Consumer<Moment> onEntry = _ -> {};

  private Database(Path file, Connection connection) {
    this.file = file;
    this.connection = connection;
    statements = new Statements(connection);
  }

  /// Opens or makes the file, readable by its owner alone, and brings its tables up to date.
  static Database open(Path file) {
    try {
      if (!Files.exists(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      SQLiteConfig config = new SQLiteConfig();
      config.setJournalMode(SQLiteConfig.JournalMode.WAL);
      config.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
      config.setBusyTimeout(5000);
      config.setGetGeneratedKeys(
          false); // no table has any, and looking costs a statement each time
      config.resetOpenMode(SQLiteOpenMode.CREATE);
      Connection connection = config.createConnection("jdbc:sqlite:" + file);
      try {
        Migrations.apply(connection);
        return new Database(file, connection);
      } catch (SQLException | RuntimeException e) {
        connection.close();
        throw e;
      }
    } catch (SQLException e) {
      throw failure(e, file);
    } catch (IOException e) {
      throw HomeTrouble.of(e);
    }
  }

  /// Runs one transaction: all of it, or nothing where it throws.
  <T> T transaction(Work<T> work) {
    onEntry.accept(Moment.BEFORE_ENTRY);
    T result = inTurn(work);
    onEntry.accept(Moment.AFTER_ENTRY);
    return result;
  }

  private <T> T inTurn(Work<T> work) {
    turn.lock();
    try {
      execute("BEGIN IMMEDIATE");
      T result = work.run(statements);
      execute("COMMIT");
      return result;
    } catch (SQLException e) {
      rollback();
      throw failure(e, file);
    } catch (RuntimeException e) {
      rollback();
      throw e;
    } finally {
      turn.unlock();
    }
  }

  /// The same for work without a result.
  void write(Change change) {
    transaction(statements -> {
      change.run(statements);
      return Boolean.TRUE;
    });
  }

  /// For tests that kill a server at each of its entries: called beside every transaction, by the
  /// thread that makes it.
  void onEntry(Consumer<Moment> listener) {
    onEntry = listener;
  }

  /// For tests of a store that cannot be written.
  void mayBeWritten(boolean writable) throws SQLException {
    turn.lock();
    try {
      pragma("PRAGMA query_only = " + (writable ? 0 : 1));
    } finally {
      turn.unlock();
    }
  }

  /// When a listener is called.
  enum Moment {
    BEFORE_ENTRY,
    AFTER_ENTRY
  }

  /// By statements and not by the driver's transactions: where SQLite has rolled back by itself, as
  /// on a full disk, the driver would never find back into step.
  private void execute(String command) throws SQLException {
    boolean _ = statements.of(command).execute();
  }

  /// Not kept prepared: some of these act while they are compiled.
  private void pragma(String command) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(command);
    }
  }

  private void rollback() {
    statements.forget();
    try {
      execute("ROLLBACK");
    } catch (SQLException _) {
      // there is none any more: SQLite has rolled back by itself, or the beginning has failed
    }
  }

  private static SandboxException failure(SQLException e, Path file) {
    if (e instanceof SQLiteException sqlite && isFull(sqlite.getResultCode(), file)) {
      return new SandboxException(
          ErrorCode.DISK_FULL,
          "the server's disk is full; delete sandboxes or free space",
          Map.of("where", "host"),
          e);
    }
    return new SandboxException(
        ErrorCode.STORE_FAILED,
        "the server's database cannot be read or written; see the server's log",
        Map.of(),
        e);
  }

  /// By the error, or by looking: where SQLite cannot make the files beside its own it tells of an
  /// input or output error alone.
  private static boolean isFull(SQLiteErrorCode code, Path file) {
    boolean ioError = (code.code & PRIMARY_CODE) == SQLiteErrorCode.SQLITE_IOERR.code;
    return code == SQLiteErrorCode.SQLITE_FULL || ioError && file.toFile().getUsableSpace() < LEAST;
  }

  @Override
  public void close() {
    turn.lock();
    try {
      pragma("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (SQLException e) {
      System.getLogger(Database.class.getName())
          .log(System.Logger.Level.WARNING, "the database could not be tidied", e);
    } finally {
      closeConnection();
      turn.unlock();
    }
  }

  private void closeConnection() {
    try {
      connection.close();
    } catch (SQLException e) {
      System.getLogger(Database.class.getName())
          .log(System.Logger.Level.WARNING, "the database could not be closed", e);
    }
  }

  /// What is done within a transaction.
  interface Work<T> {
    T run(Statements statements) throws SQLException;
  }

  /// What is done within a transaction, without a result.
  interface Change {
    void run(Statements statements) throws SQLException;
  }
}
