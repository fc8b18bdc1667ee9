package dev.microsandbox.model;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Names an image as users write it: `microsandbox/python`, or `python` for short.
public record ImageReference(String name) {
  private static final String OURS = "microsandbox/";
  private static final String LATEST = ":latest";
  private static final Set<String> DEFAULTS = Set.of("python", "node");
  private static final Pattern FORM =
      Pattern.compile("[a-z0-9]+(?:[._/-][a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?");
  private static final int MAXIMUM_LENGTH = 255;

  public static final ImageReference PYTHON = new ImageReference(OURS + "python");
  public static final ImageReference NODE = new ImageReference(OURS + "node");

  public ImageReference {
    if (name.length() > MAXIMUM_LENGTH || !FORM.matcher(name).matches()) {
      throw new SandboxException(
          ErrorCode.IMAGE_NOT_FOUND, "not an image's name; an example: microsandbox/python");
    }
  }

  /// Reads a user's text; a name without a slash is one of ours.
  public static ImageReference parse(String text) {
    return new ImageReference(text.indexOf('/') < 0 ? OURS + text : text);
  }

  /// What follows `microsandbox/`, such as `python`; empty where the name is not one of ours. The
  /// tag `latest` means the same as none.
  public Optional<String> shortName() {
    if (!name.startsWith(OURS)) {
      return Optional.empty();
    }
    String rest = name.substring(OURS.length());
    String untagged =
        rest.endsWith(LATEST) ? rest.substring(0, rest.length() - LATEST.length()) : rest;
    return untagged.indexOf('/') < 0 && untagged.indexOf(':') < 0
        ? Optional.of(untagged)
        : Optional.empty();
  }

  /// Whether it is one of the images that are built here by recipe.
  public boolean isDefault() {
    return shortName().filter(DEFAULTS::contains).isPresent();
  }

  @Override
  public String toString() {
    return name;
  }
}
