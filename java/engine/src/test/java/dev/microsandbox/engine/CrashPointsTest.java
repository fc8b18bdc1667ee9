package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A server is killed before and after every entry that an operation makes in the store, one after
/// the other until the operation comes through. Whatever the moment: what was acknowledged is
/// there, what was not is there as a whole or not at all, and nothing on the host belongs to
/// nobody. [CrashPointsIT] does the same with real processes.
@Timeout(600)
class CrashPointsTest {
  @TempDir Path folder;

  /// What is cut short, and what must hold after that.
  enum Operation {
    CREATE {
      @Override
      void perform(EngineFixture server) {
        server.createLasting("new");
      }
    },
    CLAIM {
      @Override
      Map<String, String> settings() {
        return Map.of("shutdown-timeout", "0.1", "pool", "on", "pool-min", "0");
      }

      @Override
      void prepare(EngineFixture server) throws InterruptedException {
        var _ =
            server.engine.setPool(
                new PoolService.PoolBounds(ImageReference.PYTHON, null, Limits.DEFAULT, 1, 1));
        until(() -> {
          server.engine.tendPools();
          return server.engine.pools().getFirst().ready() == 1;
        });
      }

      @Override
      void perform(EngineFixture server) {
        server.createLasting("new");
      }

      @Override
      void check(EngineFixture after, boolean through) throws InterruptedException {
        for (SandboxInfo info : after.engine.list(ME, SandboxFilter.ALL)) {
          SandboxRef ref = SandboxRef.of(info.id());
          assertThat(after.run(ref, "print on").stdout().text()).isEqualTo("on\n");
        }
      }
    },
    START {
      @Override
      void prepare(EngineFixture server) {
        server.engine.stop(ME, BOX);
      }

      @Override
      void perform(EngineFixture server) {
        server.engine.start(ME, BOX);
      }

      @Override
      void check(EngineFixture after, boolean through) {
        assertThat(after.engine.get(ME, BOX).state())
            .isIn(SandboxState.STOPPED, SandboxState.RUNNING);
      }
    },
    RUN {
      @Override
      void perform(EngineFixture server) throws InterruptedException {
        RunStream run = server.engine.stream(ME, BOX, RunRequest.of("python", "hang"));
        until(() -> server.sandbox(BOX).inside.objects.containsKey(run.id()));
        server.engine.journal().write();
        server.engine.interrupt(ME, BOX, run.id());
        RunEvent event = run.next(EngineFixture.PATIENCE);
        while (!(event instanceof RunEvent.Finished)) {
          event = run.next(EngineFixture.PATIENCE);
        }
        server.engine.journal().write();
      }

      @Override
      void check(EngineFixture after, boolean through) throws InterruptedException {
        // What had begun goes on; whoever knows its id can end it.
        for (ObjectId run : after.sandbox(BOX).inside.objects.keySet()) {
          after.engine.interrupt(ME, BOX, run);
        }
        assertThat(after.run(BOX, "print on").stdout().text()).isEqualTo("on\n");
      }
    },
    STOP {
      @Override
      void perform(EngineFixture server) {
        server.engine.stop(ME, BOX);
      }

      @Override
      void check(EngineFixture after, boolean through) {
        after.engine.stop(ME, BOX);
        after.engine.start(ME, BOX);
      }
    },
    STOP_EPHEMERAL {
      @Override
      void prepare(EngineFixture server) {
        server.create("brief");
      }

      @Override
      void perform(EngineFixture server) {
        server.engine.stop(ME, SandboxRef.of("brief"));
      }
    },
    DELETE {
      @Override
      void perform(EngineFixture server) {
        server.engine.delete(ME, BOX);
      }

      @Override
      boolean keepsBox() {
        return false;
      }

      @Override
      void check(EngineFixture after, boolean through) {
        if (!through) {
          // Before its first entry nothing had happened: it is deleted again.
          after
              .engine
              .list(ME, SandboxFilter.ALL)
              .forEach(info -> after.engine.delete(ME, SandboxRef.of(info.id())));
        }
        assertThat(after.host.leftovers()).isEmpty();
      }
    };

    static final SandboxRef BOX = SandboxRef.of("box");
    static final Map<String, String> WITHOUT_POOLS =
        Map.of("shutdown-timeout", "0.1", "pool", "off");

    Map<String, String> settings() {
      return WITHOUT_POOLS;
    }

    void prepare(EngineFixture server) throws InterruptedException {}

    abstract void perform(EngineFixture server) throws InterruptedException;

    boolean keepsBox() {
      return true;
    }

    void check(EngineFixture after, boolean through) throws InterruptedException {}
  }

  @ParameterizedTest
  @EnumSource
  void whateverTheMoment(Operation operation) throws Exception {
    int points = 0;
    while (!cutShort(operation, ++points)) {
      // one entry further each time
    }
    System.out.println("crash points of " + operation + ": " + (points - 1));
    assertThat(points).as("an operation that makes entries").isGreaterThan(2);
  }

  /// @return whether it came through before that moment
  private boolean cutShort(Operation operation, int moment) throws Exception {
    Path home = Files.createDirectory(folder.resolve("home" + moment));
    Path next = Files.createDirectory(folder.resolve("next" + moment));
    EngineFixture before = new EngineFixture(home, operation.settings());
    try {
      before.createLasting("box");
      operation.prepare(before);
      before.engine.journal().write();
      boolean through = perform(operation, before, moment);
      try (EngineFixture after = before.afterKill(next, _ -> {}, Operation.WITHOUT_POOLS)) {
        settle(after);
        check(operation, after, through);
      }
      return through;
    } finally {
      before.engine.database().onEntry(_ -> {});
      before.host.hooks.clear();
      before.close();
    }
  }

  private static boolean perform(Operation operation, EngineFixture server, int moment)
      throws InterruptedException {
    AtomicInteger left = new AtomicInteger(moment);
    server
        .engine
        .database()
        .onEntry(_ -> {
          // Dead from here on for all its threads: no entry follows, whoever would make it.
          if (left.decrementAndGet() <= 0) {
            throw new FakeHost.Killed();
          }
        });
    try {
      operation.perform(server);
    } catch (FakeHost.Killed _) {
      return false;
    }
    return left.get() > 0;
  }

  private static void settle(EngineFixture server) throws InterruptedException {
    for (SandboxInfo info : server.engine.list(ME, SandboxFilter.ALL)) {
      SandboxRef ref = SandboxRef.of(info.id());
      until(() ->
          server.engine.get(ME, ref).state() != SandboxState.RUNNING
              || server.engine.metrics(ME, ref).running());
    }
  }

  private static void check(Operation operation, EngineFixture after, boolean through)
      throws InterruptedException {
    Set<SandboxId> listed = new HashSet<>();
    after
        .engine
        .list(ME, SandboxFilter.ALL)
        .forEach(info -> {
          assertThat(info.state()).isIn(SandboxState.RUNNING, SandboxState.STOPPED);
          listed.add(info.id());
        });
    assertThat(after.host.leftovers()).as("on the host").isEqualTo(listed);
    if (operation.keepsBox()) {
      assertThat(after.engine.get(ME, Operation.BOX).spec().name().value()).isEqualTo("box");
    }
    assertThat(idRanges(after)).as("id ranges given out").isEqualTo(listed.size());
    operation.check(after, through);
  }

  private static int idRanges(EngineFixture server) {
    return server
        .engine
        .database()
        .transaction(statements -> {
          try (var rows = statements.of("SELECT count(*) FROM id_ranges").executeQuery()) {
            return rows.getInt(1);
          }
        });
  }
}
