package dev.microsandbox.images;

import dev.microsandbox.model.Language;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What an image says of itself, in the terms of the OCI image configuration.
///
/// @param architecture in Go's words: `amd64`, `arm64`
/// @param user that programs run as unless asked otherwise, a name or a number
/// @param workingDirectory absolute, inside
/// @param environment in the image's order
/// @param languages that it has interpreters for, told by the label `dev.microsandbox.interpreter`
/// @param createdAt when it was built
public record ImageConfiguration(
    String architecture,
    String user,
    String workingDirectory,
    Map<String, String> environment,
    List<Language> languages,
    Map<String, String> labels,
    Instant createdAt) {

  public ImageConfiguration {
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    languages = List.copyOf(languages);
    labels = Map.copyOf(labels);
  }
}
