package dev.microsandbox.isolation.oci;

import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.isolation.IsolationDriverContractTest;
import dev.microsandbox.isolation.TestParts;
import dev.microsandbox.linux.Trees;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;

/// The contract suite on containers, by each runtime that is installed.
class ContainerContractIT {

  @Nested
  class ByCrun extends Contract {
    ByCrun() {
      super("crun");
    }
  }

  @Nested
  class ByRunc extends Contract {
    ByRunc() {
      super("runc");
    }
  }

  abstract static class Contract extends IsolationDriverContractTest {
    private final String runtime;
    private Path home = Path.of("");

    Contract(String runtime) {
      this.runtime = runtime;
    }

    @Override
    protected IsolationDriver open() throws IOException {
      home = TestParts.newHome();
      return ContainerDriver.open(
          ContainerSettings.of(home, TestParts.agent())
              .withSockets(home.resolve("r"))
              .withRuntime(runtime));
    }

    @AfterAll
    void removeHome() throws IOException {
      Trees.delete(home);
    }
  }
}
