package dev.microsandbox.agent;

/// Which of its two outputs a program wrote to.
public enum Lane {
  STDOUT,
  STDERR
}
