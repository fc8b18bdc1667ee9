package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxName;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The contexts of a running sandbox: a default one for each of its image's languages, and those
/// that callers have opened.
final class Contexts {
  private static final int MOST = 16;

  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final List<Language> languages;

  Contexts(List<Language> languages) {
    this.languages = languages;
    for (Language language : languages) {
      entries.put(language.wireName(), new Entry(language));
    }
  }

  private static final class Entry {
    final Language language;
    final ContextQueue queue = new ContextQueue();
    String version = "";
    boolean ready;

    Entry(Language language) {
      this.language = language;
    }
  }

  /// The id of the context that a caller means: an opened one, or a language's default.
  synchronized String resolve(String text) {
    if (entries.containsKey(text)) {
      return text;
    }
    Language language = languageOf(text);
    if (language == null) {
      throw notFound();
    }
    if (!languages.contains(language)) {
      throw unknownLanguage();
    }
    return language.wireName();
  }

  private static @Nullable Language languageOf(String text) {
    try {
      return Language.parse(text);
    } catch (SandboxException _) {
      return null;
    }
  }

  synchronized ContextQueue queue(String id) {
    Entry entry = entries.get(id);
    if (entry == null) {
      throw notFound();
    }
    return entry.queue;
  }

  /// Makes room for a new one before it is opened.
  synchronized void add(String id, Language language) {
    if (!languages.contains(language)) {
      throw unknownLanguage();
    }
    if (entries.containsKey(id)) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST, "a context of this name is open", Map.of("field", "context"));
    }
    if (entries.size() >= MOST) {
      throw new SandboxException(
          ErrorCode.TOO_MANY_PROCESSES, "16 contexts are open; close one first");
    }
    entries.put(id, new Entry(language));
  }

  synchronized void requireClosable(String id) {
    Entry entry = entries.get(id);
    if (entry == null) {
      throw notFound();
    }
    if (id.equals(entry.language.wireName())) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST,
          "a language's default context stays open",
          Map.of("field", "context"));
    }
  }

  synchronized void remove(String id) {
    entries.remove(id);
  }

  /// Waits until the interpreters of all contexts are ready.
  ///
  /// @return false where they are not by then
  synchronized boolean awaitReady(Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    while (!entries.values().stream().allMatch(entry -> entry.ready)) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      try {
        wait(left / 1_000_000 + 1);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return true;
  }

  /// What an agent says; it can speak only of contexts that the host knows.
  synchronized void changed(dev.microsandbox.agent.ContextInfo context) {
    Entry entry = entries.get(context.id());
    if (entry != null) {
      entry.ready = context.ready();
      notifyAll();
      if (!context.interpreterVersion().isEmpty()) {
        entry.version = context.interpreterVersion();
      }
    }
  }

  /// What an agent says is open in a sandbox that an earlier server left: as far as a server could
  /// have opened it.
  synchronized void found(dev.microsandbox.agent.ContextInfo context) {
    Language language = languageOf(context.language());
    if (language != null
        && languages.contains(language)
        && isName(context.id())
        && !entries.containsKey(context.id())
        && entries.size() < MOST) {
      entries.put(context.id(), new Entry(language));
    }
    changed(context);
  }

  private static boolean isName(String id) {
    try {
      SandboxName.check(id, "context");
      return true;
    } catch (SandboxException _) {
      return false;
    }
  }

  synchronized boolean contains(String id) {
    return entries.containsKey(id);
  }

  synchronized ContextInfo info(String id) {
    Entry entry = entries.get(id);
    if (entry == null) {
      throw notFound();
    }
    return new ContextInfo(id, entry.language, entry.version, entry.ready);
  }

  synchronized List<ContextInfo> list() {
    return entries.entrySet().stream()
        .map(pair ->
            new ContextInfo(
                pair.getKey(),
                pair.getValue().language,
                pair.getValue().version,
                pair.getValue().ready))
        .toList();
  }

  private SandboxException unknownLanguage() {
    return new SandboxException(
        ErrorCode.UNKNOWN_LANGUAGE,
        "the sandbox's image has no interpreter of this language; it has "
            + languages.stream().map(Language::wireName).toList());
  }

  private static SandboxException notFound() {
    return new SandboxException(
        ErrorCode.CONTEXT_NOT_FOUND, "no such context; open one, or use python or node");
  }
}
