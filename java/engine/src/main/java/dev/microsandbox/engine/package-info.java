/// What a sandbox is: lifecycle, store, recovery, quotas. Knows no HTTP.
@NullMarked
package dev.microsandbox.engine;

import org.jspecify.annotations.NullMarked;
