package dev.microsandbox.engine;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.Digest;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// Rows of `sandboxes`. The methods run within a caller's transaction.
final class SandboxTable {
  private static final JsonMapper JSON = new JsonMapper();
  private static final TypeReference<Map<String, String>> PAIRS = new TypeReference<>() {};

  private static final String INSERT =
      """
      INSERT INTO sandboxes (id, owner, namespace, name, image, image_digest, languages, isolation,
        state, memory, cpus, processes, disk, environment, labels, network, idle_timeout, ephemeral,
        created_at, started_at, stopped_at, expires_at, end_reason)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """;
  private static final String UPDATE =
      """
      UPDATE sandboxes SET state = ?, idle_timeout = ?, started_at = ?, stopped_at = ?, expires_at = ?,
        end_reason = ? WHERE id = ?
      """;
  private static final String SELECT =
      """
      SELECT s.*, r.start FROM sandboxes s JOIN id_ranges r ON r.sandbox_id = s.id
      ORDER BY s.created_at, s.id
      """;

  private SandboxTable() {}

  static void insert(Statements statements, SandboxRecord row) throws SQLException {
    SandboxSpec spec = row.spec();
    PreparedStatement statement = statements.of(INSERT);
    Columns columns = new Columns(statement);
    columns.text(row.id().value());
    columns.text(spec.owner());
    columns.text(spec.namespace());
    columns.text(spec.name().value());
    columns.text(spec.image().name());
    columns.text(row.image().hex());
    columns.text(row.languages().stream().map(Language::wireName).collect(Collectors.joining(",")));
    columns.text(row.isolation().wireName());
    columns.text(row.state().wireName());
    columns.number(spec.limits().memory().bytes());
    columns.real(spec.limits().cpus());
    columns.number(spec.limits().processes());
    columns.number(spec.limits().disk().bytes());
    columns.text(JSON.writeValueAsString(spec.environment()));
    columns.text(JSON.writeValueAsString(spec.labels()));
    columns.text(spec.network().wireName());
    columns.number(spec.idleTimeout().toMillis());
    columns.number(spec.ephemeral() ? 1 : 0);
    columns.time(row.createdAt());
    columns.time(row.startedAt());
    columns.time(row.stoppedAt());
    columns.time(row.expiresAt());
    columns.text(row.endReason() == null ? null : row.endReason().wireName());
    statement.executeUpdate();
  }

  /// Stores what can change in a sandbox's life.
  static void update(Statements statements, SandboxRecord row) throws SQLException {
    PreparedStatement statement = statements.of(UPDATE);
    Columns columns = new Columns(statement);
    columns.text(row.state().wireName());
    columns.number(row.spec().idleTimeout().toMillis());
    columns.time(row.startedAt());
    columns.time(row.stoppedAt());
    columns.time(row.expiresAt());
    columns.text(row.endReason() == null ? null : row.endReason().wireName());
    columns.text(row.id().value());
    statement.executeUpdate();
  }

  static void delete(Statements statements, SandboxId id) throws SQLException {
    PreparedStatement statement = statements.of("DELETE FROM sandboxes WHERE id = ?");
    statement.setString(1, id.value());
    statement.executeUpdate();
  }

  static List<SandboxRecord> all(Statements statements) throws SQLException {
    List<SandboxRecord> all = new ArrayList<>();
    try (ResultSet rows = statements.of(SELECT).executeQuery()) {
      while (rows.next()) {
        all.add(read(rows));
      }
    }
    return all;
  }

  private static SandboxRecord read(ResultSet row) throws SQLException {
    String reason = row.getString("end_reason");
    Instant created = Instant.ofEpochMilli(row.getLong("created_at"));
    Instant expires = time(row, "expires_at");
    return new SandboxRecord(
        new SandboxId(row.getString("id")),
        readSpec(row, created, expires),
        new Digest(row.getString("image_digest")),
        readLanguages(row.getString("languages")),
        IsolationKind.valueOf(upper(row.getString("isolation"))),
        new IdRange(row.getInt("start")),
        SandboxState.valueOf(upper(row.getString("state"))),
        created,
        time(row, "started_at"),
        time(row, "stopped_at"),
        expires,
        reason == null ? null : EndReason.valueOf(upper(reason)));
  }

  private static SandboxSpec readSpec(ResultSet row, Instant created, @Nullable Instant expires)
      throws SQLException {
    return new SandboxSpec(
        row.getString("owner"),
        row.getString("namespace"),
        new SandboxName(row.getString("name")),
        new ImageReference(row.getString("image")),
        IsolationKind.valueOf(upper(row.getString("isolation"))),
        new Limits(
            new ByteSize(row.getLong("memory")),
            row.getDouble("cpus"),
            row.getInt("processes"),
            new ByteSize(row.getLong("disk"))),
        JSON.readValue(row.getString("environment"), PAIRS),
        JSON.readValue(row.getString("labels"), PAIRS),
        NetworkPolicy.valueOf(upper(row.getString("network"))),
        expires == null ? null : Duration.between(created, expires),
        Duration.ofMillis(row.getLong("idle_timeout")),
        row.getInt("ephemeral") != 0);
  }

  private static List<Language> readLanguages(String text) {
    return Arrays.stream(text.split(","))
        .filter(word -> !word.isEmpty())
        .map(Language::parse)
        .toList();
  }

  private static String upper(String wireName) {
    return wireName.toUpperCase(Locale.ROOT);
  }

  private static @Nullable Instant time(ResultSet row, String column) throws SQLException {
    long millis = row.getLong(column);
    return row.wasNull() ? null : Instant.ofEpochMilli(millis);
  }
}
