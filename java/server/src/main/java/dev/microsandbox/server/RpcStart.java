package dev.microsandbox.server;

import dev.microsandbox.engine.Caller;
import dev.microsandbox.engine.SandboxInfo;
import dev.microsandbox.engine.SandboxRef;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxState;
import dev.microsandbox.server.RequestBodies.CreateSandbox;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// `sandbox.start`: makes a sandbox, or starts the one that has this name; one that runs is left as
/// it is.
final class RpcStart implements RpcMethods.Method {
  /// What the old clients call a sandbox that its user did not name. Nobody will ask for such a one
  /// again once it was stopped, so it is removed then.
  private static final Pattern GENERATED = Pattern.compile("sandbox-[0-9a-f]{8}");

  private final SandboxService service;

  RpcStart(SandboxService service) {
    this.service = service;
  }

  @Override
  public Object call(Exchange exchange, JsonNode node) {
    RpcParams params = new RpcParams(node);
    SandboxRef sandbox = params.sandbox();
    RpcParams config = params.object("config");
    String image = config == null ? null : config.text("image");
    if (config != null) {
      refuseUnserved(config);
    }
    SandboxInfo known = find(exchange.caller(), sandbox);
    if (known != null && known.state() == SandboxState.STOPPED && isOther(known, image)) {
      service.delete(exchange.caller(), sandbox);
      known = null;
    }
    if (known != null) {
      service.start(exchange.caller(), sandbox);
    } else if (config == null || image == null) {
      throw RpcParams.invalid(
          "No configuration provided and no existing configuration found for sandbox '"
              + sandbox.text()
              + "'",
          "config");
    } else {
      create(exchange.caller(), sandbox, config, image);
    }
    return "Sandbox " + sandbox.text() + " started successfully";
  }

  private @Nullable SandboxInfo find(Caller caller, SandboxRef sandbox) {
    try {
      return service.get(caller, sandbox);
    } catch (SandboxException e) {
      if (e.code() == ErrorCode.SANDBOX_NOT_FOUND) {
        return null;
      }
      throw e;
    }
  }

  private static boolean isOther(SandboxInfo known, @Nullable String image) {
    return image != null && !known.spec().image().equals(ImageReference.parse(image));
  }

  private void create(Caller caller, SandboxRef sandbox, RpcParams config, String image) {
    CreateSandbox wanted =
        new CreateSandbox(
            sandbox.text(),
            sandbox.namespace(),
            image,
            null,
            whole(config.number("memory"), "memory"),
            config.number("cpus"),
            null,
            null,
            environment(config),
            null,
            null,
            null,
            null,
            GENERATED.matcher(sandbox.text()).matches());
    try {
      service.create(caller, SandboxRoutes.spec(caller.owner(), wanted));
    } catch (SandboxException e) {
      // Two starts at once: the other one has made it.
      if (e.code() != ErrorCode.NAME_TAKEN) {
        throw e;
      }
    }
  }

  private static @Nullable Integer whole(@Nullable Double number, String field) {
    if (number == null) {
      return null;
    }
    if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
      throw RpcParams.invalid(field + " must be a whole number", field);
    }
    return number.intValue();
  }

  private static Map<String, String> environment(RpcParams config) {
    Map<String, String> environment = new LinkedHashMap<>();
    for (String each : config.texts("envs")) {
      int equals = each.indexOf('=');
      if (equals <= 0) {
        throw RpcParams.invalid("envs are given as NAME=value", "envs");
      }
      environment.put(each.substring(0, equals), each.substring(equals + 1));
    }
    return environment;
  }

  /// What would be missed if it were passed over in silence.
  private static void refuseUnserved(RpcParams config) {
    for (String field : new String[] {"volumes", "ports"}) {
      if (!config.texts(field).isEmpty()) {
        throw SandboxRoutes.unsupported(
            "this server does not do " + field + " yet; leave them out");
      }
    }
  }
}
