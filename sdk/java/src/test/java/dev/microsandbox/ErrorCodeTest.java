package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrorCodeTest {
  @Test
  void codesAreThoseOfTheCatalogue() throws IOException {
    List<String> catalogue =
        new ArrayList<>(
            Spec.read("errors.json")
                .objects("errors", error -> error.text("code") + " " + error.truth("retry")));
    catalogue.add("unknown false");
    assertThat(Arrays.stream(ErrorCode.values()).map(code -> code.text() + " " + code.retryable()))
        .containsExactlyElementsOf(catalogue);
  }

  @Test
  void answerBecomesAnExceptionWithItsCode() throws IOException {
    for (String code : Spec.read("errors.json").objects("errors", error -> error.text("code"))) {
      SandboxException made =
          SandboxException.of(body(Map.of("code", code, "message", "m", "details", Map.of())), 418);
      assertThat(made.code().text()).isEqualTo(code);
      assertThat(made.codeName()).isEqualTo(code);
      assertThat(made.message()).isEqualTo("m");
      assertThat(made.retryable()).isEqualTo(made.code().retryable());
    }
  }

  @Test
  void codeThatIsNewerThanThisClientKeepsItsName() {
    SandboxException made =
        SandboxException.of(body(Map.of("code", "from_the_future", "message", "m")), 418);
    assertThat(made.code()).isEqualTo(ErrorCode.UNKNOWN);
    assertThat(made.codeName()).isEqualTo("from_the_future");
  }

  @Test
  void answerThatIsNoErrorOfTheCatalogueNamesItsStatus() {
    for (JsonObject body : List.of(JsonObject.EMPTY, new JsonObject(Map.of("error", "text")))) {
      assertThat(SandboxException.of(body, 502)).hasMessageContaining("status 502");
    }
  }

  private static JsonObject body(Map<String, Object> error) {
    return new JsonObject(Map.of("error", error));
  }
}
