package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlsTest {
  private static final char[] PASSWORD = "changeit".toCharArray();
  @TempDir private Path folder;

  private KeyStore newKeys(String algorithm, String size) throws Exception {
    Path file = folder.resolve(algorithm + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                algorithm,
                size.split("=")[0],
                size.split("=")[1],
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .start();
    String said =
        new String(
            keytool.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    return KeyStore.getInstance(file.toFile(), PASSWORD);
  }

  private Path pem(String name, String title, byte[] der) throws Exception {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return Files.writeString(
        folder.resolve(name),
        "-----BEGIN " + title + "-----\n" + body + "\n-----END " + title + "-----\n");
  }

  @ParameterizedTest
  @CsvSource({"RSA, -keysize=2048", "EC, -groupname=secp256r1"})
  void aListenerWithACertificateSpeaksTls(String algorithm, String size) throws Exception {
    KeyStore keys = newKeys(algorithm, size);
    ServerSettings.Tls tls =
        new ServerSettings.Tls(
            pem("cert.pem", "CERTIFICATE", keys.getCertificate("a").getEncoded()),
            pem("key.pem", "PRIVATE KEY", keys.getKey("a", PASSWORD).getEncoded()));
    ScriptedService service = new ScriptedService();
    HttpServer server =
        new HttpServer(
            new ServerSettings("127.0.0.1", 0, null, false, false, tls, ServerFixture.QUICK),
            new ServerParts(
                "0",
                service,
                service,
                service,
                List::of,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                _ -> {}));
    server.start();
    try (HttpClient client = HttpClient.newBuilder().sslContext(trusting(keys)).build()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("https://localhost:" + server.port() + "/v1/info"))
              .header("Authorization", "Bearer " + ScriptedService.GOOD_KEY)
              .build();
      assertThat(client.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
      client.shutdownNow();
    } finally {
      server.close();
    }
  }

  private static SSLContext trusting(KeyStore keys) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("a", keys.getCertificate("a"));
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  @Test
  void aKeyThatCannotBeUsedIsSaidToBeSo() throws Exception {
    Path nothing = Files.writeString(folder.resolve("x"), "nothing");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PemKeys.load(new ServerSettings.Tls(nothing, nothing)))
        .withMessageContaining("PKCS#8");
  }
}
