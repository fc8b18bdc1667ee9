package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.server.ServerFixture.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class NativeApiTest {
  private static final String ONE = "/v1/sandboxes/box";
  private ServerFixture fixture;

  @BeforeEach
  void start() {
    fixture = new ServerFixture(true);
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  private Answer create(String json) {
    return fixture.post("/v1/sandboxes", json);
  }

  private SandboxSpec onlySpec() {
    assertThat(fixture.service.sandboxes).hasSize(1);
    return fixture.service.sandboxes.values().iterator().next().spec();
  }

  @Test
  void healthIsAsTheOriginalSystemSaysIt() {
    assertThat(fixture.get("/api/v1/health").text())
        .isEqualTo("{\"message\":\"Service is healthy\"}");
  }

  @Test
  void headIsGetWithoutABody() {
    Answer answer =
        fixture.send(fixture.request("/api/v1/health").method("HEAD", BodyPublishers.noBody()));
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.bytes()).isEmpty();
  }

  @Test
  void aSandboxWithoutAnyWishGetsTheDefaultsAndAName() {
    Answer answer = create("{}");
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.json().get("name").asString()).matches("sandbox-[0-9a-f]{8}");
    assertThat(answer.headers().firstValue("Location"))
        .hasValue("/v1/sandboxes/" + answer.json().get("id").asString());
    SandboxSpec spec = onlySpec();
    assertThat(spec.image().name()).isEqualTo("microsandbox/python");
    assertThat(spec.namespace()).isEqualTo("default");
    assertThat(spec.network()).isEqualTo(NetworkPolicy.PUBLIC);
    assertThat(spec.idleTimeout()).isEqualTo(Duration.ofHours(1));
    assertThat(spec.ephemeral()).isFalse();
  }

  @Test
  void everyWishReachesTheEngine() {
    create(
        """
        {"name":"box","namespace":"lab","image":"node","isolation":"container","memory":1024,"cpus":0.5,
         "processes":64,"disk":256,"env":{"A":"1"},"labels":{"team":"x"},"network":"none","time_to_live":1.5,
         "idle_timeout":0,"ephemeral":true}\
        """);
    SandboxSpec spec = onlySpec();
    assertThat(spec.name().value()).isEqualTo("box");
    assertThat(spec.namespace()).isEqualTo("lab");
    assertThat(spec.image().name()).isEqualTo("microsandbox/node");
    assertThat(spec.limits().memory()).isEqualTo(ByteSize.ofMib(1024));
    assertThat(spec.limits().cpus()).isEqualTo(0.5);
    assertThat(spec.limits().processes()).isEqualTo(64);
    assertThat(spec.limits().disk()).isEqualTo(ByteSize.ofMib(256));
    assertThat(spec.environment()).containsEntry("A", "1");
    assertThat(spec.labels()).containsEntry("team", "x");
    assertThat(spec.network()).isEqualTo(NetworkPolicy.NONE);
    assertThat(spec.timeToLive()).isEqualTo(Duration.ofMillis(1500));
    assertThat(spec.idleTimeout()).isEqualTo(Duration.ZERO);
    assertThat(spec.ephemeral()).isTrue();
  }

  @Test
  void theEnvironmentIsNotGivenBack() {
    Answer answer = create("{\"env\":{\"TOKEN\":\"s3cret\"}}");
    assertThat(answer.text()).doesNotContain("s3cret");
    assertThat(fixture.get("/v1/sandboxes").text()).doesNotContain("s3cret");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"name":"-x"}                | 400 | invalid_name
          {"name":""}                  | 400 | invalid_name
          {"name":"a b"}               | 400 | invalid_name
          {"namespace":"*"}            | 400 | invalid_name
          {"image":"NO SUCH"}          | 404 | image_not_found
          {"memory":1}                 | 400 | invalid_limits
          {"memory":-5}                | 400 | invalid_limits
          {"memory":2000000000}        | 400 | invalid_limits
          {"memory":1e999}             | 400 | invalid_request
          {"memory":1.5}               | 400 | invalid_request
          {"memory":"512"}             | 400 | invalid_request
          {"memory":99999999999999999} | 400 | invalid_request
          {"cpus":0}                   | 400 | invalid_limits
          {"cpus":1e999}               | 400 | invalid_limits
          {"processes":1}              | 400 | invalid_limits
          {"disk":0}                   | 400 | invalid_limits
          {"time_to_live":-1}          | 400 | invalid_limits
          {"time_to_live":1e300}       | 400 | invalid_limits
          {"isolation":"chroot"}       | 400 | invalid_request
          {"network":"lan"}            | 400 | invalid_request
          {"ephemeral":"yes"}          | 400 | invalid_request
          {"env":{"A":1}}              | 400 | invalid_request
          {"env":{"A":null}}           | 400 | invalid_request
          {"env":{"A=B":"1"}}          | 400 | invalid_request
          {"env":["A"]}                | 400 | invalid_request
          {"memroy":512}               | 400 | invalid_request
          []                           | 400 | invalid_request
          null                         | 400 | invalid_request
          "x"                          | 400 | invalid_request
          """)
  void impossibleWishesAreRefusedWithTheirCode(String json, int status, String code) {
    Answer answer = create(json);
    assertThat(answer.status() + " " + answer.code()).isEqualTo(status + " " + code);
    assertThat(fixture.service.sandboxes).isEmpty();
  }

  @Test
  void aWrongFieldIsNamed() {
    JsonNode error = create("{\"memroy\":512}").json().get("error");
    assertThat(error.get("message").asString()).isEqualTo("there is no field memroy");
    assertThat(error.get("details").get("field").asString()).isEqualTo("memroy");
  }

  @Test
  void aNameIsTakenOnce() {
    create("{\"name\":\"box\"}");
    Answer second = create("{\"name\":\"box\"}");
    assertThat(second.status()).isEqualTo(409);
    assertThat(second.code()).isEqualTo("name_taken");
  }

  @Test
  void aSandboxIsFoundByNameInItsNamespaceAndByIdInAny() {
    String id = create("{\"name\":\"box\",\"namespace\":\"lab\"}").json().get("id").asString();
    assertThat(fixture.get(ONE).code()).isEqualTo("sandbox_not_found");
    assertThat(fixture.get(ONE + "?namespace=lab").status()).isEqualTo(200);
    assertThat(fixture.get("/v1/sandboxes/" + id).json().get("name").asString()).isEqualTo("box");
  }

  @Test
  void listsAreFilteredByNamespaceAndLabels() {
    create("{\"name\":\"a\",\"labels\":{\"k\":\"1\"}}");
    create("{\"name\":\"b\",\"namespace\":\"lab\",\"labels\":{\"k\":\"2\"}}");
    assertThat(fixture.get("/v1/sandboxes").json().get("sandboxes")).hasSize(2);
    assertThat(fixture.get("/v1/sandboxes?namespace=lab").json().get("sandboxes")).hasSize(1);
    assertThat(fixture.get("/v1/sandboxes?label=k%3D1").json().get("sandboxes")).hasSize(1);
    assertThat(fixture.get("/v1/sandboxes?label=k").code()).isEqualTo("invalid_request");
  }

  @Test
  void aSandboxGoesThroughItsLife() {
    create("{\"name\":\"box\"}");
    assertThat(fixture.post(ONE + "/stop", "").json().get("state").asString()).isEqualTo("stopped");
    assertThat(fixture.post(ONE + "/start", "{}").json().get("state").asString())
        .isEqualTo("running");
    assertThat(fixture.send(fixture.method("PATCH", ONE, "{\"time_to_live\":60}")).status())
        .isEqualTo(200);
    Answer deleted = fixture.send(fixture.request(ONE).DELETE());
    assertThat(deleted.status()).isEqualTo(204);
    assertThat(deleted.bytes()).isEmpty();
    assertThat(fixture.get(ONE).status()).isEqualTo(404);
  }

  @Test
  void metricsLogsAndContextsAreShown() {
    create("{\"name\":\"box\"}");
    assertThat(fixture.get(ONE + "/metrics").json().get("memory_bytes").asLong())
        .isEqualTo(34L << 20);
    assertThat(fixture.get(ONE + "/logs").json().at("/entries/0/text").asString())
        .isEqualTo("started");
    assertThat(fixture.get(ONE + "/logs?limit=0").code()).isEqualTo("invalid_request");
    assertThat(fixture.get(ONE + "/contexts").json().at("/contexts/0/id").asString())
        .isEqualTo("python");
    Answer opened = fixture.post(ONE + "/contexts", "{\"language\":\"js\",\"id\":\"two\"}");
    assertThat(opened.status()).isEqualTo(201);
    assertThat(opened.json().get("language").asString()).isEqualTo("node");
    assertThat(fixture.send(fixture.request(ONE + "/contexts/two").DELETE()).status())
        .isEqualTo(204);
  }

  @Test
  void filesGoInAndOutAsBytes() {
    create("{\"name\":\"box\"}");
    byte[] content = new byte[300_000];
    new java.util.Random(1).nextBytes(content);
    var put =
        fixture
            .request(ONE + "/files?path=data/x.bin&mode=0600")
            .header("Content-Type", "application/octet-stream")
            .PUT(BodyPublishers.ofByteArray(content));
    assertThat(fixture.send(put).status()).isEqualTo(204);
    assertThat(fixture.get(ONE + "/files?path=data/x.bin").bytes()).isEqualTo(content);
    assertThat(fixture.get(ONE + "/files?path=nope").code()).isEqualTo("no_such_file");
    assertThat(fixture.get(ONE + "/files").code()).isEqualTo("invalid_request");
    assertThat(fixture.get(ONE + "/files?path=a%00b").status()).isEqualTo(400);
  }

  @Test
  void manyFilesAtOnceWaitForEachOther() {
    create("{\"name\":\"box\"}");
    fixture.service.files.put("x", new byte[100_000]);
    List<Integer> statuses =
        IntStream.range(0, 40)
            .parallel()
            .mapToObj(_ -> fixture.get(ONE + "/files?path=x").status())
            .toList();
    assertThat(statuses).hasSize(40).containsOnly(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
  void aBodyOfAnotherTypeIsRefused(String type) {
    var request =
        fixture
            .request("/v1/sandboxes")
            .header("Content-Type", type)
            .POST(BodyPublishers.ofString("{}"));
    Answer answer = fixture.send(request);
    assertThat(answer.status()).isEqualTo(415);
    assertThat(answer.code()).isEqualTo("unsupported_media_type");
  }

  @Test
  void aWrongPathAndAWrongMethodAreToldApart() {
    assertThat(fixture.get("/v2/sandboxes").code()).isEqualTo("not_found");
    Answer answer = fixture.send(fixture.method("PUT", "/v1/sandboxes", "{}"));
    assertThat(answer.status()).isEqualTo(405);
    assertThat(answer.code()).isEqualTo("method_not_allowed");
    assertThat(answer.headers().firstValue("Allow")).hasValue("GET, POST");
  }

  @Test
  void aBugShowsAnIdAndNothingElse() {
    fixture.service.broken = true;
    Answer answer = create("{}");
    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.code()).isEqualTo("internal");
    assertThat(answer.json().at("/error/details/id").asString()).hasSize(16);
    assertThat(answer.text()).doesNotContain("/var/lib").doesNotContain("Exception");
  }

  @Test
  void theServersFiguresHoldNoNamesOfSandboxes() {
    create("{\"name\":\"very-secret-name\"}");
    fixture.get("/v1/sandboxes/very-secret-name");
    String figures = fixture.get("/metrics").text();
    assertThat(figures).contains("microsandbox_http_requests").doesNotContain("very-secret-name");
  }

  @Test
  void infoSaysWhatThereIs() {
    JsonNode info = fixture.get("/v1/info").json();
    assertThat(info.get("isolation").get(0).asString()).isEqualTo("container");
    assertThat(info.get("runtimes").get("container").asString()).isEqualTo("crun 1.21");
    assertThat(info.get("keys_required").asBoolean()).isFalse();
  }

  @Test
  void answersAreNotKeptOrReinterpretedByBrowsers() {
    Answer answer = fixture.get("/v1/sandboxes");
    assertThat(answer.headers().firstValue("Cache-Control")).hasValue("no-store");
    assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
    assertThat(answer.headers().map().keySet())
        .noneMatch(name -> name.toLowerCase(java.util.Locale.ROOT).startsWith("access-control"));
    assertThat(answer.headers().firstValue("Server")).isEmpty();
  }

  @Test
  void theSocketsUsersAreAdministrators() throws Exception {
    assertThat(fixture.overSocket("POST", "/v1/keys", "{\"name\":\"laptop\"}"))
        .contains("201 Created")
        .contains("\"key\":\"msb_new\"");
    assertThat(fixture.overSocket("GET", "/v1/doctor", "")).contains("\"usable\":true");
    assertThat(fixture.overSocket("POST", "/v1/shutdown", "")).contains("202 Accepted");
    assertThat(fixture.ends.poll(20, java.util.concurrent.TimeUnit.SECONDS)).isFalse();
    assertThat(fixture.overSocket("POST", "/v1/shutdown", "{\"keep_sandboxes\":true}"))
        .contains("202 Accepted");
    assertThat(fixture.ends.poll(20, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void keysAndTheEndAreNotForTcp() {
    assertThat(fixture.post("/v1/keys", "{}").code()).isEqualTo("forbidden");
    assertThat(fixture.get("/v1/keys").status()).isEqualTo(403);
    assertThat(fixture.post("/v1/shutdown", "").code()).isEqualTo("forbidden");
    assertThat(fixture.get("/v1/doctor").code()).isEqualTo("forbidden");
    assertThat(fixture.ends).isEmpty();
  }

  @Test
  void poolsAreListedAndSetByAdministratorsAlone() throws Exception {
    String set =
        fixture.overSocket(
            "PUT", "/v1/pools", "{\"image\":\"node\",\"memory\":256,\"minimum\":2,\"maximum\":5}");
    assertThat(set)
        .contains("200 OK")
        .contains("\"image\":\"microsandbox/node\"")
        .contains("\"memory\":256")
        .contains("\"minimum\":2")
        .contains("\"trouble\":{\"message\":\"the host is short of memory\"");
    assertThat(fixture.overSocket("GET", "/v1/pools", "")).contains("\"maximum\":5");
    assertThat(fixture.overSocket("PUT", "/v1/pools", "{\"image\":\"node\"}"))
        .contains("400 ")
        .contains("minimum");
    assertThat(fixture.get("/v1/pools").code()).isEqualTo("forbidden");
    assertThat(fixture.send(fixture.method("PUT", "/v1/pools", "{\"minimum\":1}")).code())
        .isEqualTo("forbidden");
  }

  @Test
  void textInUtf8GoesThroughWhole() {
    create("{\"name\":\"box\"}");
    fixture.post(ONE + "/runs", "{\"code\":\"# \\ud83d\\ude00 \\u00e9 \u4e2d\"}");
    assertThat(fixture.service.cells.getFirst().code()).isEqualTo("# \ud83d\ude00 \u00e9 \u4e2d");
    assertThat("\ud83d\ude00".getBytes(StandardCharsets.UTF_8)).hasSize(4);
  }
}
