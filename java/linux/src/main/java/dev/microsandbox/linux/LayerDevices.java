package dev.microsandbox.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Which layer the kernel still has in use, by the loop device that it is set up on: mounted twice
/// at once a layer would be destroyed.
///
/// What this server sets up it remembers. What an earlier server of the home has set up was there
/// before the first question, so one look at all devices of the host, at the first layer that is
/// not remembered, finds it for good: the cost of an answer does not grow with the number of
/// sandboxes.
public final class LayerDevices {
  private static final Duration RETRY = Duration.ofMillis(1);

  private final Map<Path, LoopDevice.Setup> ours = new ConcurrentHashMap<>();
  private @Nullable List<LoopDevice.Setup> earlier;

  /// Of what has been set up just now, while its device cannot be another's yet.
  void remember(Path layer, LoopDevice.Setup setup) {
    ours.put(layer, setup);
  }

  /// Waits until the kernel has let go of a layer, which it does a moment after the last process
  /// that saw it mounted has ended.
  ///
  /// @return whether it has
  public boolean awaitUnused(Path layer, Duration patience)
      throws IOException, InterruptedException {
    Instant end = Instant.now().plus(patience);
    for (LoopDevice.Setup setup : over(layer)) {
      while (setup.lasts()) {
        if (Instant.now().isAfter(end)) {
          return false;
        }
        Thread.sleep(RETRY);
      }
    }
    ours.remove(layer);
    return true;
  }

  private List<LoopDevice.Setup> over(Path layer) throws IOException {
    LoopDevice.Setup known = ours.get(layer);
    if (known != null) {
      return List.of(known);
    }
    if (!Files.exists(layer)) {
      return List.of();
    }
    LoopDevice.FileKey file = LoopDevice.FileKey.of(layer);
    return earlier(layer).stream().filter(setup -> setup.file().equals(file)).toList();
  }

  /// Those over files of the same name, which are few beside a host's others and opened for asking.
  private synchronized List<LoopDevice.Setup> earlier(Path layer) throws IOException {
    if (earlier == null) {
      List<LoopDevice.Setup> found = new ArrayList<>();
      try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
        for (Path each : all) {
          LoopDevice.Setup setup = LoopDevice.Setup.find(each, layer.getFileName().toString());
          if (setup != null) {
            found.add(setup);
          }
        }
      }
      earlier = List.copyOf(found);
    }
    return earlier;
  }
}
