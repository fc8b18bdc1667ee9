package dev.microsandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Limits;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/// The parts of pools that decide by themselves.
class PoolPartsTest {
  private final TestClock clock = new TestClock();

  private static PoolKey key(int mib) {
    return new PoolKey(
        ImageReference.PYTHON,
        IsolationKind.CONTAINER,
        new Limits(ByteSize.ofMib(mib), 1, 100, ByteSize.ofMib(256)));
  }

  private static PoolSizes.Wish wish(int mib, int minimum, int maximum, int demand) {
    return new PoolSizes.Wish(key(mib), minimum, maximum, demand);
  }

  @Nested
  class Sizes {
    @Test
    void followDemandBetweenMinimumAndMaximum() {
      assertThat(PoolSizes.targets(List.of(wish(64, 1, 8, 0)), 16)).containsEntry(key(64), 1);
      assertThat(PoolSizes.targets(List.of(wish(64, 1, 8, 5)), 16)).containsEntry(key(64), 5);
      assertThat(PoolSizes.targets(List.of(wish(64, 1, 8, 50)), 16)).containsEntry(key(64), 8);
    }

    @Test
    void shareWhatIsScarceTheMostWantedFirst() {
      Map<PoolKey, Integer> targets =
          PoolSizes.targets(List.of(wish(64, 0, 8, 1), wish(65, 0, 8, 9), wish(66, 0, 8, 3)), 5);
      assertThat(targets)
          .containsEntry(key(65), 2)
          .containsEntry(key(66), 2)
          .containsEntry(key(64), 1);
    }

    @Test
    void keepMinimumsBeyondTheTotal() {
      Map<PoolKey, Integer> targets =
          PoolSizes.targets(List.of(wish(64, 100, 100, 0), wish(65, 0, 8, 9)), 16);
      assertThat(targets).containsEntry(key(64), 100).containsEntry(key(65), 0);
    }
  }

  @Nested
  class DemandOverTime {
    private final Demand demand = new Demand(clock, Duration.ofMinutes(5));

    @Test
    void isWhatTheLastMinuteAskedFor() {
      assertThat(demand.size()).isZero();
      demand.asked();
      clock.advance(Duration.ofSeconds(40));
      demand.asked();
      demand.asked();
      assertThat(demand.size()).isEqualTo(3);
      clock.advance(Duration.ofSeconds(30));
      assertThat(demand.size()).isEqualTo(2);
    }

    @Test
    void diesOutAfterMinutes() {
      demand.asked();
      demand.asked();
      clock.advance(Duration.ofMinutes(2));
      assertThat(demand.size()).isEqualTo(1);
      clock.advance(Duration.ofMinutes(4));
      assertThat(demand.size()).isZero();
    }
  }

  @Nested
  class BackingOff {
    private final BackOff backOff = new BackOff(clock);

    @Test
    void waitsTwiceAsLongEachTimeUpToAMinute() {
      assertThat(backOff.isOver()).isTrue();
      for (int seconds : new int[] {1, 2, 4, 8, 16, 32, 60, 60}) {
        backOff.failed("no room");
        clock.advance(Duration.ofSeconds(seconds).minusMillis(1));
        assertThat(backOff.isOver()).isFalse();
        clock.advance(Duration.ofMillis(1));
        assertThat(backOff.isOver()).isTrue();
      }
    }

    @Test
    void saysWhySinceWhenAndUntilWhen() {
      var first = clock.now();
      backOff.failed("no room");
      clock.advance(Duration.ofSeconds(5));
      backOff.failed("no light");
      assertThat(backOff.trouble())
          .isEqualTo(
              new PoolStatus.Trouble("no light", first, first.plus(Duration.ofSeconds(5 + 2))));
      backOff.succeeded();
      assertThat(backOff.trouble()).isNull();
      assertThat(backOff.isOver()).isTrue();
    }
  }

  @Test
  void workThatNobodyWaitsForYieldsForALimitedTime() throws InterruptedException {
    Calm calm = new Calm();
    calm.await(Duration.ZERO, Duration.ofHours(1));
    long before = System.nanoTime();
    try (Calm.Busy _ = calm.begin()) {
      calm.await(Duration.ZERO, Duration.ofMillis(100));
    }
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThan(Duration.ofMillis(99));
    calm.await(Duration.ZERO, Duration.ofHours(1));
  }
}
