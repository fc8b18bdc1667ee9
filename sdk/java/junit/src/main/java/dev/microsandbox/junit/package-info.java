/// Sandboxes for JUnit tests: put [dev.microsandbox.junit.Sandbox] on a parameter or a field.
@NullMarked
package dev.microsandbox.junit;

import org.jspecify.annotations.NullMarked;
