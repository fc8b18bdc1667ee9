package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.microsandbox.server.ServerFixture.Answer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GateTest {
  private static ServerFixture dev;
  private static ServerFixture keyed;

  @BeforeAll
  static void start() {
    dev = new ServerFixture(true);
    keyed = new ServerFixture(false);
  }

  @AfterAll
  static void stop() {
    dev.close();
    keyed.close();
  }

  private static String get(ServerFixture to, String host, String... headers) throws Exception {
    String request =
        "GET /v1/sandboxes HTTP/1.1\r\nHost: "
            + host
            + "\r\nConnection: close\r\n"
            + String.join("", Stream.of(headers).map(h -> h + "\r\n").toList())
            + "\r\n";
    return to.raw(request);
  }

  @Test
  void withoutAKeyTheWayToOneIsNamed() {
    Answer answer = keyed.get("/v1/sandboxes");
    assertThat(answer.status()).isEqualTo(401);
    assertThat(answer.code()).isEqualTo("unauthenticated");
    assertThat(answer.text()).contains("msb key create");
    assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Authorization: Bearer msb_good",
        "Authorization: msb_good",
        "Proxy-Authorization: Bearer msb_good"
      })
  void aGoodKeyIsTakenInEveryFormThatClientsSend(String header) throws Exception {
    assertThat(get(keyed, "localhost", header)).startsWith("HTTP/1.1 200");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Authorization: Bearer ",
        "Authorization: Bearer msb_bad",
        "Authorization: bearer msb_good",
        "Authorization: Bearer  msb_good",
        "Authorization: Basic bXNiX2dvb2Q6",
        "Authorization: Bearer MSB_GOOD",
        "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
        "Authorization: Bearer ' OR 1=1 --",
        "X-Forwarded-User: admin",
        "X-Original-URL: /api/v1/health",
        "X-HTTP-Method-Override: GET",
        "Cookie: key=msb_good"
      })
  void everythingElseIsRefused(String header) throws Exception {
    assertThat(get(keyed, "localhost", header)).startsWith("HTTP/1.1 401");
  }

  @Test
  void badKeysAllLookTheSame() throws Exception {
    List<String> bodies =
        Stream.of("msb_x", "msb_" + "y".repeat(43), "eyJ.e.", "%00")
            .map(key -> getQuietly("Authorization: Bearer " + key))
            .map(answer -> answer.substring(answer.indexOf("\r\n\r\n")))
            .distinct()
            .toList();
    assertThat(bodies).hasSize(1);
  }

  private static String getQuietly(String header) {
    try {
      return get(keyed, "localhost", header);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whoHasNoKeyLearnsNotWhichPathsThereAre() {
    assertThat(keyed.get("/v1/nothing").status()).isEqualTo(401);
    assertThat(keyed.post("/v1/info", "{}").status()).isEqualTo(401);
  }

  @Test
  void anotherOwnersSandboxDoesNotExist() throws Exception {
    keyed.service.sandboxes.clear();
    keyed.send(
        keyed
            .method("POST", "/v1/sandboxes", "{\"name\":\"mine\"}")
            .header("Authorization", "Bearer msb_good"));
    String other = "Bearer msb_other";
    assertThat(
            keyed.send(keyed.request("/v1/sandboxes/mine").header("Authorization", other)).code())
        .isEqualTo("sandbox_not_found");
    assertThat(
            keyed
                .send(keyed.request("/v1/sandboxes").header("Authorization", other))
                .json()
                .get("sandboxes"))
        .isEmpty();
  }

  @Test
  void aKeyMakesNoAdministrator() {
    Answer answer =
        keyed.send(keyed.request("/v1/keys").header("Authorization", "Bearer msb_good"));
    assertThat(answer.code()).isEqualTo("forbidden");
  }

  @Test
  void healthNeedsNoKey() {
    assertThat(keyed.get("/api/v1/health").status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "localhost:5555", "127.0.0.1:5555", "[::1]:80", "LOCALHOST"})
  void loopbackNamesAreServed(String host) throws Exception {
    assertThat(get(dev, host)).startsWith("HTTP/1.1 200");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "169.254.169.254",
        "127.0.0.1@evil.example",
        "0.0.0.0"
      })
  void otherNamesAreRefusedWithoutAKey(String host) throws Exception {
    assertThat(get(dev, host)).matches("(?s)HTTP/1.1 (403|400).*");
    assertThat(get(dev, "evil.example")).contains("forbidden_origin");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Origin: http://evil.example",
        "Origin: null",
        "Origin: http://localhost:3000",
        "Origin: file://",
        "Sec-Fetch-Site: cross-site"
      })
  void webPagesAreRefusedWithoutAKey(String header) throws Exception {
    assertThat(get(dev, "localhost:5555", header))
        .startsWith("HTTP/1.1 403")
        .contains("forbidden_origin")
        .doesNotContain("Access-Control");
  }

  @Test
  void aPreflightIsNotAnswered() throws Exception {
    String answer =
        dev.raw(
            "OPTIONS /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
                + "Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n");
    assertThat(answer).matches("(?s)HTTP/1.1 40[35].*").doesNotContain("Access-Control");
  }

  @Test
  void aListenerBeyondLoopbackNeedsTlsOrAProxy() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("0.0.0.0", false, false, null))
        .withMessageContaining("--tls-certificate");
    assertThat(settings("0.0.0.0", false, true, null).behindProxy()).isTrue();
    assertThat(
            settings("0.0.0.0", false, false, new ServerSettings.Tls(Path.of("c"), Path.of("k")))
                .tls())
        .isNotNull();
  }

  @Test
  void developmentModeIsForLoopbackOnly() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("0.0.0.0", true, true, null))
        .withMessageContaining("--dev");
    assertThatIllegalArgumentException().isThrownBy(() -> settings("127.0.0.1", true, true, null));
    assertThat(settings("127.0.0.1", true, false, null).dev()).isTrue();
  }

  private static ServerSettings settings(
      String host, boolean dev, boolean proxy, ServerSettings.@Nullable Tls tls) {
    return new ServerSettings(host, 0, null, dev, proxy, tls, ServerSettings.HttpLimits.DEFAULT);
  }
}
