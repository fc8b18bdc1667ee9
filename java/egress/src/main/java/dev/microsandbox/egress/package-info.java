/// Outbound policy, name resolution, dialling.
@NullMarked
package dev.microsandbox.egress;

import org.jspecify.annotations.NullMarked;
