/// The msb command, a client of the server like any other.
@NullMarked
package dev.microsandbox.cli;

import org.jspecify.annotations.NullMarked;
