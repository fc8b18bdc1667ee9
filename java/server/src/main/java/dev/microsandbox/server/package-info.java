/// The HTTP APIs and authentication, nothing else.
@NullMarked
package dev.microsandbox.server;

import org.jspecify.annotations.NullMarked;
