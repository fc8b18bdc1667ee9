package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentHello.KnownObject;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Makes the runs known again that an earlier server began: those that the agent still has.
///
/// What the agent says is a tenant's word. A run that the journal does not know is believed to be
/// one that had just begun, as far as there could be so many.
final class RunAdoption {
  private static final System.Logger LOG = System.getLogger(RunAdoption.class.getName());
  private static final int MOST_STRANGERS = 64;

  private final Session session;
  private final Foothold foothold;
  private final @Nullable Instant deadline;
  private final Instant now;
  private final List<ObjectId> refused = new ArrayList<>();

  /// @param timeout of runs that the journal does not know; zero for none
  RunAdoption(Session session, Foothold foothold, Duration timeout) {
    this.session = session;
    this.foothold = foothold;
    this.now = session.clock().now();
    this.deadline = timeout.isZero() ? null : now.plus(timeout);
  }

  /// @param objects by the agent's word
  /// @param journaled by the earlier server's
  void adopt(List<KnownObject> objects, List<RunRecord> journaled) {
    session.runs().keep(journaled.size());
    Map<ObjectId, KnownObject> told = new LinkedHashMap<>();
    objects.forEach(object -> told.putIfAbsent(object.id(), object));
    for (RunRecord run : journaled) {
      KnownObject object = told.remove(run.id());
      if (object == null) {
        session.journal().over(run);
      } else {
        resume(run, object);
      }
    }
    List<KnownObject> strangers = List.copyOf(told.values());
    int believed = Math.min(strangers.size(), MOST_STRANGERS);
    strangers.subList(0, believed).forEach(object -> resume(stranger(object), object));
    strangers.subList(believed, strangers.size()).forEach(object -> refused.add(object.id()));
    if (!refused.isEmpty()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "{0} runs that the agent of {1} speaks of are passed over",
          refused.size(),
          session.running().id());
      session.forget(refused);
    }
  }

  private RunRecord stranger(KnownObject object) {
    String context = object.contextId().isEmpty() ? null : object.contextId();
    long oomKills = foothold.oomKills();
    return new RunRecord(
        session.running().id(), object.id(), context, false, now, deadline, oomKills);
  }

  private void resume(RunRecord run, KnownObject object) {
    String context = run.context();
    boolean queued = context != null && session.contexts().contains(context);
    RunRecord placed = queued ? run : run.withoutContext();
    Run begun = Run.begun(session, placed, object.outputEnd());
    try {
      session.resume(begun, placed, !object.finished());
      session.journal().begun(begun);
    } catch (SandboxException e) {
      refused.add(object.id());
    }
  }
}
