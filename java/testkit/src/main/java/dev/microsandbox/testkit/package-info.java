/// Fakes and leak checks for tests.
@NullMarked
package dev.microsandbox.testkit;

import org.jspecify.annotations.NullMarked;
