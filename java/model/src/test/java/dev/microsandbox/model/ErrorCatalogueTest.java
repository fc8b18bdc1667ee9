package dev.microsandbox.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ErrorCatalogueTest {
  private static final Path CATALOGUE = Path.of("../../spec/errors.json");

  @Test
  void enumAndCatalogueAgree() throws Exception {
    List<String> specified = new ArrayList<>();
    JsonNode errors = JsonMapper.shared().readTree(Files.readString(CATALOGUE)).get("errors");
    for (JsonNode e : errors) {
      specified.add(
          row(
              e.get("code").asString(),
              e.get("http_status").asInt(),
              e.get("rpc_code").asInt(),
              e.get("audience").asString(),
              e.get("retry").asBoolean()));
    }
    List<String> coded = new ArrayList<>();
    for (ErrorCode code : ErrorCode.values()) {
      coded.add(
          row(
              code.wireName(),
              code.httpStatus(),
              code.rpcCode(),
              code.audience().name().toLowerCase(Locale.ROOT),
              code.retryable()));
    }
    assertThat(coded).containsExactlyElementsOf(specified).doesNotHaveDuplicates();
  }

  private static String row(String code, int http, int rpc, String audience, boolean retry) {
    return code + " " + http + " " + rpc + " " + audience + " " + retry;
  }
}
