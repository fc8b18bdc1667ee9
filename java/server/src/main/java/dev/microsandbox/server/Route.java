package dev.microsandbox.server;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One operation of the API. The fields beside the endpoint are what a test compares with
/// `spec/openapi.yaml`.
///
/// @param path with parameters in braces
/// @param takes the record of its JSON body; null where it has none
/// @param gives the record of its JSON answer; null where it has none
/// @param status of its answer
/// @param atOnce tried first, by the thread that reads all connections; null where it has none
record Route(
    String method,
    String path,
    Access access,
    @Nullable Class<?> takes,
    @Nullable Class<?> gives,
    int status,
    Endpoint endpoint,
    @Nullable QuickEndpoint atOnce) {

  /// Does what is asked for and answers.
  @FunctionalInterface
  interface Endpoint {
    void serve(Exchange exchange) throws Exception;
  }

  /// Does it where nothing has to be waited for, and answers now or later.
  @FunctionalInterface
  interface QuickEndpoint {
    /// @return false where something might have to be waited for; nothing has been done then
    boolean serve(Exchange exchange) throws Exception;
  }

  /// One for every caller, served by a thread of its own.
  static Route of(
      String method,
      String path,
      @Nullable Class<?> takes,
      @Nullable Class<?> gives,
      int status,
      Endpoint endpoint) {
    return new Route(method, path, Access.CALLER, takes, gives, status, endpoint, null);
  }

  static Route get(String path, @Nullable Class<?> gives, Endpoint endpoint) {
    return of("GET", path, null, gives, 200, endpoint);
  }

  static Route post(
      String path, @Nullable Class<?> takes, @Nullable Class<?> gives, int status, Endpoint end) {
    return of("POST", path, takes, gives, status, end);
  }

  static Route delete(String path, Endpoint endpoint) {
    return of("DELETE", path, null, null, 204, endpoint);
  }

  Route by(Access whom) {
    return new Route(method, path, whom, takes, gives, status, endpoint, atOnce);
  }

  /// With a way that needs no thread of its own, where it can be taken.
  Route orAtOnce(QuickEndpoint quick) {
    return new Route(method, path, access, takes, gives, status, endpoint, quick);
  }

  List<String> segments() {
    return List.of(path.substring(1).split("/", -1));
  }
}
