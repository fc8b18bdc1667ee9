package dev.microsandbox.images;

import dev.microsandbox.model.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/// Lays out a store as a finished build does.
final class StoreFixture {
  static final Digest DIGEST = new Digest("ab".repeat(32));

  private final Path root;

  StoreFixture(Path root) {
    this.root = root;
  }

  Path folder(String name) {
    return root.resolve(name).resolve(DIGEST.hex());
  }

  void add(String name) throws IOException {
    add(name, configuration());
  }

  void add(String name, String configuration) throws IOException {
    Files.createDirectories(folder(name));
    Files.writeString(folder(name).resolve("config.json"), configuration);
    Files.write(folder(name).resolve("rootfs.erofs"), superblock());
    Files.createSymbolicLink(root.resolve(name).resolve("current"), Path.of(DIGEST.hex()));
  }

  /// As a build writes it for this machine.
  static String configuration() {
    String machine = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    return """
    {
      "created": "2026-11-24T09:50:39Z",
      "architecture": "%s",
      "os": "linux",
      "config": {
        "User": "sandbox",
        "WorkingDir": "/home/sandbox",
        "Cmd": ["/bin/bash"],
        "Env": ["PATH=/home/sandbox/.venv/bin:/usr/bin", "LANG=C.UTF-8", "EMPTY="],
        "Labels": {"dev.microsandbox.interpreter": "python", "dev.microsandbox.recipe": "r"}
      },
      "rootfs": {"type": "layers", "diff_ids": ["%s"]}
    }
    """
        .formatted(machine, DIGEST);
  }

  private static byte[] superblock() {
    byte[] file = new byte[4096];
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(1024, 0xE0F5E1E2);
    return file;
  }
}
