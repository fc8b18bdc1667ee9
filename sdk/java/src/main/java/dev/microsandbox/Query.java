package dev.microsandbox;

import org.jspecify.annotations.Nullable;

/// The query of a path; what is null is left out.
final class Query {
  private final StringBuilder text = new StringBuilder();

  Query add(String name, @Nullable Object value) {
    if (value != null) {
      text.append(text.isEmpty() ? '?' : '&')
          .append(name)
          .append('=')
          .append(Call.escape(value.toString()));
    }
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
