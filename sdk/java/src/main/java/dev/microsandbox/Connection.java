package dev.microsandbox;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Makes calls to one server, and exceptions of what goes wrong.
final class Connection {
  private static final String JSON = "application/json";
  private static final String EVENTS = "text/event-stream";
  private static final int MAXIMUM_ERROR = 1 << 20;
  private static final int BLOCK = 256 * 1024;

  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable Route route;

  /// @param where the server's address, for messages
  private record Route(Transport transport, String where, @Nullable String apiKey) {
    static Route to(ServerAddress address) {
      Transport transport =
          address.socket() != null
              ? UnixTransport.to(address.socket())
              : new JdkTransport(address.uri());
      // Who may open the socket is its server's administrator, and needs no key.
      String key = address.socket() != null ? null : address.apiKey();
      return new Route(transport, address.toString(), key);
    }
  }

  /// To the local server, which is looked for, and started where none answers, at the first call.
  Connection() {}

  Connection(ServerAddress address) {
    this.route = Route.to(address);
  }

  /// @param where the server's address, for messages
  Connection(Transport transport, String where) {
    this.route = new Route(transport, where, null);
  }

  /// By what is given, else by the environment (`MSB_SERVER_URL`, `MSB_API_KEY`), else to the local
  /// server.
  static Connection to(@Nullable String serverUrl, @Nullable String apiKey) {
    String url = serverUrl != null ? serverUrl : System.getenv("MSB_SERVER_URL");
    String key = apiKey != null ? apiKey : System.getenv("MSB_API_KEY");
    return url == null || url.isEmpty()
        ? new Connection()
        : new Connection(ServerAddress.parse(url, key));
  }

  /// The answer's JSON; an empty object where there is none.
  JsonObject json(Call call) {
    byte[] body = bytes(call);
    return body.length == 0 ? JsonObject.EMPTY : Json.read(body);
  }

  /// The answer's body.
  byte[] bytes(Call call) {
    try (Transport.Response response = send(call, JSON)) {
      return response.body().readAllBytes();
    } catch (IOException e) {
      throw lost(e);
    }
  }

  /// Writes the answer's body to a stream while it comes; gives its size.
  long copy(Call call, OutputStream to) throws IOException {
    try (Transport.Response response = send(call, JSON)) {
      byte[] block = new byte[BLOCK];
      long size = 0;
      for (int read = read(response, block); read >= 0; read = read(response, block)) {
        to.write(block, 0, read);
        size += read;
      }
      return size;
    }
  }

  /// What fails here is the server's, what fails in writing is the caller's.
  private int read(Transport.Response response, byte[] block) {
    try {
      return response.body().read(block, 0, block.length);
    } catch (IOException e) {
      throw lost(e);
    }
  }

  /// The answer's events. Closing them early closes the connection, which tells the server.
  EventReader events(Call call) {
    return new EventReader(send(call, EVENTS), this);
  }

  private Transport.Response send(Call call, String accept) {
    Route to = route();
    Map<String, String> headers = new HashMap<>();
    headers.put("Accept", accept);
    if (call.body() != null || call.content() != null) {
      headers.put("Content-Type", call.contentType());
    }
    if (to.apiKey() != null) {
      headers.put("Authorization", "Bearer " + to.apiKey());
    }
    try {
      Transport.Response response =
          to.transport()
              .send(
                  new Transport.Request(
                      call.method(),
                      call.path(),
                      headers,
                      call.body(),
                      call.content(),
                      call.timeout()));
      if (SandboxException.isFailure(response.status())) {
        throw failure(response);
      }
      return response;
    } catch (IOException e) {
      throw lost(e);
    }
  }

  private Route route() {
    Route known = route;
    if (known != null) {
      return known;
    }
    lock.lock();
    try {
      if (route == null) {
        route = Route.to(LocalServer.findOrStart(System.getenv("MSB_API_KEY")));
      }
      return route;
    } finally {
      lock.unlock();
    }
  }

  private static SandboxException failure(Transport.Response response) throws IOException {
    try (response) {
      byte[] body = response.body().readNBytes(MAXIMUM_ERROR);
      return SandboxException.of(parsed(body), response.status());
    }
  }

  private static JsonObject parsed(byte[] body) {
    try {
      return Json.read(body);
    } catch (SandboxException notJson) {
      return JsonObject.EMPTY;
    }
  }

  /// The exception for a connection that is of no more use.
  RuntimeException lost(IOException cause) {
    if (cause instanceof ClosedByInterruptException || Thread.currentThread().isInterrupted()) {
      CancellationException interrupted =
          new CancellationException("the thread was interrupted while it waited for the server");
      interrupted.initCause(cause);
      return interrupted;
    }
    Route to = route;
    String why = cause.getMessage() == null ? "no connection" : cause.getMessage();
    return SandboxException.because(
        ErrorCode.SERVER_UNREACHABLE,
        "no answer from the server at "
            + (to == null ? "this machine" : to.where())
            + ": "
            + why
            + "; start one with: msb server start",
        cause);
  }
}
