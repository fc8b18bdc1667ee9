package dev.microsandbox.server;

import dev.microsandbox.engine.PoolService;
import dev.microsandbox.engine.PoolService.PoolBounds;
import dev.microsandbox.server.RequestBodies.SetPool;
import java.util.List;

/// Sandboxes that are kept ready, for the administrator.
final class PoolRoutes {
  private static final String ALL = "/v1/pools";

  private final PoolService pools;

  PoolRoutes(PoolService pools) {
    this.pools = pools;
  }

  List<Route> routes() {
    return List.of(
        Route.get(ALL, ResponseBodies.PoolList.class, this::list).by(Access.ADMINISTRATOR),
        Route.of("PUT", ALL, SetPool.class, ResponseBodies.Pool.class, 200, this::set)
            .by(Access.ADMINISTRATOR));
  }

  private void list(Exchange exchange) {
    exchange.json(
        new ResponseBodies.PoolList(pools.pools().stream().map(ResponseBodies.Pool::of).toList()));
  }

  private void set(Exchange exchange) throws InterruptedException {
    SetPool wanted = exchange.body(SetPool.class);
    PoolBounds bounds =
        new PoolBounds(
            SandboxRoutes.image(wanted.image()),
            SandboxRoutes.isolation(wanted.isolation()),
            SandboxRoutes.limits(wanted.memory(), wanted.cpus(), wanted.processes(), wanted.disk()),
            wanted.minimum(),
            wanted.maximum());
    exchange.json(ResponseBodies.Pool.of(pools.setPool(bounds)));
  }
}
