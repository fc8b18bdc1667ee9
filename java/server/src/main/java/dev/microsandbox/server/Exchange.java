package dev.microsandbox.server;

import dev.microsandbox.engine.Caller;
import dev.microsandbox.engine.FileSource;
import dev.microsandbox.engine.SandboxRef;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/// One request and its answer, as the routes see them.
final class Exchange {
  private static final String JSON = "application/json";
  private static final HttpField JSON_TYPE = new HttpField(HttpHeader.CONTENT_TYPE, JSON);
  private static final HttpField BYTES_TYPE =
      new HttpField(HttpHeader.CONTENT_TYPE, "application/octet-stream");
  private static final HttpField NO_STORE = new HttpField(HttpHeader.CACHE_CONTROL, "no-store");
  private static final HttpField NO_SNIFF = new HttpField("X-Content-Type-Options", "nosniff");

  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final Request request;
  private final Response response;
  private final Callback callback;
  private final RouteTable.Match match;
  private final Visitor visitor;
  private final ServerSettings.HttpLimits limits;
  private final BodyBudget.Share memory;
  private @Nullable Fields query;
  private @Nullable BodyReader body;

  Exchange(
      Request request,
      Response response,
      Callback callback,
      RouteTable.Match match,
      Visitor visitor,
      ServerSettings.HttpLimits limits,
      BodyBudget.Share memory) {
    this.memory = memory;
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.match = match;
    this.visitor = visitor;
    this.limits = limits;
  }

  Request request() {
    return request;
  }

  Response response() {
    return response;
  }

  Callback callback() {
    return callback;
  }

  Caller caller() {
    return visitor.caller();
  }

  ServerSettings.HttpLimits limits() {
    return limits;
  }

  String parameter(String name) {
    String value = match.parameters().get(name);
    if (value == null) {
      throw new IllegalStateException("no path parameter " + name);
    }
    return value;
  }

  /// The sandbox that the path and the query name.
  SandboxRef sandbox() {
    String namespace = query("namespace");
    return new SandboxRef(
        namespace == null ? SandboxSpec.DEFAULT_NAMESPACE : namespace, parameter("sandbox"));
  }

  ObjectId run() {
    try {
      return new ObjectId(parameter("run"));
    } catch (IllegalArgumentException _) {
      throw new SandboxException(ErrorCode.RUN_NOT_FOUND, "no such run; its id has 32 digits");
    }
  }

  @Nullable String query(String name) {
    List<String> values = queries(name);
    if (values.size() > 1) {
      throw invalid(name, "the query parameter " + name + " occurs twice");
    }
    return values.isEmpty() ? null : values.getFirst();
  }

  List<String> queries(String name) {
    Fields fields = query;
    if (fields == null) {
      try {
        fields = Request.extractQueryParameters(request);
      } catch (RuntimeException _) {
        throw invalid("", "the query is not well-formed");
      }
      query = fields;
    }
    List<String> values = fields.getValues(name);
    return values == null ? List.of() : values;
  }

  long number(String name, long least, long most, long otherwise) {
    String text = query(name);
    if (text == null) {
      return otherwise;
    }
    try {
      long value = Long.parseLong(text);
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException _) {
      // Falls through to the refusal.
    }
    throw invalid(name, name + " is a number from " + least + " to " + most);
  }

  @Nullable String header(String name) {
    return request.getHeaders().get(name);
  }

  /// Whether the client takes server-sent events.
  boolean wantsEvents() {
    for (HttpField field : request.getHeaders()) {
      if (field.getHeader() == HttpHeader.ACCEPT && field.contains("text/event-stream")) {
        return true;
      }
    }
    return false;
  }

  /// The JSON body as a record.
  <T extends Record> T body(Class<T> type) throws InterruptedException {
    return Json.read(jsonBytes(), type);
  }

  /// The same where a request may come without one.
  <T extends Record> T body(Class<T> type, T otherwise) throws InterruptedException {
    return hasBody() ? body(type) : otherwise;
  }

  byte[] jsonBytes() throws InterruptedException {
    requireType(JSON);
    return body().readAll();
  }

  /// Whether all of the body has arrived, so that reading it does not wait.
  boolean bodyIsThere() {
    return body().readWhatIsThere();
  }

  private BodyReader body() {
    BodyReader reader = body;
    if (reader == null) {
      reader = new BodyReader(request, limits.jsonBytes(), limits.body(), memory);
      body = reader;
    }
    return reader;
  }

  /// The body of a request that brings a file.
  RequestPieces pieces() {
    requireType("application/octet-stream");
    return new RequestPieces(request, limits.body());
  }

  /// For operations that take nothing: what is sent all the same must be JSON, and is passed over.
  void ignoreBody() throws InterruptedException {
    if (hasBody()) {
      jsonBytes();
    }
  }

  private boolean hasBody() {
    HttpFields headers = request.getHeaders();
    return headers.getLongField(HttpHeader.CONTENT_LENGTH) > 0
        || headers.contains(HttpHeader.TRANSFER_ENCODING);
  }

  private void requireType(String type) {
    String given = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
    String text = given == null ? "" : given.toLowerCase(Locale.ROOT);
    int end = text.indexOf(';');
    String parameters = end < 0 ? "" : text.substring(end + 1).strip().replace("\"", "");
    boolean utf8 = parameters.isEmpty() || parameters.equals("charset=utf-8");
    if (!(end < 0 ? text : text.substring(0, end)).strip().equals(type) || !utf8) {
      throw new SandboxException(
          ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the body must be " + type + " (in UTF-8)");
    }
  }

  void json(int status, Object body) {
    send(status, JSON_TYPE, Json.write(body));
  }

  /// With the status of the route.
  void json(Object body) {
    json(match.route().status(), body);
  }

  /// What this exchange holds beside its body.
  BodyBudget.Share memory() {
    return memory;
  }

  /// A file's content, as it comes. Where that fails midway the connection breaks, so that nobody
  /// takes a part for the whole.
  void octets(FileSource file) throws IOException, InterruptedException {
    @Nullable ByteBuffer piece = file.next();
    begin(200, BYTES_TYPE);
    long left = file.size();
    if (left >= 0) {
      response.getHeaders().put(HttpHeader.CONTENT_LENGTH, left);
    }
    ResponsePieces pieces = new ResponsePieces(response, limits.stall());
    while (piece != null) {
      left -= piece.remaining();
      pieces.write(left == 0, piece);
      piece = file.next();
    }
    if (left != 0 || file.size() == 0) {
      pieces.write(true, EMPTY);
    }
    callback.succeeded();
  }

  void text(String type, String content) {
    send(
        200,
        new HttpField(HttpHeader.CONTENT_TYPE, type),
        content.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  /// What went wrong after the endpoint had returned.
  void fail(Throwable failure) {
    Failures.answer(request, response, callback, failure);
  }

  /// Without a body, with the status of the route.
  void done() {
    response.setStatus(match.route().status());
    response.write(true, null, callback);
  }

  void header(String name, String value) {
    response.getHeaders().put(name, value);
  }

  private void send(int status, HttpField type, byte[] body) {
    begin(status, type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  private void begin(int status, HttpField type) {
    response.setStatus(status);
    response.getHeaders().put(type).put(NO_STORE).put(NO_SNIFF);
  }

  static SandboxException invalid(String field, String message) {
    return new SandboxException(ErrorCode.INVALID_REQUEST, message, Map.of("field", field));
  }
}
