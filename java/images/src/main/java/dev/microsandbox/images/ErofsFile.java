package dev.microsandbox.images;

import dev.microsandbox.model.ByteSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// A file that the kernel is going to mount, looked at before it is.
final class ErofsFile {
  // struct erofs_super_block in the kernel's fs/erofs/erofs_fs.h
  private static final int SUPERBLOCK_OFFSET = 1024;
  private static final int MAGIC = 0xE0F5E1E2;

  private ErofsFile() {}

  /// Checks that the file is there, plain and EROFS, and returns its size.
  static ByteSize check(Path file) throws IOException, DamagedImageException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new DamagedImageException("its root filesystem is missing");
    }
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      ByteBuffer magic = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      channel.position(SUPERBLOCK_OFFSET);
      while (magic.hasRemaining() && channel.read(magic) >= 0) {}
      if (magic.hasRemaining() || magic.getInt(0) != MAGIC) {
        throw new DamagedImageException("its root filesystem is not EROFS");
      }
      return new ByteSize(channel.size());
    } catch (NoSuchFileException e) {
      throw new DamagedImageException("its root filesystem is missing", e);
    }
  }
}
