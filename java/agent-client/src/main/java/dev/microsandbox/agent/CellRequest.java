package dev.microsandbox.agent;

import dev.microsandbox.model.ObjectId;

/// A cell to run.
///
/// @param contextId `python` and `node` are the default contexts
/// @param offset of the output to begin with, where the cell exists already; else 0
/// @param window bytes of output that may come before more are granted
public record CellRequest(ObjectId id, String contextId, String code, long offset, int window) {}
