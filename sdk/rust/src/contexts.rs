//! Further interpreters of a sandbox.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::error::SandboxError;
use crate::events::RunEvents;
use crate::execution::Execution;
use crate::options::{Cell, ContextOptions, ContextRunOptions, ContextStreamOptions};
use crate::sandbox::{run, stream};
use crate::session::Session;

/// The interpreters of a sandbox: a default one for each language, named like it, and those that were opened.
#[derive(Clone)]
pub struct Contexts {
    session: Arc<Session>,
}

impl Contexts {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// Opens a further one: of the sandbox's language and with a new id, unless these are given.
    pub async fn open(&self, options: Option<ContextOptions>) -> Result<Context, SandboxError> {
        let language = self.session.language.name;
        let call = self
            .session
            .calls
            .open_context(language, &options.unwrap_or_default());
        Ok(Context {
            session: self.session.clone(),
            body: self.session.json(call).await?,
        })
    }

    /// All that are open, the default one of each language too.
    pub async fn list(&self) -> Result<Vec<Context>, SandboxError> {
        let list: ContextList = self.session.json(self.session.calls.contexts()).await?;
        let contexts = list.contexts.into_iter();
        Ok(contexts
            .map(|body| Context {
                session: self.session.clone(),
                body,
            })
            .collect())
    }

    /// Ends one; its state is lost.
    pub async fn close(&self, id: &str) -> Result<(), SandboxError> {
        self.session
            .bytes(self.session.calls.close_context(id))
            .await
            .map(drop)
    }
}

/// A context as the wire has it.
#[derive(Clone, Deserialize)]
struct ContextBody {
    id: String,
    language: String,
    #[serde(default)]
    interpreter_version: Option<String>,
    #[serde(default)]
    ready: bool,
}

#[derive(Deserialize)]
struct ContextList {
    contexts: Vec<ContextBody>,
}

/// An interpreter of a sandbox, with a state of its own. It ends with [`close`](Self::close) or with its sandbox, not by being
/// dropped.
#[derive(Clone)]
pub struct Context {
    session: Arc<Session>,
    body: ContextBody,
}

impl Context {
    /// By which the server knows it.
    pub fn id(&self) -> &str {
        &self.body.id
    }

    /// `python` or `node`.
    pub fn language(&self) -> &str {
        &self.body.language
    }

    /// As it was when this was opened or listed; none until it is ready.
    pub fn interpreter_version(&self) -> Option<&str> {
        self.body.interpreter_version.as_deref()
    }

    /// Whether it was ready when this was opened or listed.
    pub fn ready(&self) -> bool {
        self.body.ready
    }

    /// Runs a cell in it and waits for its end.
    pub async fn run(
        &self,
        code: &str,
        options: Option<ContextRunOptions>,
    ) -> Result<Execution, SandboxError> {
        let ContextRunOptions {
            timeout,
            keep_running,
            output_limit,
        } = options.unwrap_or_default();
        let context = Some(self.body.id.clone());
        let cell = Cell {
            timeout,
            context,
            keep_running,
            output_limit,
            encoding: None,
        };
        run(&self.session, self.language(), code, &cell).await
    }

    /// Runs a cell in it and gives its events as they happen. Dropping them interrupts the cell.
    pub async fn stream(
        &self,
        code: &str,
        options: Option<ContextStreamOptions>,
    ) -> Result<RunEvents, SandboxError> {
        let ContextStreamOptions {
            timeout,
            keep_running,
            encoding,
        } = options.unwrap_or_default();
        let context = Some(self.body.id.clone());
        let cell = Cell {
            timeout,
            context,
            keep_running,
            output_limit: None,
            encoding,
        };
        stream(&self.session, self.language(), code, &cell).await
    }

    /// Ends it; its state is lost. Nothing happens where it is gone already. A language's default context stays open.
    pub async fn close(&self) -> Result<(), SandboxError> {
        let call = self.session.calls.close_context(&self.body.id);
        match self.session.bytes(call).await {
            Err(
                SandboxError::ContextNotFound(_)
                | SandboxError::SandboxNotFound(_)
                | SandboxError::SandboxNotRunning(_),
            ) => Ok(()),
            other => other.map(drop),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.body.id)
            .field("language", &self.body.language)
            .finish_non_exhaustive()
    }
}
