package dev.microsandbox.images;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Language;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The real recipes and the real store of this host.
class DefaultImagesIT {
  private ImageStore store;
  private ImageBuilds builds;

  @BeforeEach
  void open() {
    String home = System.getenv().getOrDefault("MICROSANDBOX_HOME", "/var/lib/microsandbox");
    store = ImageStore.open(Path.of(home, "images"));
    builds = new ImageBuilds(recipes().resolve("build"), store);
    assumeThat(System.getProperty("user.name")).as("building images needs root").isEqualTo("root");
  }

  @Test
  void buildsPythonAndFindsIt() throws Exception {
    Image image = builds.build(ImageReference.PYTHON, false, _ -> {});
    assertThat(store.list()).contains(image);
    assertThat(image.configuration().languages()).containsExactly(Language.PYTHON);
    assertThat(image.configuration().environment())
        .containsEntry("VIRTUAL_ENV", "/home/sandbox/.venv");
    assertThat(image.size().mib()).isBetween(100L, 300L);
    assertThat(digestOf(image.rootfs())).isEqualTo(image.digest());
  }

  @Test
  void anUnchangedRecipeIsNotBuiltAgain() throws Exception {
    Image before = builds.build(ImageReference.NODE, false, _ -> {});
    List<String> steps = new ArrayList<>();
    Image after = builds.build(ImageReference.NODE, false, steps::add);
    assertThat(after).isEqualTo(before);
    assertThat(steps).containsExactly("node: up to date");
    assertThat(after.configuration().user()).isEqualTo("sandbox");
  }

  private static Path recipes() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.isExecutable(folder.resolve("images/build"))) {
      folder = requireNonNull(folder.getParent(), "no images/build above");
    }
    return folder.resolve("images");
  }

  private static Digest digestOf(Path file) throws Exception {
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    byte[] buffer = new byte[1 << 20];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        sha.update(buffer, 0, n);
      }
    } catch (IOException e) {
      throw new AssertionError("the root filesystem cannot be read", e);
    }
    return new Digest(HexFormat.of().formatHex(sha.digest()));
  }
}
