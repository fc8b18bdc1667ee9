//! Contexts: one interpreter each, the cells that wait for it, and the one that runs.

use crate::agent::Agent;
use crate::background::Background;
use crate::driver::{Language, Order};
use crate::environment::Variables;
use crate::error::{Error, Result};
use crate::object::{ObjectId, Runner};
use crate::timers::Timer;
use crate::wire::{
    CellError, CellResult, ContextState, Finished, InterruptReason, OpenContext, Outcome,
    ResetReason, RunCell, Started, StreamEvent, agent_control, stream_event,
};
use prost::Message;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const MAX_QUEUE: usize = 64;
const MAX_QUEUED_CODE: usize = 32 << 20;
const MAX_CONTEXTS: usize = 32;
const DEFAULT_GRACE: Duration = Duration::from_secs(1);

/// A cell that waits for its turn.
#[derive(Debug)]
pub struct Queued {
    pub object: ObjectId,
    pub code: String,
}

/// The cell that the interpreter has been given.
#[derive(Debug)]
pub struct Running {
    pub object: ObjectId,
    /// Its id towards the driver.
    pub id: u64,
    pub number: u32,
    pub started: bool,
    pub interrupted: Option<InterruptReason>,
    pub began: Instant,
    /// A result or error, sent after the output that came before it.
    pub notes: Vec<Vec<u8>>,
    pub finishing: Option<Finishing>,
}

/// A cell that is over but for the output that its pipes held at that moment.
#[derive(Debug)]
pub struct Finishing {
    pub finished: Finished,
    pub rest: [u64; 2],
}

#[derive(Debug)]
pub struct Context {
    pub language: Language,
    pub environment: Variables,
    pub directory: String,
    pub user: String,
    pub queue: VecDeque<Queued>,
    pub running: Option<Running>,
    pub interpreter: Option<u64>,
    pub background: Background,
    /// Cells given to the present interpreter.
    pub used: bool,
    /// Deaths in a row without a cell and soon after the start.
    pub quick_deaths: u32,
    /// No new start on request before this, and why.
    pub not_before: Option<(Instant, String)>,
    /// The timer that will start the interpreter again.
    pub restart: Option<u64>,
    /// The request that opened it, unanswered until the interpreter is there.
    pub opening: Option<u64>,
    number: u32,
}

impl Context {
    fn new(language: Language) -> Self {
        Context {
            language,
            environment: Variables::new(),
            directory: String::new(),
            user: String::new(),
            queue: VecDeque::new(),
            running: None,
            interpreter: None,
            background: Background::default(),
            used: false,
            quick_deaths: 0,
            not_before: None,
            restart: None,
            opening: None,
            number: 0,
        }
    }

    fn has_queued(&self, id: &ObjectId) -> bool {
        self.queue.iter().any(|cell| cell.object == *id)
    }
}

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

    /// Makes the default context of a language where its id is used for the first time.
    fn default_context(&mut self, context_id: &str) -> Result<()> {
        if !self.contexts.contains_key(context_id) {
            let language = Language::parse(context_id).map_err(|_| unknown_context(context_id))?;
            self.contexts
                .insert(context_id.to_owned(), Context::new(language));
        }
        Ok(())
    }

    /// Starts a default context's interpreter before anyone asks for a cell.
    pub fn prestart(&mut self, language: &str) -> Result<()> {
        let language = Language::parse(language)?.name();
        self.default_context(language)?;
        self.ensure_interpreter(language)
    }

    /// Opens a further context; answered once its interpreter has started.
    pub fn open_context(&mut self, request_id: u64, request: OpenContext) -> Result<()> {
        let language = Language::parse(&request.language)?;
        let id = request.context_id;
        if id.is_empty() || id.len() > 128 {
            return Err(Error::refused(
                "invalid_request",
                "a context's id has 1 to 128 bytes",
            ));
        }
        if let Some(context) = self.contexts.get(&id) {
            if context.language != language {
                let message = format!(
                    "context {id:?} is one of {} already",
                    context.language.name()
                );
                return Err(Error::refused("invalid_request", message));
            }
            self.done(request_id);
            return Ok(());
        }
        if self.contexts.len() >= MAX_CONTEXTS {
            let message = format!("this sandbox has {MAX_CONTEXTS} contexts already; close some");
            return Err(Error::refused("too_many_processes", message));
        }
        crate::environment::check(&request.environment)?;
        let context = Context {
            environment: request.environment,
            directory: request.working_directory,
            user: request.user,
            opening: Some(request_id),
            ..Context::new(language)
        };
        self.contexts.insert(id.clone(), context);
        self.ensure_interpreter(&id)
            .inspect_err(|_| drop(self.contexts.remove(&id)))
    }

    /// Ends a context with everything that it runs.
    pub fn close_context(&mut self, context_id: &str) -> Result<()> {
        let mut context = self
            .contexts
            .remove(context_id)
            .ok_or_else(|| unknown_context(context_id))?;
        if let Some(interpreter) = context.interpreter.take() {
            self.retire(interpreter, context.running.is_none());
        }
        let running = context.running.take().map(|running| running.object);
        let queued = context.queue.drain(..).map(|cell| cell.object);
        for object in running.into_iter().chain(queued) {
            let finished = Finished {
                outcome: Outcome::Interrupted.into(),
                state_lost: true,
                ..Finished::default()
            };
            self.finish(&object, finished);
        }
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

    /// Reports a context's state unasked.
    pub fn announce_context(&mut self, context_id: &str) {
        if let Some(state) = self.context_state(context_id) {
            self.send(0, agent_control::Body::ContextChanged(state));
        }
    }

    pub fn context_states(&self) -> Vec<ContextState> {
        self.contexts
            .keys()
            .filter_map(|id| self.context_state(id))
            .collect()
    }

    fn context_state(&self, context_id: &str) -> Option<ContextState> {
        let context = self.contexts.get(context_id)?;
        let interpreter = context
            .interpreter
            .and_then(|handle| self.interpreters.get(&handle));
        Some(ContextState {
            context_id: context_id.to_owned(),
            language: context.language.name().into(),
            interpreter_version: interpreter
                .map(|interpreter| interpreter.version.clone())
                .unwrap_or_default(),
            ready: interpreter.is_some_and(|interpreter| interpreter.ready),
            pid: interpreter.map_or(0, |interpreter| interpreter.pid as u32),
        })
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

fn unknown_context(id: &str) -> Error {
    Error::refused(
        "context_not_found",
        format!("there is no context {id:?}; open it first, or use \"python\" or \"node\""),
    )
}
