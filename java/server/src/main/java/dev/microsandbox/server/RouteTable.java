package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.eclipse.jetty.util.URIUtil;
import org.jspecify.annotations.Nullable;

/// Finds the route of a request. Paths are taken literally: no dot segments, empty segments or path
/// parameters are ever interpreted.
final class RouteTable {
  private final List<Route> routes;
  private final Map<Integer, List<Entry>> bySize = new HashMap<>();

  private record Entry(List<String> pattern, Route route) {}

  /// @param parameters the values of the path's braces
  record Match(Route route, Map<String, String> parameters) {}

  RouteTable(List<Route> routes) {
    this.routes = List.copyOf(routes);
    for (Route route : routes) {
      List<String> pattern = route.segments();
      bySize.computeIfAbsent(pattern.size(), _ -> new ArrayList<>()).add(new Entry(pattern, route));
    }
  }

  List<Route> routes() {
    return routes;
  }

  /// @throws SandboxException `not_found`, or `method_not_allowed` with those that are in its
  ///   details
  Match find(String asked, @Nullable String rawPath) {
    // Jetty leaves the body out.
    String method = asked.equals("HEAD") ? "GET" : asked;
    List<String> segments = segments(rawPath);
    TreeSet<String> allowed = new TreeSet<>();
    for (Entry entry : bySize.getOrDefault(segments.size(), List.of())) {
      Map<String, String> parameters = match(entry.pattern(), segments);
      if (parameters != null) {
        if (entry.route().method().equals(method)) {
          return new Match(entry.route(), parameters);
        }
        allowed.add(entry.route().method());
      }
    }
    if (allowed.isEmpty()) {
      throw notFound();
    }
    throw new SandboxException(
        ErrorCode.METHOD_NOT_ALLOWED,
        "this path takes " + String.join(", ", allowed),
        Map.of("allowed", List.copyOf(allowed)));
  }

  private static List<String> segments(@Nullable String rawPath) {
    if (rawPath == null || !rawPath.startsWith("/") || rawPath.indexOf(';') >= 0) {
      throw notFound();
    }
    return List.of(rawPath.substring(1).split("/", -1));
  }

  private static @Nullable Map<String, String> match(List<String> pattern, List<String> segments) {
    Map<String, String> parameters = Map.of();
    for (int i = 0; i < pattern.size(); i++) {
      String expected = pattern.get(i);
      if (expected.startsWith("{")) {
        if (segments.get(i).isEmpty()) {
          return null;
        }
        parameters = parameters.isEmpty() ? new HashMap<>() : parameters;
        parameters.put(expected.substring(1, expected.length() - 1), decode(segments.get(i)));
      } else if (!expected.equals(segments.get(i))) {
        return null;
      }
    }
    return parameters;
  }

  private static String decode(String segment) {
    return segment.indexOf('%') < 0 ? segment : URIUtil.decodePath(segment);
  }

  private static SandboxException notFound() {
    return new SandboxException(
        ErrorCode.NOT_FOUND, "no such path; the API is described in spec/openapi.yaml");
  }
}
