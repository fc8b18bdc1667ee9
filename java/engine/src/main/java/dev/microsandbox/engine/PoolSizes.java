package dev.microsandbox.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How many each pool shall have: its minimum, and beyond that what was asked for of late, as far
/// as its maximum and the total allow. What is scarce goes round one by one, to the most wanted
/// first.
final class PoolSizes {
  private PoolSizes() {}

  /// @param demand how many could be of use
  record Wish(PoolKey key, int minimum, int maximum, int demand) {
    int wanted() {
      return Math.max(minimum, Math.min(maximum, demand));
    }
  }

  /// @param total of all, but for minimums, which are kept in any case
  static Map<PoolKey, Integer> targets(List<Wish> wishes, int total) {
    Map<PoolKey, Integer> targets = new HashMap<>();
    wishes.forEach(wish -> targets.put(wish.key(), wish.minimum()));
    int left = total - wishes.stream().mapToInt(Wish::minimum).sum();
    List<Wish> open = new ArrayList<>(wishes);
    open.sort(Comparator.comparingInt(Wish::demand).reversed());
    while (left > 0) {
      open.removeIf(wish -> targets.getOrDefault(wish.key(), 0) >= wish.wanted());
      if (open.isEmpty()) {
        break;
      }
      for (Wish wish : open.subList(0, Math.min(left, open.size()))) {
        targets.merge(wish.key(), 1, Integer::sum);
        left--;
      }
    }
    return targets;
  }
}
