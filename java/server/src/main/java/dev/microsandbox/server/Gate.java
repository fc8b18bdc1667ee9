package dev.microsandbox.server;

import dev.microsandbox.engine.Caller;
import dev.microsandbox.engine.KeyService;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.net.URI;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/// Decides who a request comes from, and whether it may come in at all.
final class Gate {
  private static final Pattern LOOPBACK =
      Pattern.compile("(?:localhost|127(?:\\.\\d{1,3}){3}|\\[::1])(?::\\d{1,5})?");
  private static final Set<String> FOREIGN_SITES = Set.of("cross-site", "same-site");
  private static final String BEARER = "Bearer ";

  private final ServerSettings settings;
  private final KeyService keys;

  Gate(ServerSettings settings, KeyService keys) {
    this.settings = settings;
    this.keys = keys;
  }

  /// @param local came by the unix socket
  Visitor admit(Request request, Access access, boolean local) {
    if (local) {
      return new Visitor(Caller.LOCAL, true);
    }
    HttpFields headers = request.getHeaders();
    String key = settings.dev() ? null : key(headers);
    if (key == null) {
      refuseWebPages(headers);
    }
    return switch (access) {
      case ANYBODY -> Visitor.NOBODY;
      case CALLER -> new Visitor(caller(key), false);
      case ADMINISTRATOR ->
          throw new SandboxException(
              ErrorCode.FORBIDDEN, "only by the server's unix socket, by an administrator");
    };
  }

  private Caller caller(@Nullable String key) {
    if (settings.dev()) {
      return Caller.LOCAL;
    }
    if (key == null) {
      throw new SandboxException(
          ErrorCode.UNAUTHENTICATED,
          "an API key is needed: make one with `msb key create` and send it as `Authorization:"
              + " Bearer msb_…` (clients read MSB_API_KEY)");
    }
    return keys.authenticate(key);
  }

  /// What old clients send is understood too: `Proxy-Authorization` first, a key without `Bearer`.
  private static @Nullable String key(HttpFields headers) {
    String value = headers.get(HttpHeader.PROXY_AUTHORIZATION);
    if (value == null) {
      value = headers.get(HttpHeader.AUTHORIZATION);
    }
    if (value == null) {
      return null;
    }
    return value.startsWith(BEARER) ? value.substring(BEARER.length()) : value;
  }

  /// A page in a browser of this machine can send requests here; without a key nothing else tells
  /// them from a client's. A name that leads here by the page's own DNS is refused with them.
  private void refuseWebPages(HttpFields headers) {
    String host = headers.get(HttpHeader.HOST);
    if (settings.onlyLoopback() && (host == null || !isLoopbackName(host))) {
      throw foreign("this server is reached as localhost or 127.0.0.1 only");
    }
    for (HttpField field : headers) {
      if (field.getHeader() == HttpHeader.ORIGIN && !isOwn(field.getValue(), host)) {
        throw foreign("requests of web pages are not accepted");
      }
    }
    String site = headers.get("Sec-Fetch-Site");
    if (site != null && FOREIGN_SITES.contains(site.toLowerCase(Locale.ROOT))) {
      throw foreign("requests of web pages are not accepted");
    }
  }

  private static boolean isLoopbackName(String host) {
    return LOOPBACK.matcher(host.toLowerCase(Locale.ROOT)).matches();
  }

  private static boolean isOwn(String origin, @Nullable String host) {
    try {
      String authority = URI.create(origin).getRawAuthority();
      return host != null && host.equalsIgnoreCase(authority);
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private static SandboxException foreign(String message) {
    return new SandboxException(ErrorCode.FORBIDDEN_ORIGIN, message);
  }
}
