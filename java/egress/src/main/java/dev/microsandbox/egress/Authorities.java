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
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/// The certificate authorities that sandboxes are given beside those of their image: the
/// operator's, and those that the host trusts on top of the usual ones.
///
/// Usual is what the Java runtime brings, and what the distribution's package of authorities holds
/// (`/usr/share/ca-certificates`); both follow Mozilla's list, as the images do. So a host's whole
/// bundle of 200 KiB comes down to the one or two that its network has added, and those fit into
/// the 48 KiB that the agent takes.
final class Authorities {
  private static final System.Logger LOG = System.getLogger(Authorities.class.getName());
  private static final Path DISTRIBUTION = Path.of("/usr/share/ca-certificates");
  private static final int MAX_BUNDLE = 48 * 1024;
  private static final long MAX_FILE = 8 << 20;
  private static final String BEGIN = "-----BEGIN CERTIFICATE-----\n";
  private static final String END = "\n-----END CERTIFICATE-----\n";

  private Authorities() {}

  /// PEM of all that is to be added, the operator's first; empty for none.
  ///
  /// @throws SandboxException where a file of the operator's cannot be used
  static byte[] bundle(List<Path> operators, List<Path> hosts) {
    Map<String, X509Certificate> added = new LinkedHashMap<>();
    for (Path file : operators) {
      List<X509Certificate> found = certificates(file);
      if (found.isEmpty()) {
        throw new SandboxException(
            ErrorCode.INVALID_REQUEST,
            "no certificate in the file of authorities "
                + file.getFileName()
                + "; name a readable PEM file");
      }
      found.forEach(certificate -> added.putIfAbsent(fingerprint(certificate), certificate));
    }
    List<X509Certificate> candidates =
        hosts.stream().flatMap(file -> certificates(file).stream()).toList();
    if (!candidates.isEmpty()) {
      Set<String> usual = usual();
      for (X509Certificate certificate : candidates) {
        String fingerprint = fingerprint(certificate);
        if (!usual.contains(fingerprint) && isAuthority(certificate)) {
          added.putIfAbsent(fingerprint, certificate);
        }
      }
    }
    return pem(added.values());
  }

  private static boolean isAuthority(X509Certificate certificate) {
    return certificate.getBasicConstraints() >= 0;
  }

  private static byte[] pem(Collection<X509Certificate> certificates) {
    StringBuilder bundle = new StringBuilder();
    for (X509Certificate certificate : certificates) {
      String one = BEGIN + base64(certificate) + END;
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

  private static String base64(X509Certificate certificate) {
    return Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded(certificate));
  }

  /// Fingerprints of the authorities that every image has.
  private static Set<String> usual() {
    Set<String> usual = new HashSet<>();
    javasOwn().forEach(certificate -> usual.add(fingerprint(certificate)));
    if (Files.isDirectory(DISTRIBUTION)) {
      try (Stream<Path> files = Files.walk(DISTRIBUTION, 3)) {
        files
            .filter(file -> file.toString().endsWith(".crt"))
            .flatMap(file -> certificates(file).stream())
            .forEach(certificate -> usual.add(fingerprint(certificate)));
      } catch (IOException e) {
        LOG.log(System.Logger.Level.DEBUG, "the distribution's authorities cannot be read", e);
      }
    }
    return usual;
  }

  private static List<X509Certificate> javasOwn() {
    try {
      Path file = Path.of(System.getProperty("java.home"), "lib/security/cacerts");
      KeyStore store = KeyStore.getInstance(file.toFile(), (char[]) null);
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return Stream.of(factory.getTrustManagers())
          .filter(X509TrustManager.class::isInstance)
          .flatMap(manager -> Stream.of(((X509TrustManager) manager).getAcceptedIssuers()))
          .toList();
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      LOG.log(System.Logger.Level.DEBUG, "the Java runtime's authorities cannot be read", e);
      return List.of();
    }
  }

  /// Those of a PEM file that can be read as such; others are passed over.
  private static List<X509Certificate> certificates(Path file) {
    List<X509Certificate> found = new ArrayList<>();
    try {
      if (!Files.isReadable(file) || Files.size(file) > MAX_FILE) {
        return List.of();
      }
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      for (String block :
          Files.readString(file, StandardCharsets.ISO_8859_1).split("(?=-----BEGIN)")) {
        if (block.startsWith("-----BEGIN CERTIFICATE-----")
            || block.startsWith("-----BEGIN TRUSTED CERTIFICATE-----")) {
          found.addAll(one(factory, block));
        }
      }
    } catch (IOException | CertificateException e) {
      LOG.log(System.Logger.Level.DEBUG, "a file of authorities cannot be read", e);
    }
    return found;
  }

  private static List<X509Certificate> one(CertificateFactory factory, String block) {
    try {
      return List.of(
          (X509Certificate)
              factory.generateCertificate(
                  new ByteArrayInputStream(block.getBytes(StandardCharsets.ISO_8859_1))));
    } catch (CertificateException _) {
      return Collections.emptyList();
    }
  }

  private static String fingerprint(X509Certificate certificate) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(encoded(certificate)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every runtime has SHA-256
    }
  }

  private static byte[] encoded(X509Certificate certificate) {
    try {
      return certificate.getEncoded();
    } catch (CertificateException e) {
      throw new IllegalStateException(e); // it was decoded from just that
    }
  }
}
