package dev.microsandbox.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UserNamespacesIT {
  private static final int RANGE = 65_536;

  @Test
  void aRangeUsedLatelyHasItsNamespaceStill() throws Exception {
    try (UserNamespaces namespaces = new UserNamespaces(2)) {
      UserNamespace first = namespaces.of(RANGE);
      namespaces.of(2 * RANGE);

      assertThat(namespaces.of(RANGE)).isSameAs(first);
      assertThat(first.descriptor().isOpen()).isTrue();
    }
  }

  @Test
  void noMoreDescriptorsAreHeldThanAreToBeKept() throws Exception {
    try (UserNamespaces namespaces = new UserNamespaces(2)) {
      UserNamespace first = namespaces.of(RANGE);
      UserNamespace second = namespaces.of(2 * RANGE);
      namespaces.of(RANGE);
      namespaces.of(3 * RANGE);

      assertThat(second.descriptor().isOpen()).isFalse();
      assertThat(first.descriptor().isOpen()).isTrue();
    }
  }

  @Test
  void closingLetsGoOfAll() throws Exception {
    UserNamespaces namespaces = new UserNamespaces(2);
    UserNamespace only = namespaces.of(RANGE);

    namespaces.close();

    assertThat(only.descriptor().isOpen()).isFalse();
  }
}
