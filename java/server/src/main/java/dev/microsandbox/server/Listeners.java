package dev.microsandbox.server;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.AbstractConnector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;

/// Where the server listens: TCP, and the unix socket, whose permissions are its authentication.
final class Listeners {
  /// Name of the unix socket's connector.
  static final String LOCAL = "local";

  private static final String GROUP = "microsandbox";
  private static final String SOCKET_PERMISSIONS = "rw-rw----";

  /// As many as there may be connections, for a client of the unix socket is refused at once where
  /// the queue is full.
  private static final int QUEUE = 1024;

  private static final int IDLE_WHEN_FULL_MILLIS = 2000;

  /// A cache of header values would take 100 KB for each connection, and a client with a thousand
  /// sandboxes has a thousand of them.
  private static final int NO_HEADER_CACHE = 0;

  /// What one reading takes of a body, as much as a frame to a sandbox carries. A connection has it
  /// while there is something to read only.
  private static final int INPUT_BUFFER = 64 * 1024;

  /// Of the unix socket: what the system holds for a client, so that the two need not take turns
  /// for every few bytes of a file. It may grant less. TCP finds its own measure.
  private static final int SEND_BUFFER = 256 * 1024;

  /// How long a connection without a request is kept while the server ends.
  private static final int IDLE_AT_END_MILLIS = 100;

  private final ServerSettings settings;
  private boolean bound;

  Listeners(Server server, ServerSettings settings, SlowClients slow) {
    this.settings = settings;
    add(server, tcp(server), "tcp", slow);
    Path socket = settings.socket();
    if (socket != null) {
      UnixDomainServerConnector local = new UnixDomainServerConnector(server, 1, 1, http());
      local.setUnixDomainPath(socket);
      local.setAcceptQueueSize(QUEUE);
      local.setAcceptedSendBufferSize(SEND_BUFFER);
      add(server, local, LOCAL, slow);
    }
  }

  private void add(Server server, AbstractConnector connector, String name, SlowClients slow) {
    connector.setName(name);
    connector.setIdleTimeout(settings.limits().idle().toMillis());
    connector.setShutdownIdleTimeout(IDLE_AT_END_MILLIS);
    connector.addBean(slow, false);
    server.addConnector(connector);
    limitConnections(server, connector);
  }

  /// Each listener has a limit of its own: whatever fills TCP, the administrator gets in. A full
  /// listener soon closes connections that only wait.
  private void limitConnections(Server server, AbstractConnector connector) {
    NetworkConnectionLimit limit =
        new NetworkConnectionLimit(settings.limits().connections(), connector);
    limit.setEndPointIdleTimeout(IDLE_WHEN_FULL_MILLIS);
    server.addBean(limit);
  }

  private ServerConnector tcp(Server server) {
    ServerSettings.Tls tls = settings.tls();
    ServerConnector connector =
        tls == null
            ? new ServerConnector(server, 1, 1, http())
            : new ServerConnector(
                server, 1, 1, new SslConnectionFactory(tlsContext(tls), "http/1.1"), http());
    connector.setHost(settings.host());
    connector.setPort(settings.port());
    connector.setAcceptQueueSize(QUEUE);
    connector.setAcceptedTcpNoDelay(true);
    return connector;
  }

  private static SslContextFactory.Server tlsContext(ServerSettings.Tls tls) {
    SslContextFactory.Server context = new SslContextFactory.Server();
    context.setKeyStore(PemKeys.load(tls));
    context.setKeyStorePassword(PemKeys.PASSWORD);
    context.setIncludeProtocols("TLSv1.2", "TLSv1.3");
    context.setSniRequired(false);
    return context;
  }

  private HttpConnectionFactory http() {
    HttpConfiguration http = new HttpConfiguration();
    http.setRequestHeaderSize(settings.limits().headerBytes());
    http.setHeaderCacheSize(NO_HEADER_CACHE);
    http.setSendServerVersion(false);
    http.setSendXPoweredBy(false);
    http.setHttpCompliance(HttpCompliance.STRICT);
    http.setUriCompliance(UriCompliance.RFC3986);
    HttpConnectionFactory factory = new HttpConnectionFactory(http);
    factory.setInputBufferSize(INPUT_BUFFER);
    return factory;
  }

  String address() {
    return settings.host() + ":" + settings.port();
  }

  /// Makes the socket's directory, and removes a socket that nobody listens on any more.
  void prepare() throws IOException {
    Path socket = settings.socket();
    if (socket == null) {
      return;
    }
    Path directory = socket.toAbsolutePath().getParent();
    if (directory != null && !Files.exists(directory)) {
      Files.createDirectories(directory);
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    if (Files.exists(socket) && isAlive(socket)) {
      throw new java.net.BindException("another server listens on the socket");
    }
    Files.deleteIfExists(socket);
  }

  private static boolean isAlive(Path socket) throws IOException {
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return probe.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException _) {
      return false;
    }
  }

  /// Gives the socket to the group whose members may use the server.
  void opened() throws IOException {
    Path socket = settings.socket();
    if (socket == null) {
      return;
    }
    bound = true;
    GroupPrincipal group = group(socket);
    if (group != null) {
      Files.getFileAttributeView(socket, PosixFileAttributeView.class).setGroup(group);
    }
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString(SOCKET_PERMISSIONS));
  }

  private static @Nullable GroupPrincipal group(Path socket) throws IOException {
    try {
      return socket
          .getFileSystem()
          .getUserPrincipalLookupService()
          .lookupPrincipalByGroupName(GROUP);
    } catch (UserPrincipalNotFoundException _) {
      return null;
    }
  }

  void removed() {
    Path socket = settings.socket();
    if (bound && socket != null) {
      try {
        Files.deleteIfExists(socket);
      } catch (IOException _) {
        // The next server removes it.
      }
    }
  }
}
