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
record Route(
    String method,
    String path,
    Access access,
    @Nullable Class<?> takes,
    @Nullable Class<?> gives,
    int status,
    Endpoint endpoint) {

  /// Does what is asked for and answers.
  @FunctionalInterface
  interface Endpoint {
    void serve(Exchange exchange) throws Exception;
  }

  static Route get(String path, @Nullable Class<?> gives, Endpoint endpoint) {
    return new Route("GET", path, Access.CALLER, null, gives, 200, endpoint);
  }

  static Route post(
      String path, @Nullable Class<?> takes, @Nullable Class<?> gives, int status, Endpoint end) {
    return new Route("POST", path, Access.CALLER, takes, gives, status, end);
  }

  static Route delete(String path, Endpoint endpoint) {
    return new Route("DELETE", path, Access.CALLER, null, null, 204, endpoint);
  }

  Route by(Access whom) {
    return new Route(method, path, whom, takes, gives, status, endpoint);
  }

  List<String> segments() {
    return List.of(path.substring(1).split("/", -1));
  }
}
