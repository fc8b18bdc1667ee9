package dev.microsandbox.images;

import dev.microsandbox.model.Digest;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads an image's `config.json`: bounded, every field that is used present and of its type.
/// Fields that are not used are passed over, as the OCI specification wants it.
final class ConfigurationReader {
  static final int MAXIMUM_BYTES = 256 * 1024;
  private static final int MAXIMUM_ENTRIES = 256;
  private static final String INTERPRETER = "dev.microsandbox.interpreter";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private ConfigurationReader() {}

  /// Reads the configuration of the image whose root filesystem has the given digest.
  static ImageConfiguration read(Path file, Digest digest)
      throws IOException, DamagedImageException {
    return parse(contents(file), digest);
  }

  static ImageConfiguration parse(byte[] json, Digest digest) throws DamagedImageException {
    JsonNode document;
    try {
      document = JSON.readTree(json);
    } catch (JacksonException e) {
      throw new DamagedImageException("its configuration is not valid JSON", e);
    }
    requireEqual("os", "linux", text(document, "os"));
    requireEqual("rootfs.diff_ids", digest.toString(), onlyLayer(document.path("rootfs")));
    JsonNode config = document.path("config");
    Map<String, String> labels = labels(config.path("Labels"));
    return new ImageConfiguration(
        text(document, "architecture"),
        text(config, "User"),
        absolute(text(config, "WorkingDir")),
        environment(config.path("Env")),
        languages(labels),
        labels,
        instant(text(document, "created")));
  }

  private static byte[] contents(Path file) throws IOException, DamagedImageException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAXIMUM_BYTES + 1);
      if (bytes.length > MAXIMUM_BYTES) {
        throw new DamagedImageException("its configuration is too large");
      }
      return bytes;
    } catch (NoSuchFileException e) {
      throw new DamagedImageException("its configuration is missing", e);
    }
  }

  private static String text(JsonNode object, String field) throws DamagedImageException {
    return text(object.path(field), field, true);
  }

  private static String text(JsonNode value, String field, boolean required)
      throws DamagedImageException {
    if (!value.isString()
        || value.stringValue().indexOf('\0') >= 0
        || (required && value.stringValue().isEmpty())) {
      throw wrong(field);
    }
    return value.stringValue();
  }

  private static String absolute(String path) throws DamagedImageException {
    if (!path.startsWith("/")) {
      throw wrong("WorkingDir");
    }
    return path;
  }

  private static String onlyLayer(JsonNode rootfs) throws DamagedImageException {
    JsonNode layers = rootfs.path("diff_ids");
    if (!layers.isArray() || layers.size() != 1) {
      throw wrong("rootfs.diff_ids");
    }
    return text(layers.path(0), "rootfs.diff_ids", true);
  }

  private static Map<String, String> environment(JsonNode entries) throws DamagedImageException {
    if (!entries.isArray() || entries.size() > MAXIMUM_ENTRIES) {
      throw wrong("Env");
    }
    Map<String, String> environment = new LinkedHashMap<>();
    for (JsonNode entry : entries) {
      String assignment = text(entry, "Env", true);
      int equals = assignment.indexOf('=');
      if (equals < 1) {
        throw wrong("Env");
      }
      environment.put(assignment.substring(0, equals), assignment.substring(equals + 1));
    }
    return environment;
  }

  private static Map<String, String> labels(JsonNode object) throws DamagedImageException {
    if (!object.isObject() || object.size() > MAXIMUM_ENTRIES) {
      throw wrong("Labels");
    }
    Map<String, String> labels = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> label : object.properties()) {
      labels.put(label.getKey(), text(label.getValue(), "Labels", false));
    }
    return labels;
  }

  private static List<Language> languages(Map<String, String> labels) throws DamagedImageException {
    List<Language> languages = new ArrayList<>();
    for (String word : labels.getOrDefault(INTERPRETER, "").split(",", -1)) {
      try {
        if (!word.isBlank()) {
          languages.add(Language.parse(word.strip()));
        }
      } catch (SandboxException e) {
        throw new DamagedImageException("its interpreter is unknown here", e);
      }
    }
    return languages;
  }

  private static Instant instant(String text) throws DamagedImageException {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new DamagedImageException("its configuration has a wrong created", e);
    }
  }

  private static void requireEqual(String field, String expected, String found)
      throws DamagedImageException {
    if (!found.equals(expected)) {
      throw wrong(field);
    }
  }

  private static DamagedImageException wrong(String field) {
    return new DamagedImageException("its configuration has a wrong or missing " + field);
  }
}
