package dev.microsandbox.server;

import dev.microsandbox.engine.Caller;

/// Who sent a request.
///
/// @param administrator came by the unix socket, whose permissions say who may
record Visitor(Caller caller, boolean administrator) {
  static final Visitor NOBODY = new Visitor(Caller.LOCAL, false);
}
