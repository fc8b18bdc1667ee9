package dev.microsandbox.server;

/// Who may use a route.
enum Access {
  ANYBODY,
  CALLER,
  ADMINISTRATOR
}
