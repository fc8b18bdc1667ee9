package dev.microsandbox.isolation.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RuntimeAgeTest {
  private static final List<int[]> LINES = List.of(new int[] {1, 3, 6}, new int[] {1, 4, 3});

  @ParameterizedTest
  @CsvSource({
    "runc version 1.1.5, false",
    "runc version 1.3.5, false",
    "runc version 1.3.6, true",
    "runc version 1.4.2, false",
    "runc version 1.4.3, true",
    "runc version 1.5.2, true",
    "runc version 2.0, true"
  })
  void eachLineOfVersionsIsMendedOnItsOwn(String text, boolean mended) {
    int[] version = Objects.requireNonNull(RuntimeAge.version(text));

    assertThat(RuntimeAge.isMended(version, LINES)).isEqualTo(mended);
  }

  @Test
  void aTextWithoutAVersionIsNone() {
    assertThat(RuntimeAge.version("whatever")).isNull();
  }
}
