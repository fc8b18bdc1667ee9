package dev.microsandbox.engine;

import java.util.List;

/// A sandbox that an earlier server left running.
///
/// @param runs that were under way in it, as far as they had been written down
record Orphan(SandboxRecord row, Foothold foothold, List<RunRecord> runs) {
  Orphan {
    runs = List.copyOf(runs);
  }
}
