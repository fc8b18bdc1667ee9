package dev.microsandbox.agent;

/// Makes texts from a sandbox harmless for logs and messages: control characters, line ends and
/// marks that change the direction of writing are escaped, and the text is shortened.
final class AgentText {
  private static final int FOR_LOG = 200;

  private AgentText() {}

  static String forLog(String text) {
    return harmless(text, FOR_LOG);
  }

  static String harmless(String text, int limit) {
    StringBuilder out = new StringBuilder(Math.min(text.length(), limit) + 8);
    int at = 0;
    while (at < text.length() && out.length() < limit) {
      int c = text.codePointAt(at);
      at += Character.charCount(c);
      if (isHarmless(c)) {
        out.appendCodePoint(c);
      } else {
        out.append(String.format("\\u{%x}", c));
      }
    }
    return at < text.length() ? out.append(" …").toString() : out.toString();
  }

  private static boolean isHarmless(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
