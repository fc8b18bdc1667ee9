package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.CellRequest;
import dev.microsandbox.agent.ObjectListener;
import dev.microsandbox.agent.ObjectStream;
import dev.microsandbox.agent.ProcessRequest;
import dev.microsandbox.model.ObjectId;
import org.jspecify.annotations.Nullable;

/// What a run does in its sandbox.
sealed interface Work {
  ObjectId id();

  /// Of a cell; null for a command.
  @Nullable String context();

  /// Makes the object in the agent, or attaches to it where it exists.
  ObjectStream open(AgentClient agent, ObjectListener listener, long offset);

  /// @param context already resolved to an id
  record Cell(ObjectId id, String context, String code) implements Work {
    @Override
    public ObjectStream open(AgentClient agent, ObjectListener listener, long offset) {
      return agent.runCell(new CellRequest(id, context, code, offset, RunView.WINDOW), listener);
    }
  }

  /// What an earlier server began.
  record Begun(ObjectId id, @Nullable String context) implements Work {
    @Override
    public ObjectStream open(AgentClient agent, ObjectListener listener, long offset) {
      return agent.attach(id, offset, listener);
    }
  }

  /// A program.
  record Command(ObjectId id, CommandRequest request) implements Work {
    @Override
    public @Nullable String context() {
      return null;
    }

    @Override
    public ObjectStream open(AgentClient agent, ObjectListener listener, long offset) {
      return agent.startProcess(
          new ProcessRequest(
              id,
              request.argv(),
              request.environment(),
              request.workingDirectory(),
              request.user(),
              request.readsInput(),
              offset,
              RunView.WINDOW),
          listener);
    }
  }
}
