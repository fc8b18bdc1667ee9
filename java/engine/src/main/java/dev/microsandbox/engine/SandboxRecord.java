package dev.microsandbox.engine;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.model.Digest;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A sandbox as it is stored. Its disk belongs to exactly this image, so the digest is kept.
record SandboxRecord(
    SandboxId id,
    SandboxSpec spec,
    Digest image,
    List<Language> languages,
    IsolationKind isolation,
    IdRange ids,
    SandboxState state,
    Instant createdAt,
    @Nullable Instant startedAt,
    @Nullable Instant stoppedAt,
    @Nullable Instant expiresAt,
    @Nullable EndReason endReason) {

  SandboxRecord {
    languages = List.copyOf(languages);
  }

  SandboxInfo info() {
    return new SandboxInfo(
        id, spec, isolation, state, languages, createdAt, startedAt, stoppedAt, expiresAt,
        endReason);
  }

  /// The same under an id and a range of its own.
  SandboxRecord as(SandboxId itsId, IdRange itsRange) {
    return new SandboxRecord(
        itsId, spec, image, languages, isolation, itsRange, state, createdAt, startedAt, stoppedAt,
        expiresAt, endReason);
  }

  SandboxRecord in(SandboxState next) {
    return new SandboxRecord(
        id, spec, image, languages, isolation, ids, next, createdAt, startedAt, stoppedAt,
        expiresAt, endReason);
  }

  SandboxRecord runningSince(Instant now) {
    return new SandboxRecord(
        id,
        spec,
        image,
        languages,
        isolation,
        ids,
        SandboxState.RUNNING,
        createdAt,
        now,
        null,
        expiresAt,
        null);
  }

  /// On its way to be stopped or removed for this reason.
  SandboxRecord ending(SandboxState via, EndReason reason) {
    return new SandboxRecord(
        id, spec, image, languages, isolation, ids, via, createdAt, startedAt, stoppedAt, expiresAt,
        reason);
  }

  SandboxRecord stopped(Instant now, EndReason reason) {
    return new SandboxRecord(
        id,
        spec,
        image,
        languages,
        isolation,
        ids,
        SandboxState.STOPPED,
        createdAt,
        startedAt,
        now,
        expiresAt,
        reason);
  }

  SandboxRecord limited(SandboxSpec changed, @Nullable Instant expires) {
    return new SandboxRecord(
        id, changed, image, languages, isolation, ids, state, createdAt, startedAt, stoppedAt,
        expires, endReason);
  }
}
