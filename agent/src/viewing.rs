//! Streams that show objects, and how far a program may run ahead of those who watch.

use crate::agent::Agent;
use crate::connection::View;
use crate::error::{Error, Result};
use crate::link::Link;
use crate::object::{ObjectId, Runner};
use crate::wire::{Finished, ResetReason};

/// Bytes between a viewer and the end of the output at which the program is made to wait.
const BEHIND: u64 = 64 << 10;
/// The same while a cell is being interrupted, which a full pipe would prevent.
const FAR_BEHIND: u64 = 768 << 10;
const NOTES_BEHIND: u64 = 64;
/// The window granted for input of a process.
const INPUT_WINDOW: u64 = 64 << 10;

impl Agent {
    /// Shows an object on a stream that the host has opened.
    pub fn attach(&mut self, stream: u32, id: ObjectId, offset: u64) -> Result<()> {
        let Some(object) = self.objects.get(&id) else {
            let message =
                "no such cell or process: it has not been started, or ended and was forgotten";
            return Err(Error::refused("run_not_found", message));
        };
        let window = match object.runner.clone() {
            Runner::Process(handle) if self.wait_for_start(handle, stream, offset) => return Ok(()),
            Runner::Process(handle) if self.takes_input(handle) => INPUT_WINDOW,
            _ => 0,
        };
        let Some(object) = self.objects.get_mut(&id) else {
            return Ok(());
        };
        let cursor = object.output.cursor(offset);
        let Link::Up(connection) = &mut self.link else {
            return Ok(());
        };
        if connection.contains(stream) {
            connection.opened(stream, window, cursor.offset);
            connection.show(stream, id, cursor);
            object.viewers.push(stream);
            self.regulate(&id);
        }
        Ok(())
    }

    pub fn detach(&mut self, stream: u32, view: Option<View>) {
        let Some(view) = view else { return };
        if let Some(object) = self.objects.get_mut(&view.object) {
            object.viewers.retain(|viewer| *viewer != stream);
        }
        self.regulate(&view.object);
    }

    pub fn viewed_process(&mut self, stream: u32) -> Option<u64> {
        let object = self.connection()?.stream(stream)?.view.as_ref()?.object;
        match self.objects.get(&object)?.runner {
            Runner::Process(handle) => Some(handle),
            Runner::Context(_) => None,
        }
    }

    /// Adds a program's output to its object.
    pub fn add_output(&mut self, id: &ObjectId, lane: u8, bytes: &[u8]) {
        if let Some(object) = self.objects.get_mut(id) {
            object.output.append(lane, bytes);
        }
        self.touch_viewers(id);
        self.regulate(id);
    }

    /// Forgets an ended object whose outcome the host has; streams that still show it are over.
    pub fn acknowledge(&mut self, id: &ObjectId) {
        for stream in self.objects.acknowledge(id) {
            self.refuse(
                stream,
                ResetReason::Cancelled,
                "",
                "the object was acknowledged",
            );
        }
    }

    /// Ends an object with its outcome.
    pub fn finish(&mut self, id: &ObjectId, finished: Finished) {
        self.objects.finish(id, finished);
        self.touch_viewers(id);
    }

    /// Lets the streams of an object look for something to send.
    pub fn touch_viewers(&mut self, id: &ObjectId) {
        let (Some(object), Link::Up(connection)) = (self.objects.get(id), &mut self.link) else {
            return;
        };
        for viewer in &object.viewers {
            connection.touch(*viewer);
        }
    }

    /// Whether a viewer is so far behind that the program has to wait.
    pub fn held(&self, id: &ObjectId) -> bool {
        self.behind(id, BEHIND, NOTES_BEHIND)
    }

    fn behind(&self, id: &ObjectId, bytes: u64, notes: u64) -> bool {
        let (Some(object), Link::Up(connection)) = (self.objects.get(id), &self.link) else {
            return false;
        };
        object.viewers.iter().any(|viewer| {
            connection.view(*viewer).is_some_and(|view| {
                object.output.unread(&view.cursor) >= bytes
                    || object.output.unread_notes(&view.cursor) >= notes
            })
        })
    }

    /// Reads an object's pipes, or leaves them full, as its viewers can follow.
    pub fn regulate(&mut self, id: &ObjectId) {
        let Some(object) = self
            .objects
            .get(id)
            .filter(|object| object.finished.is_none())
        else {
            return;
        };
        match object.runner.clone() {
            Runner::Process(handle) => {
                let held = self.held(id);
                self.hold_process(handle, held);
            }
            Runner::Context(context) => {
                let Some(context) = self.contexts.get(&context) else {
                    return;
                };
                let Some(running) = context
                    .running
                    .as_ref()
                    .filter(|running| running.object == *id)
                else {
                    return;
                };
                let Some(handle) = context.interpreter else {
                    return;
                };
                let interrupted = running.interrupted.is_some();
                let held = if interrupted {
                    self.behind(id, FAR_BEHIND, u64::MAX)
                } else {
                    self.held(id)
                };
                self.hold_interpreter(handle, held, held && !interrupted);
            }
        }
    }
}
