package dev.microsandbox.agent;

/// Why a cell is interrupted; becomes part of its outcome.
public enum InterruptCause {
  CALLER,
  TIMEOUT
}
