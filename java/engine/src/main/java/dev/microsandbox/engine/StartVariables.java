package dev.microsandbox.engine;

import dev.microsandbox.model.Language;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Variables that act at an interpreter's start and not after it: the table of
/// `spec/start-variables.json`, which a test holds this one to.
final class StartVariables {
  static final Table ALL =
      new Table(
          Set.of(
              "GLIBC_TUNABLES",
              "HOME",
              "LANG",
              "LANGUAGE",
              "LOCPATH",
              "NLSPATH",
              "OPENSSL_CONF",
              "PATH"),
          Set.of("LC_", "LD_", "MALLOC_"));

  static final Map<Language, Table> BY_LANGUAGE =
      Map.of(
          Language.PYTHON,
          new Table(Set.of(), Set.of("PYTHON")),
          Language.NODE,
          new Table(
              Set.of(
                  "NODE_COMPILE_CACHE",
                  "NODE_DEBUG",
                  "NODE_DEBUG_NATIVE",
                  "NODE_DISABLE_COMPILE_CACHE",
                  "NODE_EXTRA_CA_CERTS",
                  "NODE_ICU_DATA",
                  "NODE_NO_WARNINGS",
                  "NODE_OPTIONS",
                  "NODE_PATH",
                  "NODE_PENDING_DEPRECATION",
                  "NODE_PRESERVE_SYMLINKS",
                  "NODE_PRESERVE_SYMLINKS_MAIN",
                  "NODE_REDIRECT_WARNINGS",
                  "NODE_USE_ENV_PROXY",
                  "NODE_USE_SYSTEM_CA",
                  "NODE_V8_COVERAGE",
                  "SSL_CERT_DIR",
                  "SSL_CERT_FILE"),
              Set.of("UV_")));

  private StartVariables() {}

  /// @param prefixes each stands for every name that begins with it
  record Table(Set<String> names, Set<String> prefixes) {
    boolean has(String name) {
      return names.contains(name) || prefixes.stream().anyMatch(name::startsWith);
    }
  }

  /// The languages whose interpreters have to be started anew for what is given.
  ///
  /// @param started with what the interpreters that run have been started: the image's variables
  static List<Language> renewed(
      List<Language> languages, Map<String, String> given, Map<String, String> started) {
    return languages.stream()
        .filter(language ->
            given.entrySet().stream()
                .filter(pair -> !pair.getValue().equals(started.get(pair.getKey())))
                .anyMatch(pair -> actsAtStart(language, pair.getKey())))
        .toList();
  }

  private static boolean actsAtStart(Language language, String name) {
    Table own = BY_LANGUAGE.get(language);
    return ALL.has(name) || (own != null && own.has(name));
  }
}
