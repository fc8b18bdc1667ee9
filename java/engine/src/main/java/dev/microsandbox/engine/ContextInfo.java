package dev.microsandbox.engine;

import dev.microsandbox.model.Language;

/// One interpreter with its state.
///
/// @param interpreterVersion empty until it is ready
public record ContextInfo(String id, Language language, String interpreterVersion, boolean ready) {}
