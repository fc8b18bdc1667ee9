package dev.microsandbox.engine;

import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Limits;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Sandboxes that are kept ready: an administrator's view.
public interface PoolService {

  /// Of every key that is configured or was asked for lately.
  List<PoolStatus> pools();

  /// Sets how many are kept, from now on and beyond the server's end.
  ///
  /// @throws dev.microsandbox.model.SandboxException `image_not_found`, `invalid_limits`,
  ///   `isolation_unavailable`
  PoolStatus setPool(PoolBounds bounds);

  PoolTotals totals();

  /// What an administrator sets.
  ///
  /// @param isolation null for the best that works on this host
  /// @param minimum 0 for none but on demand
  /// @param maximum null for what the server's settings say
  record PoolBounds(
      ImageReference image,
      @Nullable IsolationKind isolation,
      Limits limits,
      int minimum,
      @Nullable Integer maximum) {}
}
