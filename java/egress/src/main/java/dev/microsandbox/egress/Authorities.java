package dev.microsandbox.egress;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The certificate authorities that sandboxes are given beside those of their image: the
/// operator's, and those that the host trusts on top of the usual ones.
///
/// Usual is what the distribution's own list holds, which follows Mozilla's as the images' does;
/// where there is no such list, what the Java runtime brings (unless a package has linked that to
/// the system's bundle). So a host's whole bundle of 200 KiB comes down to the one or two that its
/// network has added, and those fit into the 48 KiB that the agent takes.
///
/// Certificates are compared by their bytes; only those that are not usual are ever decoded, which
/// keeps this out of the server's start-up time.
final class Authorities {
  private static final System.Logger LOG = System.getLogger(Authorities.class.getName());
  private static final List<Path> DISTRIBUTIONS =
      List.of(
          Path.of("/usr/share/ca-certificates/mozilla"), Path.of("/usr/share/pki/ca-trust-source"));
  private static final int MAX_BUNDLE = 48 * 1024;
  private static final long MAX_FILE = 8 << 20;
  private static final Pattern PEM =
      Pattern.compile("-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\\s]+)-----END CERTIFICATE-----");

  private Authorities() {}

  /// The certificates of the operator's files, each as its base64 text.
  ///
  /// @throws SandboxException where a file cannot be used
  static List<String> ofOperator(List<Path> files) {
    return files.stream().flatMap(file -> operators(file).stream()).toList();
  }

  /// PEM of all that is to be added, the operator's first; empty for none.
  ///
  /// @param operators as [#ofOperator] gives them
  static byte[] bundle(List<String> operators, List<Path> hosts) {
    return bundle(operators, hosts, DISTRIBUTIONS);
  }

  /// @param distributions folders of the usual authorities
  static byte[] bundle(List<String> operators, List<Path> hosts, List<Path> distributions) {
    Set<String> added = new LinkedHashSet<>(operators);
    Set<String> candidates = new LinkedHashSet<>();
    hosts.forEach(file -> candidates.addAll(certificates(file)));
    if (!candidates.isEmpty()) {
      candidates.removeAll(usual(distributions));
      candidates.removeIf(certificate -> decoded(certificate).filter(Authorities::signs).isEmpty());
      added.addAll(candidates);
    }
    return pem(added);
  }

  private static List<String> operators(Path file) {
    List<String> found = certificates(file);
    if (found.isEmpty() || found.stream().anyMatch(one -> decoded(one).isEmpty())) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST,
          "no usable certificate in the file of authorities "
              + file.getFileName()
              + "; name a readable PEM file");
    }
    return found;
  }

  private static boolean signs(X509Certificate certificate) {
    return certificate.getBasicConstraints() >= 0;
  }

  private static byte[] pem(Collection<String> certificates) {
    StringBuilder bundle = new StringBuilder();
    for (String certificate : certificates) {
      String one =
          "-----BEGIN CERTIFICATE-----\n"
              + certificate.replaceAll("(.{64})(?=.)", "$1\n")
              + "\n-----END CERTIFICATE-----\n";
      if (bundle.length() + one.length() > MAX_BUNDLE) {
        LOG.log(
            System.Logger.Level.WARNING,
            "not all of the host''s {0} additional authorities fit into what sandboxes are given",
            certificates.size());
        break;
      }
      bundle.append(one);
    }
    return bundle.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /// The authorities that every image has.
  private static Set<String> usual(List<Path> distributions) {
    Set<String> usual = new HashSet<>();
    for (Path folder : distributions.stream().filter(Files::isDirectory).toList()) {
      try (Stream<Path> files = Files.walk(folder, 2)) {
        files.filter(Files::isRegularFile).forEach(file -> usual.addAll(certificates(file)));
      } catch (IOException e) {
        LOG.log(System.Logger.Level.DEBUG, "the distribution's authorities cannot be read", e);
      }
    }
    return usual.isEmpty() ? javasOwn() : usual;
  }

  private static Set<String> javasOwn() {
    Set<String> found = new HashSet<>();
    try {
      Path home = Path.of(System.getProperty("java.home")).toRealPath();
      Path file = home.resolve("lib/security/cacerts").toRealPath();
      if (file.startsWith(home)) {
        KeyStore store = KeyStore.getInstance(file.toFile(), (char[]) null);
        for (String alias : Collections.list(store.aliases())) {
          Certificate certificate = store.getCertificate(alias);
          found.add(Base64.getEncoder().encodeToString(certificate.getEncoded()));
        }
      }
    } catch (IOException | GeneralSecurityException e) {
      LOG.log(System.Logger.Level.DEBUG, "the Java runtime's authorities cannot be read", e);
    }
    return found;
  }

  /// Those of a PEM file, each as its base64 text without white space.
  private static List<String> certificates(Path file) {
    List<String> found = new ArrayList<>();
    try {
      if (Files.isReadable(file) && Files.size(file) <= MAX_FILE) {
        Matcher blocks = PEM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
        while (blocks.find()) {
          found.add(blocks.group(1).replaceAll("\\s", ""));
        }
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "a file of authorities cannot be read", e);
    }
    return found;
  }

  private static Optional<X509Certificate> decoded(String base64) {
    try {
      byte[] bytes = Base64.getDecoder().decode(base64);
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      return Optional.of(
          (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(bytes)));
    } catch (CertificateException | IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
