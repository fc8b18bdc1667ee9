/// Where root filesystems come from.
@NullMarked
package dev.microsandbox.images;

import org.jspecify.annotations.NullMarked;
