package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeysTest {
  @TempDir Path home;
  EngineFixture fixture;
  KeyService keys;

  @BeforeEach
  void open() {
    fixture = new EngineFixture(home);
    keys = fixture.engine.keys();
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void aKeyStandsForItsOwner() throws Exception {
    NewApiKey made = keys.createKey("project", "ci");
    assertThat(made.secret()).matches("msb_[A-Za-z0-9_-]{43}");
    assertThat(keys.authenticate(made.secret())).isEqualTo(new Caller("project"));
    assertThat(keys.keys()).hasSize(1);
    until(() -> keys.keys().getFirst().lastUsedAt() != null);
  }

  @Test
  void anythingElseIsInvalidInTheSameWords() {
    NewApiKey made = keys.createKey("project", "ci");
    String wrong = made.secret().substring(0, 46) + (made.secret().endsWith("A") ? "B" : "A");
    for (String text : new String[] {"", "msb_", wrong, made.secret() + "x", made.key().id()}) {
      assertCode(ErrorCode.INVALID_KEY, () -> keys.authenticate(text))
          .hasMessage("the API key is unknown or revoked");
    }
  }

  @Test
  void aRevokedKeyIsUseless() {
    NewApiKey made = keys.createKey("project", "ci");
    keys.revokeKey(made.key().id());
    keys.revokeKey(made.key().id());
    assertCode(ErrorCode.INVALID_KEY, () -> keys.authenticate(made.secret()));
    assertCode(ErrorCode.KEY_NOT_FOUND, () -> keys.revokeKey("nothing"));
  }

  @Test
  void keysOutliveTheServer() {
    NewApiKey made = keys.createKey("project", "ci");
    fixture.close();
    fixture = new EngineFixture(home, fixture.host, fixture.clock, Map.of());
    assertThat(fixture.engine.keys().authenticate(made.secret()).owner()).isEqualTo("project");
  }

  @Test
  void theSecretIsNowhereOnTheDiskAndTheDatabaseIsPrivate() throws IOException {
    NewApiKey made = keys.createKey("project", "ci");
    fixture.close();
    byte[] stored = Files.readAllBytes(home.resolve("microsandbox.db"));
    assertThat(new String(stored, StandardCharsets.ISO_8859_1))
        .contains("project")
        .doesNotContain(made.secret().substring(4));
    assertThat(made.toString()).doesNotContain(made.secret());
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(home.resolve("microsandbox.db"))))
        .isEqualTo("rw-------");
    fixture = new EngineFixture(home, fixture.host, fixture.clock, Map.of());
  }
}
