//! How a child ended.

use crate::wire::{Finished, Outcome};
use std::fmt;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(out, "exit code {code}"),
            Exit::Signal(signal) => write!(out, "signal {signal}"),
        }
    }
}

impl Exit {
    /// How a process's end is told to the host.
    pub fn outcome(self, killed: bool) -> Finished {
        match self {
            Exit::Code(exit_code) => Finished {
                outcome: Outcome::Exited.into(),
                exit_code,
                ..Finished::default()
            },
            Exit::Signal(signal) => Finished {
                outcome: Outcome::Signaled.into(),
                signal,
                oom_suspected: signal == libc::SIGKILL && !killed,
                ..Finished::default()
            },
        }
    }
}
