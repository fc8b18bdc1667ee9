package dev.microsandbox.server;

import static java.util.Objects.requireNonNullElse;

import dev.microsandbox.engine.KeyService;
import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.server.RequestBodies.CreateKey;
import java.util.List;

/// API keys, for the administrator.
final class KeyRoutes {
  private static final String ALL = "/v1/keys";
  private static final int LONGEST_NAME = 100;

  private final KeyService keys;

  KeyRoutes(KeyService keys) {
    this.keys = keys;
  }

  List<Route> routes() {
    return List.of(
        Route.post(ALL, CreateKey.class, ResponseBodies.NewKey.class, 201, this::create)
            .by(Access.ADMINISTRATOR),
        Route.get(ALL, ResponseBodies.KeyList.class, this::list).by(Access.ADMINISTRATOR),
        Route.delete(ALL + "/{key}", this::revoke).by(Access.ADMINISTRATOR));
  }

  private void create(Exchange exchange) throws InterruptedException {
    CreateKey wanted = exchange.body(CreateKey.class, CreateKey.EMPTY);
    String name = requireNonNullElse(wanted.name(), "key");
    if (name.isEmpty() || name.length() > LONGEST_NAME || name.chars().anyMatch(c -> c < ' ')) {
      throw Exchange.invalid("name", "a key's name has 1 to 100 characters, no control characters");
    }
    String owner =
        SandboxName.check(requireNonNullElse(wanted.owner(), SandboxSpec.DEFAULT_OWNER), "owner");
    exchange.json(ResponseBodies.NewKey.of(keys.createKey(owner, name)));
  }

  private void list(Exchange exchange) {
    exchange.json(
        new ResponseBodies.KeyList(keys.keys().stream().map(ResponseBodies.Key::of).toList()));
  }

  private void revoke(Exchange exchange) throws InterruptedException {
    exchange.ignoreBody();
    keys.revokeKey(exchange.parameter("key"));
    exchange.done();
  }
}
