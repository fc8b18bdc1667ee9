package dev.microsandbox.server;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/// Reads the listener's certificate and key from PEM files, as other servers take them.
final class PemKeys {
  /// Guards nothing: the store never leaves this process.
  static final String PASSWORD = "memory";

  private static final List<String> ALGORITHMS = List.of("EC", "RSA", "Ed25519");

  private PemKeys() {}

  /// @throws IllegalArgumentException says which file is not usable
  static KeyStore load(ServerSettings.Tls tls) {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      Certificate[] chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(tls.certificate())))
              .toArray(Certificate[]::new);
      store.setKeyEntry("server", key(Files.readString(tls.key())), PASSWORD.toCharArray(), chain);
      return store;
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the TLS certificate or key cannot be used; both are PEM files, the key in PKCS#8"
              + " (`openssl pkcs8 -topk8 -nodes` converts one)",
          e);
    }
  }

  private static PrivateKey key(String pem) throws GeneralSecurityException {
    String begin = "-----BEGIN PRIVATE KEY-----";
    int start = pem.indexOf(begin);
    int end = pem.indexOf("-----END PRIVATE KEY-----");
    if (start < 0 || end < start) {
      throw new InvalidKeySpecException("no PKCS#8 key");
    }
    String body = pem.substring(start + begin.length(), end);
    byte[] der = Base64.getMimeDecoder().decode(body.getBytes(StandardCharsets.US_ASCII));
    for (String algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      } catch (InvalidKeySpecException _) {
        // Tries the next one.
      }
    }
    throw new InvalidKeySpecException("an unknown kind of key");
  }
}
