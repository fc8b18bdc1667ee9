package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.wire.ContextState;
import dev.microsandbox.agent.wire.Failure;
import dev.microsandbox.agent.wire.Finished;
import dev.microsandbox.agent.wire.Hello;
import dev.microsandbox.agent.wire.ObjectState;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.Status;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Reads an agent's messages into the terms of this module. Everything in them is the word of a
/// stranger: it is checked here, or shortened.
final class AgentWords {
  private static final int OBJECT_ID_BYTES = 16;
  private static final int BOOT_ID_BYTES = 16;
  private static final int MAX_NAME = 256;
  private static final int MAX_MESSAGE = 2_000;

  /// What an agent may say was wrong. All else would be a lie about the host or the caller.
  private static final Map<String, ErrorCode> ACCEPTED =
      acceptable().stream().collect(Collectors.toMap(ErrorCode::wireName, Function.identity()));

  private AgentWords() {}

  private static Set<ErrorCode> acceptable() {
    return EnumSet.of(
        ErrorCode.INVALID_REQUEST,
        ErrorCode.UNKNOWN_LANGUAGE,
        ErrorCode.RUN_NOT_FOUND,
        ErrorCode.CONTEXT_NOT_FOUND,
        ErrorCode.TOO_MANY_CELLS,
        ErrorCode.TOO_MANY_PROCESSES,
        ErrorCode.TOO_MANY_REQUESTS,
        ErrorCode.TIMED_OUT,
        ErrorCode.DISK_FULL,
        ErrorCode.COMMAND_NOT_FOUND,
        ErrorCode.COMMAND_NOT_EXECUTABLE,
        ErrorCode.NO_SUCH_DIRECTORY,
        ErrorCode.UNKNOWN_USER,
        ErrorCode.NO_SUCH_FILE,
        ErrorCode.IS_A_DIRECTORY,
        ErrorCode.NOT_A_FILE,
        ErrorCode.PERMISSION_DENIED,
        ErrorCode.FILE_TOO_LARGE,
        ErrorCode.INTERPRETER_FAILED,
        ErrorCode.UNSUPPORTED);
  }

  static AgentHello hello(Hello hello, SandboxId sandbox, int version) throws BrokenRuleException {
    require(hello.getBootId().size() == BOOT_ID_BYTES, "a boot id of another length");
    List<AgentHello.KnownObject> objects = new ArrayList<>();
    for (ObjectState state : hello.getObjectsList()) {
      objects.add(
          new AgentHello.KnownObject(
              objectId(state.getObjectId()),
              Math.max(0, state.getOutputEnd()),
              state.hasFinished(),
              name(state.getContextId())));
    }
    List<ContextInfo> contexts = new ArrayList<>();
    for (ContextState context : hello.getContextsList()) {
      contexts.add(context(context));
    }
    return new AgentHello(
        version,
        sandbox,
        HexFormat.of().formatHex(hello.getBootId().toByteArray()),
        name(hello.getAgentVersion()),
        hello.getEgress(),
        objects,
        contexts);
  }

  static ObjectId objectId(ByteString id) throws BrokenRuleException {
    require(id.size() == OBJECT_ID_BYTES, "an object id of " + id.size() + " bytes");
    return ObjectId.of(id.toByteArray());
  }

  static ContextInfo context(ContextState context) {
    return new ContextInfo(
        name(context.getContextId()),
        name(context.getLanguage()),
        name(context.getInterpreterVersion()),
        context.getReady());
  }

  static InetAddress address(ByteString address) throws BrokenRuleException {
    try {
      return InetAddress.getByAddress(address.toByteArray());
    } catch (UnknownHostException _) {
      throw new BrokenRuleException("an address of " + address.size() + " bytes");
    }
  }

  static ObjectEnd objectEnd(Finished end) throws BrokenRuleException {
    return new ObjectEnd(
        outcome(end),
        end.getExitCode(),
        end.getSignal(),
        end.getStateLost(),
        end.getOomSuspected(),
        Math.max(0, end.getOutputEnd()),
        Math.max(0, end.getDurationMicros()));
  }

  private static Outcome outcome(Finished end) throws BrokenRuleException {
    return switch (end.getOutcome()) {
      case OUTCOME_OK -> Outcome.OK;
      case OUTCOME_ERROR -> Outcome.ERROR;
      case OUTCOME_INTERRUPTED -> Outcome.INTERRUPTED;
      case OUTCOME_TIMED_OUT -> Outcome.TIMED_OUT;
      case OUTCOME_EXITED -> Outcome.EXITED;
      case OUTCOME_SIGNALED -> Outcome.SIGNALED;
      case OUTCOME_FAILED_TO_START, OUTCOME_UNSPECIFIED, UNRECOGNIZED ->
          throw new BrokenRuleException("an outcome that does not exist");
    };
  }

  static SandboxException failure(Failure failure) {
    return failure(failure.getCode(), failure.getMessage());
  }

  /// Why a stream for a cell or process is gone before its end.
  static SandboxException refusal(Reset reset) {
    return switch (reset.getReason()) {
      case RESET_REASON_LIMIT ->
          reset.getCode().isEmpty()
              ? failure(ErrorCode.TOO_MANY_PROCESSES.wireName(), "too much at once in this sandbox")
              : failure(reset.getCode(), reset.getMessage());
      case RESET_REASON_UNSUPPORTED ->
          new SandboxException(ErrorCode.UNSUPPORTED, "the sandbox's agent cannot do this");
      default -> failure(reset.getCode(), reset.getMessage());
    };
  }

  private static SandboxException failure(String code, String message) {
    ErrorCode known = ACCEPTED.get(code);
    String text = AgentText.harmless(message, MAX_MESSAGE);
    return known == null
        ? new SandboxException(
            ErrorCode.INTERNAL,
            "the sandbox's agent has failed",
            Map.of("agent_code", name(code), "agent_message", text))
        : new SandboxException(known, text.isBlank() ? known.wireName() : text);
  }

  static AgentStatus status(Status status) throws BrokenRuleException {
    require(
        status.getDiskUsed() >= 0 && status.getDiskTotal() >= 0 && status.getProcesses() >= 0,
        "a status with impossible numbers");
    return new AgentStatus(
        new ByteSize(status.getDiskUsed()),
        new ByteSize(status.getDiskTotal()),
        status.getProcesses());
  }

  static String name(String text) {
    return AgentText.harmless(text, MAX_NAME);
  }
}
