package dev.microsandbox.app;

import dev.microsandbox.egress.EgressSettings;
import dev.microsandbox.egress.Endpoint;
import dev.microsandbox.egress.HostNetworkSettings;
import dev.microsandbox.engine.EngineSettings;
import dev.microsandbox.server.ServerSettings;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Everything that an operator can set, read from kebab-case keys. The engine's own keys are in
/// [EngineSettings].
///
/// @param home `home`: where everything is kept
/// @param server `host`, `port`, `socket` (`none` for none), `dev`, `behind-proxy`,
///   `tls-certificate`, `tls-key`
/// @param names `name-map`: names that lead where the operator says: `name=host:port`, separated by
///   commas
/// @param authorities `ca-file`: PEM files of authorities that sandboxes shall trust too, separated
///   by commas
/// @param agent `agent`: the program that becomes the first process of every sandbox
/// @param runtime `runtime`: `crun`, `runc` or a path; null for what works best
/// @param strictRuntime `strict-runtime`: refuses runtimes with known holes
/// @param keepSandboxes `keep-sandboxes`: whether sandboxes go on when the server is ended by
///   SIGTERM, for the next one to take over
/// @param logTarget `log`: `stderr`, `file` (`server.log` in the home), or `auto`
/// @param logLevel `log-level`: `error`, `warning`, `info` or `debug`
record AppSettings(
    Path home,
    ServerSettings server,
    EngineSettings engine,
    Map<String, Endpoint> names,
    List<Path> authorities,
    Path agent,
    @Nullable String runtime,
    boolean strictRuntime,
    boolean keepSandboxes,
    LogTarget logTarget,
    System.Logger.Level logLevel) {
  private static final Path DEFAULT_HOME = Path.of("/var/lib/microsandbox");
  private static final Path INSTALLED_AGENT = Path.of("/usr/local/lib/microsandbox/agent");

  private static final Set<String> OWN_KEYS =
      Set.of(
          "home",
          "host",
          "port",
          "socket",
          "dev",
          "behind-proxy",
          "tls-certificate",
          "tls-key",
          "name-map",
          "ca-file",
          "agent",
          "runtime",
          "strict-runtime",
          "keep-sandboxes",
          "log",
          "log-level");

  /// Where the log goes.
  enum LogTarget {
    STDERR,
    FILE,
    /// To stderr where that is a terminal, else to the file.
    AUTO
  }

  /// @throws IllegalArgumentException names the key and what is wrong with it
  static AppSettings of(Map<String, String> values) {
    SettingReader from = new SettingReader(values);
    Path home = from.path("home", DEFAULT_HOME);
    Map<String, String> engine = new LinkedHashMap<>(values);
    engine.keySet().removeAll(OWN_KEYS);
    return new AppSettings(
        home,
        server(from),
        EngineSettings.of(home, engine),
        names(from),
        from.list("ca-file").stream().map(file -> Path.of(file).toAbsolutePath()).toList(),
        from.path("agent", defaultAgent()),
        from.text("runtime"),
        from.flag("strict-runtime"),
        from.flag("keep-sandboxes", true),
        from.oneOf("log", LogTarget.class, LogTarget.AUTO),
        from.oneOf("log-level", System.Logger.Level.class, System.Logger.Level.INFO));
  }

  /// Whether an environment variable of this key is meant for the server.
  static boolean isKey(String key) {
    if (OWN_KEYS.contains(key)) {
      return true;
    }
    try {
      EngineSettings.of(DEFAULT_HOME, Map.of(key, "1"));
      return true;
    } catch (IllegalArgumentException e) {
      return !String.valueOf(e.getMessage()).startsWith("unknown setting");
    }
  }

  private static Map<String, Endpoint> names(SettingReader from) {
    Map<String, Endpoint> names = new LinkedHashMap<>();
    for (String entry : from.list("name-map")) {
      int equals = entry.indexOf('=');
      if (equals <= 0) {
        throw new IllegalArgumentException("name-map is name=host:port, not " + entry);
      }
      names.put(entry.substring(0, equals), Endpoint.parse(entry.substring(equals + 1)));
    }
    return names;
  }

  /// With what the host itself uses: mirrors, authorities, a proxy.
  EgressSettings egress() {
    return new EgressSettings(names, authorities, HostNetworkSettings.read());
  }

  private static ServerSettings server(SettingReader from) {
    String certificate = from.text("tls-certificate");
    String key = from.text("tls-key");
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException("tls-certificate and tls-key go together");
    }
    String socket = from.text("socket");
    String host = from.text("host");
    return new ServerSettings(
        host == null ? ServerSettings.DEFAULT_HOST : host,
        from.number("port", ServerSettings.DEFAULT_PORT),
        socket == null
            ? ServerSettings.DEFAULT_SOCKET
            : socket.equals("none") ? null : Path.of(socket).toAbsolutePath(),
        from.flag("dev"),
        from.flag("behind-proxy"),
        certificate == null || key == null
            ? null
            : new ServerSettings.Tls(Path.of(certificate), Path.of(key)),
        ServerSettings.HttpLimits.DEFAULT);
  }

  private static Path defaultAgent() {
    String install = System.getProperty("microsandbox.install");
    return install == null
        ? INSTALLED_AGENT
        : Path.of(install, "agent", "target", "release", "agent");
  }

  static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "dev" : version;
  }
}
