//! The life of a cell: queued, given to its interpreter, started, interrupted.

use crate::agent::Agent;
use crate::context::{Queued, Running, unknown_context};
use crate::driver::Order;
use crate::error::{Error, Result};
use crate::object::{ObjectId, Runner};
use crate::timers::Timer;
use crate::wire::{
    CellError, CellResult, Finished, InterruptReason, Outcome, ResetReason, RunCell, Started,
    StreamEvent, stream_event,
};
use prost::Message;
use std::time::{Duration, Instant};

const MAX_QUEUE: usize = 64;
const MAX_QUEUED_CODE: usize = 32 << 20;
const DEFAULT_GRACE: Duration = Duration::from_secs(1);

impl Agent {
    /// Queues a cell whose whole source is there, and shows it on a stream.
    pub fn run_cell(&mut self, stream: u32, request: RunCell) -> Result<()> {
        let object = ObjectId::parse(&request.object_id)?;
        if self.objects.get(&object).is_some() {
            return self.attach(stream, object, request.offset);
        }
        let context_id = request.context_id;
        self.default_context(&context_id)?;
        let code: usize = self
            .contexts
            .values()
            .flat_map(|context| &context.queue)
            .map(|cell| cell.code.len())
            .sum();
        let context = self
            .contexts
            .get_mut(&context_id)
            .ok_or_else(|| unknown_context(&context_id))?;
        if context.queue.len() >= MAX_QUEUE || code + request.code.len() > MAX_QUEUED_CODE {
            let message = format!(
                "{} cells wait in context {context_id:?} already; wait for some to end",
                context.queue.len()
            );
            return Err(Error::refused("too_many_cells", message));
        }
        if context.interpreter.is_none() {
            self.ensure_interpreter(&context_id)?;
        }
        let Some(context) = self.contexts.get_mut(&context_id) else {
            return Ok(());
        };
        let code = request.code;
        context.queue.push_back(Queued { object, code });
        self.objects
            .add(object, Runner::Context(context_id.clone()));
        self.attach(stream, object, request.offset)?;
        self.next_cell(&context_id);
        Ok(())
    }

    /// Gives the interpreter its next cell, if it can take one.
    pub fn next_cell(&mut self, context_id: &str) {
        let id = self.next_handle();
        let Some(context) = self.contexts.get_mut(context_id) else {
            return;
        };
        let Some(handle) = context.interpreter.filter(|_| context.running.is_none()) else {
            return;
        };
        if !self
            .interpreters
            .get(&handle)
            .is_some_and(|interpreter| interpreter.ready)
        {
            return;
        }
        let Some(cell) = context.queue.pop_front() else {
            return;
        };
        context.number += 1;
        context.used = true;
        context.quick_deaths = 0;
        let number = context.number;
        self.drain_to_background(handle);
        self.tell_environment(handle);
        let order = Order::Cell {
            id,
            number,
            code: &cell.code,
        };
        let frame = match order.encode() {
            Ok(frame) => frame,
            Err(error) => return self.cell_refused(context_id, cell.object, error),
        };
        if let Some(context) = self.contexts.get_mut(context_id) {
            context.running = Some(Running {
                object: cell.object,
                id,
                number,
                started: false,
                interrupted: None,
                began: Instant::now(),
                notes: Vec::new(),
                finishing: None,
            });
        }
        self.order(handle, &frame);
        self.regulate(&cell.object);
    }

    fn cell_refused(&mut self, context_id: &str, object: ObjectId, error: Error) {
        self.fail_object(&object, error.answer());
        self.next_cell(context_id);
    }

    /// Ends an object that cannot be run with a reset of all its streams.
    pub fn fail_object(&mut self, object: &ObjectId, (code, message): (&'static str, String)) {
        let Some(object) = self.objects.remove(object) else {
            return;
        };
        for stream in object.viewers {
            self.refuse(stream, ResetReason::Failed, code, &message);
        }
    }

    /// The driver is about to run the cell.
    pub fn cell_started(&mut self, context_id: &str, pid: u32) {
        let Some(running) = self
            .contexts
            .get_mut(context_id)
            .and_then(|context| context.running.as_mut())
        else {
            return;
        };
        let again = running.interrupted.is_some() && !running.started;
        running.started = true;
        let (object, id, cell_number) = (running.object, running.id, running.number);
        let handle = self
            .contexts
            .get(context_id)
            .and_then(|context| context.interpreter);
        if let Some(object) = self.objects.get_mut(&object) {
            object.started = Some(Started { pid, cell_number });
        }
        self.touch_viewers(&object);
        if let Some(handle) = handle.filter(|_| again) {
            self.interrupt_interpreter(handle, id);
        }
    }

    /// Keeps a result or error until the output before it is in its place.
    pub fn cell_noted(&mut self, context_id: &str, note: Noted) {
        let body = match note {
            Noted::Result(result) => stream_event::Body::Result(result),
            Noted::Error(error) => stream_event::Body::Error(error),
        };
        let event = StreamEvent { body: Some(body) };
        if let Some(running) = self
            .contexts
            .get_mut(context_id)
            .and_then(|context| context.running.as_mut())
        {
            if running.notes.len() < 2 {
                running.notes.push(event.encode_to_vec());
            }
        }
    }

    /// Interrupts a cell, wherever it is by now.
    pub fn interrupt_cell(
        &mut self,
        context_id: &str,
        object: ObjectId,
        reason: InterruptReason,
        grace_ms: u32,
    ) {
        let Some(context) = self.contexts.get_mut(context_id) else {
            return;
        };
        if context.has_queued(&object) {
            context.queue.retain(|cell| cell.object != object);
            let outcome = interrupted(reason).into();
            return self.finish(
                &object,
                Finished {
                    outcome,
                    ..Finished::default()
                },
            );
        }
        let Some(handle) = context.interpreter else {
            return;
        };
        let Some(running) = context
            .running
            .as_mut()
            .filter(|running| running.object == object)
        else {
            return;
        };
        if running.finishing.is_some() {
            return;
        }
        let first = running.interrupted.is_none();
        running.interrupted.get_or_insert(reason);
        let cell = running.id;
        self.interrupt_interpreter(handle, cell);
        self.regulate(&object);
        if first {
            let grace = match grace_ms {
                0 => DEFAULT_GRACE,
                given => Duration::from_millis(u64::from(given)),
            };
            self.timers.after(
                grace,
                Timer::Grace {
                    interpreter: handle,
                    cell,
                },
            );
        }
    }
}

/// What a driver says about the running cell before its end.
pub enum Noted {
    Result(CellResult),
    Error(CellError),
}

/// The outcome of a cell that was interrupted for a reason.
pub fn interrupted(reason: InterruptReason) -> Outcome {
    match reason {
        InterruptReason::Timeout => Outcome::TimedOut,
        _ => Outcome::Interrupted,
    }
}
