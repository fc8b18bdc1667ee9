package dev.microsandbox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuthoritiesTest {
  @TempDir Path folder;

  @Test
  void ofAWholeBundleOnlyWhatTheNetworkHasAddedIsPassedOn() throws Exception {
    Path own = authority("Our Network CA", true);
    Path bundle = folder.resolve("bundle.pem");
    Files.writeString(bundle, javasOwn() + Files.readString(own));
    Path usual = Files.createDirectory(folder.resolve("usual"));
    Files.writeString(usual.resolve("all.crt"), javasOwn());
    assertThat(subjects(Authorities.bundle(List.of(), List.of(bundle), List.of(usual))))
        .containsExactly("CN=Our Network CA");
  }

  @Test
  void thisHostsOwnAdditionsArePassedOnAndFit() throws Exception {
    Path local = Path.of("/usr/local/share/ca-certificates");
    List<Path> additions = new ArrayList<>();
    if (Files.isDirectory(local)) {
      try (var files = Files.list(local)) {
        files.filter(file -> file.toString().endsWith(".crt")).forEach(additions::add);
      }
    }
    byte[] bundle = Authorities.bundle(List.of(), HostNetworkSettings.read().authorities());
    assertThat(bundle.length).isLessThanOrEqualTo(48 * 1024);
    for (Path addition : additions) {
      assertThat(subjects(bundle))
          .containsAll(
              subjects(Authorities.bundle(Authorities.ofOperator(List.of(addition)), List.of())));
    }
  }

  @Test
  void theOperatorsComeFirstAndNothingTwice() throws Exception {
    Path operators = authority("Operator CA", true);
    Path network = authority("Our Network CA", true);
    assertThat(
            subjects(
                Authorities.bundle(
                    Authorities.ofOperator(List.of(operators)),
                    List.of(network, operators, network))))
        .containsExactly("CN=Operator CA", "CN=Our Network CA");
  }

  @Test
  void aHostsCertificateThatIsNoAuthorityIsLeftOut() throws Exception {
    assertThat(Authorities.bundle(List.of(), List.of(authority("server", false)))).isEmpty();
  }

  @Test
  void aBrokenFileOfTheHostsIsPassedOverAndOneOfTheOperatorsIsAnError() throws Exception {
    Path broken = folder.resolve("broken.pem");
    Files.writeString(broken, "-----BEGIN CERTIFICATE-----\nbm90\n-----END CERTIFICATE-----\n");
    assertThat(Authorities.bundle(List.of(), List.of(broken, folder.resolve("none")))).isEmpty();
    assertThatThrownBy(() -> Authorities.ofOperator(List.of(broken)))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("broken.pem")
        .hasMessageNotContaining(folder.toString());
  }

  @Test
  void whatDoesNotFitIsLeftOut() throws Exception {
    List<Path> many = new ArrayList<>();
    String all = Files.readString(authority("Operator CA", true)) + javasOwn();
    Path file = folder.resolve("all.pem");
    Files.writeString(file, all);
    many.add(file);
    byte[] bundle = Authorities.bundle(Authorities.ofOperator(many), List.of());
    assertThat(bundle.length).isBetween(40 * 1024, 48 * 1024);
    assertThat(subjects(bundle).getFirst()).isEqualTo("CN=Operator CA");
  }

  private static List<String> subjects(byte[] pem) throws Exception {
    return CertificateFactory.getInstance("X.509")
        .generateCertificates(new ByteArrayInputStream(pem))
        .stream()
        .map(certificate -> ((X509Certificate) certificate).getSubjectX500Principal().getName())
        .toList();
  }

  private static String javasOwn() throws Exception {
    Path file = Path.of(System.getProperty("java.home"), "lib/security/cacerts");
    KeyStore store = KeyStore.getInstance(file.toFile(), (char[]) null);
    StringBuilder pem = new StringBuilder();
    for (String alias : Collections.list(store.aliases())) {
      pem.append("-----BEGIN CERTIFICATE-----\n")
          .append(Base64.getMimeEncoder().encodeToString(store.getCertificate(alias).getEncoded()))
          .append("\n-----END CERTIFICATE-----\n");
    }
    return pem.toString();
  }

  /// A new self-signed certificate, made by the JDK's own tool.
  private Path authority(String name, boolean authority) throws Exception {
    Path store = folder.resolve(name + ".p12");
    Path pem = folder.resolve(name + ".pem");
    keytool(
        "-genkeypair",
        "-keyalg",
        "EC",
        "-alias",
        "a",
        "-dname",
        "CN=" + name,
        "-ext",
        authority ? "bc:c" : "eku=serverAuth",
        "-keystore",
        store.toString(),
        "-storepass",
        "changeit");
    keytool(
        "-exportcert",
        "-rfc",
        "-alias",
        "a",
        "-keystore",
        store.toString(),
        "-storepass",
        "changeit",
        "-file",
        pem.toString());
    return pem;
  }

  private static void keytool(String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/keytool").toString());
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
