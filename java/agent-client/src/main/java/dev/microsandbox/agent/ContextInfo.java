package dev.microsandbox.agent;

/// A context as its agent describes it.
///
/// @param interpreterVersion empty until it is ready
public record ContextInfo(String id, String language, String interpreterVersion, boolean ready) {}
