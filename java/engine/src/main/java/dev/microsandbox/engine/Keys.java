package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxName;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// API keys: 32 random bytes behind `msb_`, of which only the SHA-256 is kept (so much randomness
/// needs no slow hash).
final class Keys implements KeyService {
  private static final String PREFIX = "msb_";
  private static final int LONGEST_NAME = 100;

  /// How exactly a key's last use is known; each step costs a write.
  private static final Duration USE_STEP = Duration.ofMinutes(1);

  private final SecureRandom random = new SecureRandom();
  private final KeyTable table;
  private final EngineClock clock;
  private final Map<String, Instant> lastUse = new ConcurrentHashMap<>();
  private volatile List<KeyTable.Row> rows;

  Keys(KeyTable table, EngineClock clock) {
    this.table = table;
    this.clock = clock;
    this.rows = table.all();
  }

  @Override
  public synchronized NewApiKey createKey(String owner, String name) {
    SandboxName.check(owner, "owner");
    if (name.length() > LONGEST_NAME || name.chars().anyMatch(Character::isISOControl)) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST,
          "a key's name has at most 100 characters, none of them control characters",
          Map.of("field", "name"));
    }
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    String secret = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    byte[] idBytes = new byte[6];
    random.nextBytes(idBytes);
    ApiKey key =
        new ApiKey(HexFormat.of().formatHex(idBytes), name, owner, clock.now(), null, null);
    table.insert(new KeyTable.Row(key, hash(secret)));
    rows = table.all();
    return new NewApiKey(key, secret);
  }

  @Override
  public List<ApiKey> keys() {
    return table.all().stream().map(KeyTable.Row::key).toList();
  }

  @Override
  public synchronized void revokeKey(String id) {
    ApiKey key =
        rows.stream()
            .map(KeyTable.Row::key)
            .filter(row -> row.id().equals(id))
            .findFirst()
            .orElseThrow(() ->
                new SandboxException(
                    ErrorCode.KEY_NOT_FOUND, "no API key of this id; list them with msb key ls"));
    if (key.revokedAt() == null) {
      table.revoked(id, clock.now());
      rows = table.all();
    }
  }

  @Override
  public Caller authenticate(String secret) {
    byte[] hash = hash(secret);
    ApiKey found = null;
    for (KeyTable.Row row : rows) {
      // All rows are looked at, each in constant time, so that the time tells nothing.
      if (MessageDigest.isEqual(row.hash(), hash) && row.key().revokedAt() == null) {
        found = row.key();
      }
    }
    if (found == null) {
      throw new SandboxException(ErrorCode.INVALID_KEY, "the API key is unknown or revoked");
    }
    noteUse(found.id());
    return new Caller(found.owner());
  }

  private void noteUse(String id) {
    Instant now = clock.now();
    Instant before = lastUse.get(id);
    if (before != null && Duration.between(before, now).abs().compareTo(USE_STEP) < 0) {
      return;
    }
    lastUse.put(id, now);
    // The thread that reads all connections may have come with the key.
    Thread.startVirtualThread(() -> writeUse(id, now));
  }

  private void writeUse(String id, Instant now) {
    try {
      table.used(id, now);
    } catch (SandboxException e) {
      System.getLogger(Keys.class.getName())
          .log(System.Logger.Level.WARNING, "a key's use could not be noted", e);
    }
  }

  private static byte[] hash(String secret) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
