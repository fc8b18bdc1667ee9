package dev.microsandbox.engine;

import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Limits;

/// What is fixed when a sandbox is launched, and so has to match when one is claimed. All four
/// limits are part of it: the disk's size is made into its file system, and the others are not
/// worth a change of control groups at a claim.
public record PoolKey(ImageReference image, IsolationKind isolation, Limits limits) {}
