/// The one main, and the wiring of all parts.
@NullMarked
package dev.microsandbox.app;

import org.jspecify.annotations.NullMarked;
