/// The Java client of microsandbox.
@NullMarked
package dev.microsandbox;

import org.jspecify.annotations.NullMarked;
