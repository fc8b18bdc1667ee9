/// The only code with system calls, processes, mounts, cgroups: whole operations on validated ids.
@NullMarked
package dev.microsandbox.linux;

import org.jspecify.annotations.NullMarked;
