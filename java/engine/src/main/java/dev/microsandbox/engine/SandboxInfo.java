package dev.microsandbox.engine;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is known about a sandbox at one moment.
///
/// @param spec as it was created, with the defaults filled in
/// @param languages that its image has interpreters for
/// @param startedAt of the present or last run of its processes
/// @param stoppedAt null while it runs
/// @param expiresAt end of its time to live; null for none
/// @param endReason why its processes ended last; null while it runs
public record SandboxInfo(
    SandboxId id,
    SandboxSpec spec,
    IsolationKind isolation,
    SandboxState state,
    List<Language> languages,
    Instant createdAt,
    @Nullable Instant startedAt,
    @Nullable Instant stoppedAt,
    @Nullable Instant expiresAt,
    @Nullable EndReason endReason) {

  public SandboxInfo {
    languages = List.copyOf(languages);
  }
}
