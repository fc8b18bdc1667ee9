package dev.microsandbox.engine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.util.OSInfo;

/// Puts SQLite's native library into the home once, so that no start has to unpack it again
/// (hundreds of milliseconds).
///
/// The home belongs to root alone, so what lies there can be trusted as much as the server's own
/// jars. It is mapped until the process ends, not until [Engine#close]: a home's file system can be
/// unmounted when its server's process has gone.
final class SqliteLibrary {
  private static final String PATH_PROPERTY = "org.sqlite.lib.path";
  private static final String NAME = "libsqlitejdbc.so";

  private SqliteLibrary() {}

  /// Where this fails the driver unpacks its library as ever, only more slowly.
  static void prepare(Path home) {
    if (System.getProperty(PATH_PROPERTY) != null) {
      return;
    }
    try {
      Path folder = home.resolve("lib").resolve("sqlite-" + SQLiteJDBCLoader.getVersion());
      if (!Files.exists(folder.resolve(NAME))) {
        unpack(folder);
      }
      System.setProperty(PATH_PROPERTY, folder.toString());
    } catch (IOException e) {
      System.getLogger(SqliteLibrary.class.getName())
          .log(System.Logger.Level.DEBUG, "SQLite's library could not be unpacked ahead", e);
    }
  }

  private static void unpack(Path folder) throws IOException {
    String resource =
        "/org/sqlite/native/" + OSInfo.getNativeLibFolderPathForCurrentOS() + "/" + NAME;
    try (InputStream in = SQLiteJDBCLoader.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("no such resource: " + resource);
      }
      Files.createDirectories(folder);
      Path unfinished = Files.createTempFile(folder, NAME, ".new");
      try {
        Files.copy(in, unfinished, StandardCopyOption.REPLACE_EXISTING);
        Files.move(unfinished, folder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(unfinished); // a full disk takes a part of it
      }
    }
  }
}
