//! Contexts: one interpreter each, the cells that wait for it, and the one that runs.

use crate::agent::Agent;
use crate::background::Background;
use crate::driver::Language;
use crate::environment::Variables;
use crate::error::{Error, Result};
use crate::object::ObjectId;
use crate::wire::{ContextState, Finished, InterruptReason, OpenContext, Outcome, agent_control};
use std::collections::VecDeque;
use std::time::Instant;

const MAX_CONTEXTS: usize = 32;

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
    pub number: u32,
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

    pub fn has_queued(&self, id: &ObjectId) -> bool {
        self.queue.iter().any(|cell| cell.object == *id)
    }
}

impl Agent {
    /// Makes the default context of a language where its id is used for the first time.
    pub fn default_context(&mut self, context_id: &str) -> Result<()> {
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

/// The answer to a request for a context that is not open.
pub fn unknown_context(id: &str) -> Error {
    Error::refused(
        "context_not_found",
        format!("there is no context {id:?}; open it first, or use \"python\" or \"node\""),
    )
}
