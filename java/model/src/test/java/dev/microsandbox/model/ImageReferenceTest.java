package dev.microsandbox.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReferenceTest {

  @Test
  void aNameWithoutASlashIsOneOfOurs() {
    assertThat(ImageReference.parse("python")).isEqualTo(ImageReference.PYTHON);
    assertThat(ImageReference.parse("microsandbox/node")).isEqualTo(ImageReference.NODE);
  }

  @Test
  void theTagLatestMeansTheSameAsNone() {
    assertThat(ImageReference.parse("python:latest").shortName()).contains("python");
    assertThat(ImageReference.parse("python:3.12").shortName()).isEmpty();
  }

  @Test
  void othersNamesHaveNoShortForm() {
    assertThat(new ImageReference("alpine/git").shortName()).isEmpty();
    assertThat(new ImageReference("microsandbox/a/b").shortName()).isEmpty();
  }

  @Test
  void onlyPythonAndNodeAreDefaults() {
    assertThat(ImageReference.PYTHON.isDefault()).isTrue();
    assertThat(ImageReference.NODE.isDefault()).isTrue();
    assertThat(ImageReference.parse("ruby").isDefault()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "..", "a/../b", "/etc", ".build", "a//b", "A", "python:", "a b", "python\n"})
  void refusesWhatIsNoName(String text) {
    assertThatThrownBy(() -> ImageReference.parse(text))
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_NOT_FOUND));
  }
}
