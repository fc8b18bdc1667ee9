package dev.microsandbox.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageStoreTest {
  @TempDir private Path root;
  private StoreFixture fixture;
  private ImageStore store;

  @BeforeEach
  void open() {
    fixture = new StoreFixture(root);
    store = ImageStore.open(root);
  }

  @Test
  void findsAnImageByItsFullAndItsShortName() throws IOException {
    fixture.add("python");
    Image image = store.find(ImageReference.PYTHON);
    assertThat(store.isCurrent(ImageReference.PYTHON, image.digest())).isTrue();
    assertThat(store.isCurrent(ImageReference.NODE, image.digest())).isFalse();
    assertThat(store.isCurrent(ImageReference.PYTHON, new Digest("0c".repeat(32)))).isFalse();
    assertThat(store.find(ImageReference.parse("python"))).isEqualTo(image);
    assertThat(image.name()).isEqualTo(ImageReference.PYTHON);
    assertThat(image.digest()).isEqualTo(StoreFixture.DIGEST);
    assertThat(image.rootfs()).isEqualTo(fixture.folder("python").resolve("rootfs.erofs"));
    assertThat(image.size().bytes()).isEqualTo(4096);
    assertThat(image.configuration().languages()).containsExactly(Language.PYTHON);
    assertThat(image.configuration().createdAt()).isEqualTo(Instant.parse("2026-11-24T09:50:39Z"));
  }

  @Test
  void saysHowToBuildAMissingImage() {
    assertNotFound(
        () -> store.find(ImageReference.NODE),
        "image microsandbox/node is not on this host; build it: msb image build node");
  }

  @Test
  void saysWhichImagesThereAreForANameThatIsNoneOfThem() {
    assertNotFound(
        () -> store.find(new ImageReference("alpine/git:2.49")),
        "image alpine/git:2.49 is not on this host; there are microsandbox/python and"
            + " microsandbox/node");
  }

  @Test
  void aStoreThatDoesNotExistYetIsEmpty() {
    ImageStore absent = ImageStore.open(root.resolve("absent"));
    assertThat(absent.list()).isEmpty();
    assertNotFound(() -> absent.find(ImageReference.PYTHON), "msb image build python");
  }

  @Test
  void seesANewVersionOnceTheLinkIsReplaced() throws IOException {
    fixture.add("python");
    store.find(ImageReference.PYTHON);
    Files.delete(root.resolve("python/current"));
    assertNotFound(() -> store.find(ImageReference.PYTHON), "build it");
  }

  @Test
  void listsImagesByNameAndPassesOverABuildersOwnFolders() throws IOException {
    fixture.add("python");
    fixture.add("node");
    Files.createDirectories(root.resolve(".build/work.1"));
    assertThat(store.list())
        .extracting(Image::name)
        .containsExactly(ImageReference.NODE, ImageReference.PYTHON);
  }

  @Test
  void listsTheOthersWhenOneIsDamaged() throws IOException {
    fixture.add("python");
    fixture.add("node", "{");
    assertThat(store.list()).extracting(Image::name).containsExactly(ImageReference.PYTHON);
  }

  @Test
  void refusesARootFilesystemThatIsNotErofs() throws IOException {
    fixture.add("python");
    Files.write(fixture.folder("python").resolve("rootfs.erofs"), new byte[4096]);
    assertNotFound(() -> store.find(ImageReference.PYTHON), "its root filesystem is not EROFS");
  }

  @Test
  void refusesARootFilesystemCutShort() throws IOException {
    fixture.add("python");
    Files.write(fixture.folder("python").resolve("rootfs.erofs"), new byte[1025]);
    assertNotFound(() -> store.find(ImageReference.PYTHON), "its root filesystem is not EROFS");
  }

  @Test
  void refusesALinkInPlaceOfARootFilesystem() throws IOException {
    fixture.add("python");
    Path rootfs = fixture.folder("python").resolve("rootfs.erofs");
    Files.move(rootfs, root.resolve("elsewhere"));
    Files.createSymbolicLink(rootfs, root.resolve("elsewhere"));
    assertNotFound(() -> store.find(ImageReference.PYTHON), "its root filesystem is missing");
  }

  @Test
  void refusesACurrentLinkThatLeadsOutOfTheStore() throws IOException {
    fixture.add("python");
    Files.delete(root.resolve("python/current"));
    Files.createSymbolicLink(root.resolve("python/current"), Path.of("../../etc"));
    assertNotFound(() -> store.find(ImageReference.PYTHON), "its link to the current version");
  }

  @Test
  void refusesAnImageOfOtherMachines() throws IOException {
    String other = StoreFixture.configuration().replaceAll("amd64|arm64", "s390x");
    fixture.add("python", other);
    assertNotFound(() -> store.find(ImageReference.PYTHON), "made for other machines");
  }

  @Test
  void namesNoPathOfTheHostInItsMessages() throws IOException {
    fixture.add("python", "{");
    assertThatThrownBy(() -> store.find(ImageReference.PYTHON))
        .message()
        .doesNotContain(root.toString());
  }

  private static void assertNotFound(ThrowingCallable call, String part) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_NOT_FOUND))
        .hasMessageContaining(part);
  }
}
