/// The driver interface, and the contract suite that every driver passes.
@NullMarked
package dev.microsandbox.isolation;

import org.jspecify.annotations.NullMarked;
