package dev.microsandbox.agent;

import dev.microsandbox.model.Outcome;

/// How a cell or process ended, by the agent's word.
///
/// @param exitCode for [Outcome#EXITED]
/// @param signal for [Outcome#SIGNALED]
/// @param stateLost the interpreter died with all its variables; a new one was started
/// @param oomSuspected killed by a SIGKILL that the agent did not send; the cgroup knows better
public record ObjectEnd(
    Outcome outcome,
    int exitCode,
    int signal,
    boolean stateLost,
    boolean oomSuspected,
    long outputEnd,
    long durationMicros) {}
