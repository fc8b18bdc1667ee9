package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/// The one place that turns what went wrong into an answer: in the native form, or in the old
/// system's below `/api/`. A bug gets an id, by which its stack is found in the log; the log alone
/// has it.
final class Failures extends ErrorHandler {
  private static final System.Logger LOG = System.getLogger(Failures.class.getName());
  private static final String LEGACY = "/api/";
  private static final String JSON = "application/json";

  /// What any failure means to a client.
  static SandboxException coded(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof SandboxException coded) {
        return logged(coded);
      }
      if (t instanceof HttpException http) {
        return protocol(http.getCode());
      }
      if (t instanceof TimeoutException) {
        return protocol(408);
      }
      if (t instanceof EofException) {
        return protocol(400);
      }
    }
    return internal(failure);
  }

  private static SandboxException logged(SandboxException coded) {
    if (coded.code() == ErrorCode.INTERNAL && !coded.details().containsKey("id")) {
      return internal(coded);
    }
    if (coded.getCause() != null) {
      LOG.log(Level.DEBUG, coded.code().wireName(), coded);
    }
    return coded;
  }

  private static SandboxException internal(Throwable bug) {
    String id = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    LOG.log(Level.ERROR, "internal error " + id, bug);
    return new SandboxException(
        ErrorCode.INTERNAL,
        "an internal error; the server's log has more under this id",
        Map.of("id", id));
  }

  static SandboxException stopping() {
    return new SandboxException(ErrorCode.SHUTTING_DOWN, "the server is stopping");
  }

  /// What Jetty refuses before any of our code sees it.
  private static SandboxException protocol(int status) {
    return switch (status) {
      case 404 -> new SandboxException(ErrorCode.NOT_FOUND, "no such path");
      case 408 ->
          new SandboxException(ErrorCode.REQUEST_TIMEOUT, "the request did not arrive in time");
      case 413 -> new SandboxException(ErrorCode.BODY_TOO_LARGE, "the body is too large");
      case 414, 431 ->
          new SandboxException(ErrorCode.HEADER_TOO_LARGE, "the request's headers are too large");
      case 415 ->
          new SandboxException(
              ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the content's encoding is not supported");
      case 503 -> stopping();
      default ->
          status < 500
              ? new SandboxException(
                  ErrorCode.INVALID_REQUEST, "not a well-formed HTTP request", Map.of())
              : internal(new IllegalStateException("HTTP status " + status));
    };
  }

  /// Answers with a failure, unless an answer has begun.
  static void answer(Request request, Response response, Callback callback, Throwable failure) {
    SandboxException coded = coded(failure);
    if (response.isCommitted()) {
      callback.failed(failure);
      return;
    }
    response.reset();
    response.setStatus(coded.code().httpStatus());
    headers(response.getHeaders(), coded);
    byte[] body = body(coded, isLegacy(request));
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  private static void headers(HttpFields.Mutable headers, SandboxException coded) {
    headers.put(HttpHeader.CONTENT_TYPE, JSON);
    headers.put(HttpHeader.CACHE_CONTROL, "no-store");
    switch (coded.code()) {
      case UNAUTHENTICATED, INVALID_KEY -> headers.put(HttpHeader.WWW_AUTHENTICATE, "Bearer");
      case REQUEST_TIMEOUT, BODY_TOO_LARGE -> headers.put(HttpHeader.CONNECTION, "close");
      case METHOD_NOT_ALLOWED -> headers.put(HttpHeader.ALLOW, allowed(coded));
      default -> {}
    }
  }

  private static String allowed(SandboxException coded) {
    return coded.details().get("allowed") instanceof List<?> methods
        ? String.join(", ", methods.stream().map(String::valueOf).toList())
        : "";
  }

  private static byte[] body(SandboxException coded, boolean legacy) {
    return Json.write(legacy ? legacy(coded) : nativeForm(coded));
  }

  static ResponseBodies.Error nativeForm(SandboxException coded) {
    return new ResponseBodies.Error(
        new ResponseBodies.ErrorBody(coded.code().wireName(), coded.message(), coded.details()));
  }

  private static RpcBodies.Failure legacy(SandboxException coded) {
    return new RpcBodies.Failure(coded.message(), coded.code().rpcCode());
  }

  private static boolean isLegacy(Request request) {
    String path = request.getHttpURI() == null ? null : request.getHttpURI().getPath();
    return path != null && path.startsWith(LEGACY);
  }

  /// Called by Jetty for what it refuses itself.
  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Object cause = request.getAttribute(ERROR_EXCEPTION);
    Object status = request.getAttribute(ERROR_STATUS);
    Throwable failure =
        cause instanceof Throwable thrown
            ? thrown
            : protocol(status instanceof Integer code ? code : response.getStatus());
    answer(request, response, callback, failure);
    return true;
  }
}
