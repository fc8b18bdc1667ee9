package dev.microsandbox.engine;

import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseTest {
  @TempDir Path home;

  @Test
  void aFileThatIsNoDatabaseStopsTheStartWithoutHarm() throws IOException {
    Path file = home.resolve("microsandbox.db");
    byte[] garbage = "not a database, but something of the operator's".repeat(100).getBytes(UTF_8);
    Files.write(file, garbage);
    assertCode(ErrorCode.STORE_FAILED, () -> new EngineFixture(home));
    assertThat(Files.readAllBytes(file)).isEqualTo(garbage);
    Files.delete(file);
    new EngineFixture(home).close();
  }

  @Test
  void aNewerDatabaseIsLeftAlone() {
    try (Database database = Database.open(home.resolve("microsandbox.db"))) {
      database.write(statements -> statements.of("PRAGMA user_version = 999").executeUpdate());
    }
    assertCode(ErrorCode.STORE_FAILED, () -> new EngineFixture(home)).hasMessageContaining("newer");
  }

  @Test
  void aFailedTransactionLeavesNoTraceAndTheNextOneWorks() {
    try (Database database = Database.open(home.resolve("x.db"))) {
      assertCode(
          ErrorCode.STORE_FAILED,
          () ->
              database.write(statements -> {
                statements.of("INSERT INTO id_ranges VALUES (65536, 'a')").executeUpdate();
                statements.of("INSERT INTO id_ranges VALUES (65536, 'b')").executeUpdate();
              }));
      long rows =
          database.transaction(statements -> {
            try (var result = statements.of("SELECT count(*) FROM id_ranges").executeQuery()) {
              return result.getLong(1);
            }
          });
      assertThat(rows).isZero();
    }
  }

  @Test
  void aHomeThatCannotBeMadeIsAnError() throws IOException {
    Path file = Files.createFile(home.resolve("file"));
    assertCode(ErrorCode.STORE_FAILED, () -> new EngineFixture(file.resolve("home")));
  }

  @Test
  void theNativeLibraryIsUnpackedIntoTheHome() {
    String before = System.clearProperty("org.sqlite.lib.path");
    try {
      SqliteLibrary.prepare(home);
      Path folder = Path.of(System.getProperty("org.sqlite.lib.path"));
      assertThat(folder).startsWith(home);
      assertThat(folder.resolve("libsqlitejdbc.so")).isNotEmptyFile();
    } finally {
      if (before == null) {
        System.clearProperty("org.sqlite.lib.path");
      } else {
        System.setProperty("org.sqlite.lib.path", before);
      }
    }
  }
}
