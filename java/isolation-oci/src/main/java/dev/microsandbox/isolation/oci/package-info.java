/// Container isolation by an OCI runtime.
@NullMarked
package dev.microsandbox.isolation.oci;

import org.jspecify.annotations.NullMarked;
