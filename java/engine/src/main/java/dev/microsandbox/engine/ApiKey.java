package dev.microsandbox.engine;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// An API key as it can be shown: without its secret, which only its maker has seen.
///
/// @param id short, to name it by; not secret
/// @param owner the project that the key belongs to
/// @param revokedAt null while it is good
public record ApiKey(
    String id,
    String name,
    String owner,
    Instant createdAt,
    @Nullable Instant lastUsedAt,
    @Nullable Instant revokedAt) {}
