/// Outbound connections of sandboxes, as the host makes them: policy, name resolution, dialling.
@NullMarked
package dev.microsandbox.egress;

import org.jspecify.annotations.NullMarked;
