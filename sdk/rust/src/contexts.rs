//! Further interpreters of a sandbox.

use std::fmt;
use std::sync::Arc;

use crate::error::SandboxError;
use crate::events::RunEvents;
use crate::execution::Execution;
use crate::info::{ContextInfo, ContextList};
use crate::options::{ContextOptions, RunOptions};
use crate::sandbox::{run, stream};
use crate::session::Session;

/// Opens further interpreters in a sandbox, each with a state of its own.
#[derive(Clone)]
pub struct Contexts {
    session: Arc<Session>,
}

impl Contexts {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// Opens one for a language: `python` or `node`.
    pub async fn open(
        &self,
        language: &str,
        options: Option<ContextOptions>,
    ) -> Result<Context, SandboxError> {
        let call = self
            .session
            .calls
            .open_context(language, &options.unwrap_or_default());
        let ContextInfo { id, language, .. } = self.session.json(call).await?;
        let session = self.session.clone();
        Ok(Context {
            session,
            id,
            language,
        })
    }

    /// All that are open, the sandbox's first one too.
    pub async fn list(&self) -> Result<Vec<ContextInfo>, SandboxError> {
        let list: ContextList = self.session.json(self.session.calls.contexts()).await?;
        Ok(list.contexts)
    }

    /// Ends one; its state is lost.
    pub async fn close(&self, id: &str) -> Result<(), SandboxError> {
        self.session
            .bytes(self.session.calls.close_context(id))
            .await
            .map(drop)
    }
}

/// A further interpreter of a sandbox. It ends with [`close`](Self::close) or with its sandbox, not by being dropped.
#[derive(Clone)]
pub struct Context {
    session: Arc<Session>,
    id: String,
    language: String,
}

impl Context {
    /// By which the server knows it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `python` or `node`.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Runs a cell in it and waits for its end.
    pub async fn run(
        &self,
        code: &str,
        options: Option<RunOptions>,
    ) -> Result<Execution, SandboxError> {
        run(&self.session, &self.language, code, self.here(options)).await
    }

    /// Runs a cell in it and gives its events as they happen. Dropping them interrupts the cell.
    pub async fn stream(
        &self,
        code: &str,
        options: Option<RunOptions>,
    ) -> Result<RunEvents, SandboxError> {
        stream(&self.session, &self.language, code, self.here(options)).await
    }

    /// Ends it; its state is lost.
    pub async fn close(&self) -> Result<(), SandboxError> {
        self.session
            .bytes(self.session.calls.close_context(&self.id))
            .await
            .map(drop)
    }

    fn here(&self, options: Option<RunOptions>) -> Option<RunOptions> {
        Some(options.unwrap_or_default().context(self.id.as_str()))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.id)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
