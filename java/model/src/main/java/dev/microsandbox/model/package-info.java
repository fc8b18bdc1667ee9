/// What everybody talks about: ids, specs, limits, policies, outcomes, errors. No dependencies, no
/// behaviour beyond validation.
@NullMarked
package dev.microsandbox.model;

import org.jspecify.annotations.NullMarked;
