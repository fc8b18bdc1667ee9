package dev.microsandbox.images;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ImageReference;
import java.nio.file.Path;

/// One immutable root filesystem in the store.
///
/// @param digest of the root filesystem's file
/// @param rootfs that file: EROFS, read-only, mounted by containers and taken as a disk by VMs
/// @param size of that file
public record Image(
    ImageReference name,
    Digest digest,
    Path rootfs,
    ByteSize size,
    ImageConfiguration configuration) {}
