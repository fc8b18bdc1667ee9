//! What the agent says on the control stream, and how it refuses.

use crate::agent::Agent;
use crate::connection::clipped;
use crate::link::Link;
use crate::wire::{Diagnostic, Done, Failure, ResetReason, agent_control};

const MAX_TEXT: usize = 4_096;
const MAX_UNSAID: usize = 16;

impl Agent {
    pub fn send(&mut self, id: u64, body: agent_control::Body) {
        if let Some(connection) = self.connection() {
            connection.control(id, body);
        }
    }

    pub fn done(&mut self, id: u64) {
        if id != 0 {
            self.send(id, agent_control::Body::Done(Done {}));
        }
    }

    pub fn failure(&mut self, id: u64, code: &str, message: &str) {
        if id != 0 {
            let message = clipped(message, MAX_TEXT).into();
            self.send(
                id,
                agent_control::Body::Failure(Failure {
                    code: code.into(),
                    message,
                }),
            );
        }
    }

    /// Forgets who waited on a connection that is gone: its streams and requests have numbers that the next one uses again.
    pub fn forget_waiting(&mut self) {
        self.uploads.clear();
        self.forget_files();
        self.abandon_files();
        for process in self.processes.values_mut() {
            process.forget_streams();
        }
        for context in self.contexts.values_mut() {
            context.opening = None;
        }
        if let Some(ending) = &mut self.ending {
            ending.request = 0;
        }
    }

    /// A line for the sandbox's log; kept for a while where nobody listens.
    pub fn diagnose(&mut self, level: &str, text: &str) {
        let text = clipped(text, MAX_TEXT).into();
        self.unsaid.push_back(Diagnostic {
            level: level.into(),
            text,
        });
        if self.unsaid.len() > MAX_UNSAID {
            self.unsaid.pop_front();
        }
    }

    /// Ends a stream with the answer to what it asked for.
    pub fn refuse(&mut self, stream: u32, reason: ResetReason, code: &str, message: &str) {
        if let Some(connection) = self.connection() {
            connection.reset(stream, reason, code, message);
        }
    }

    /// Passes on what is to be said unasked: lines for the log, and what contexts have put out between their cells.
    pub fn send_unasked(&mut self) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        if !connection.welcomed {
            return;
        }
        for diagnostic in self.unsaid.drain(..) {
            connection.control(0, agent_control::Body::Diagnostic(diagnostic));
        }
        for (id, context) in &mut self.contexts {
            while !connection.busy() {
                let Some(output) = context.background.take(id) else {
                    break;
                };
                connection.control(0, agent_control::Body::Background(output));
            }
        }
    }
}
