package dev.microsandbox.engine;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Language;
import java.time.Instant;
import java.util.List;

/// An image that sandboxes can be made of.
public record ImageInfo(
    ImageReference name,
    Digest digest,
    ByteSize size,
    List<Language> languages,
    Instant createdAt) {

  public ImageInfo {
    languages = List.copyOf(languages);
  }
}
