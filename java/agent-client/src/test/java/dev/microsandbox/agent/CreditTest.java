package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CreditTest {
  private static final int KIB = 1024;

  private final CreditPool pool = new CreditPool();
  private int announced;

  @Test
  void anInitialWindowIsAtMost256Kib() {
    assertThat(window().open(1 << 20)).isEqualTo(256 * KIB);
  }

  @Test
  void aWindowGrowsTo1MibAndNoFurther() {
    ReceiveWindow window = window();
    int opened = window.open(256 * KIB);
    window.grant(10 << 20);
    assertThat(opened + announced).isEqualTo(1 << 20);
  }

  @Test
  void moreThanWasGrantedBreaksARule() throws BrokenRuleException {
    ReceiveWindow window = window();
    window.open(100);
    window.received(60);
    assertThatThrownBy(() -> window.received(41)).isInstanceOf(BrokenRuleException.class);
  }

  @Test
  void smallGrantsAreGathered() throws BrokenRuleException {
    ReceiveWindow window = window();
    window.open(1_000);
    window.received(1_000);
    window.grant(249);
    assertThat(announced).isZero();
    window.grant(1);
    assertThat(announced).isEqualTo(250);
  }

  @Test
  void aStreamForWhichThereIsNoRoomGetsItWhenAnotherCloses() {
    List<ReceiveWindow> full = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      ReceiveWindow window = window();
      assertThat(window.open(256 * KIB)).isEqualTo(256 * KIB);
      full.add(window);
    }
    ReceiveWindow late = window();
    assertThat(late.open(1_000)).isZero();
    full.getFirst().close();
    assertThat(announced).isEqualTo(1_000);
  }

  @Test
  void whatASlowConsumerHoldsCountsToo() throws BrokenRuleException {
    for (int i = 0; i < 32; i++) {
      ReceiveWindow window = window();
      window.received(window.open(256 * KIB));
    }
    assertThat(window().open(256 * KIB)).isZero();
  }

  @Test
  void neverGrantsMoreThanThePoolHolds() throws BrokenRuleException {
    Random random = new Random(7);
    List<Model> models = new ArrayList<>();
    for (int step = 0; step < 50_000; step++) {
      int choice = random.nextInt(10);
      if (choice == 0 && models.size() < 100) {
        models.add(new Model(random.nextInt(300 * KIB)));
      } else if (choice == 1 && !models.isEmpty()) {
        models.remove(random.nextInt(models.size())).window.close();
      } else if (!models.isEmpty()) {
        models.get(random.nextInt(models.size())).step(random);
      }
      long held = models.stream().mapToLong(m -> m.mayCome + m.unread).sum();
      assertThat(held).isLessThanOrEqualTo(CreditPool.TOTAL);
      assertThat(pool.free()).isGreaterThanOrEqualTo(0);
    }
    models.forEach(m -> m.window.close());
    assertThat(pool.free()).isEqualTo(CreditPool.TOTAL);
  }

  private ReceiveWindow window() {
    return new ReceiveWindow(pool, bytes -> announced += bytes);
  }

  /// The other end, and what the consumer has not taken yet.
  private final class Model {
    final ReceiveWindow window;
    int mayCome;
    int unread;

    Model(int wanted) {
      this.window = new ReceiveWindow(pool, bytes -> mayCome += bytes);
      mayCome += window.open(wanted);
    }

    void step(Random random) throws BrokenRuleException {
      if (random.nextBoolean() && mayCome > 0) {
        int bytes = 1 + random.nextInt(mayCome);
        mayCome -= bytes;
        unread += bytes;
        window.received(bytes);
      } else {
        int taken = unread == 0 ? 0 : 1 + random.nextInt(unread);
        unread -= taken;
        window.grant(taken + (random.nextInt(20) == 0 ? random.nextInt(KIB) : 0));
      }
      assertThat(mayCome + unread).isLessThanOrEqualTo(ReceiveWindow.MAX);
    }
  }
}
