package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The runs of a running sandbox: all that are under way, and the last few that have ended, whose
/// output the agent keeps until it is told otherwise.
final class RunTable {
  private static final int ENDED_KEPT = 8;
  private static final int MOST_ENDED_KEPT = 128;

  private final Map<ObjectId, Run> runs = new HashMap<>();
  private final Deque<ObjectId> ended = new ArrayDeque<>();
  private int endedKept = ENDED_KEPT;

  /// Keeps as many ended ones as were under way when a server died: each may be asked for.
  synchronized void keep(int more) {
    endedKept = Math.clamp(ENDED_KEPT + (long) more, ENDED_KEPT, MOST_ENDED_KEPT);
  }

  synchronized void add(Run run) {
    runs.put(run.id(), run);
  }

  synchronized void forget(ObjectId id) {
    runs.remove(id);
    ended.remove(id);
  }

  synchronized Run find(ObjectId id) {
    Run run = runs.get(id);
    if (run == null) {
      throw new SandboxException(ErrorCode.RUN_NOT_FOUND, "no such run, or it ended long ago");
    }
    return run;
  }

  /// Notes an end.
  ///
  /// @return runs that ended longer ago and are now forgotten
  synchronized List<ObjectId> ended(ObjectId id) {
    List<ObjectId> old = new ArrayList<>();
    if (runs.containsKey(id)) {
      ended.addLast(id);
    }
    while (ended.size() > endedKept) {
      ObjectId oldest = ended.removeFirst();
      runs.remove(oldest);
      old.add(oldest);
    }
    return old;
  }

  synchronized List<Run> live() {
    return runs.values().stream().filter(run -> !run.hasEnded()).toList();
  }
}
