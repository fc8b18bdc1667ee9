//! Programs in a sandbox.

use std::sync::Arc;

use crate::error::SandboxError;
use crate::events::RunEvents;
use crate::execution::CommandExecution;
use crate::options::{CommandOptions, CommandStreamOptions};
use crate::session::Session;

/// Runs programs in a sandbox; no shell is involved.
#[derive(Clone)]
pub struct Command {
    session: Arc<Session>,
}

impl Command {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// Runs a program and waits for its end.
    pub async fn run<A: AsRef<str>>(
        &self,
        command: &str,
        args: impl IntoIterator<Item = A> + Send,
        options: Option<CommandOptions>,
    ) -> Result<CommandExecution, SandboxError> {
        let argv = argv(command, args);
        let call = self
            .session
            .calls
            .command(argv.clone(), &options.unwrap_or_default(), None);
        let body = self.session.json(call).await?;
        Ok(CommandExecution::new(body, command, argv[1..].to_vec()))
    }

    /// Runs a program and gives its events as they happen. Dropping them ends it.
    pub async fn stream<A: AsRef<str>>(
        &self,
        command: &str,
        args: impl IntoIterator<Item = A> + Send,
        options: Option<CommandStreamOptions>,
    ) -> Result<RunEvents, SandboxError> {
        let (options, encoding) = options.unwrap_or_default().split();
        let call = self
            .session
            .calls
            .command(argv(command, args), &options, encoding);
        self.session.events(call).await
    }

    /// Sends a signal to a command that runs: to its whole process group where `group` is none or true. Harmless after its
    /// end.
    pub async fn signal(
        &self,
        run_id: &str,
        signal: i32,
        group: Option<bool>,
    ) -> Result<(), SandboxError> {
        self.session
            .bytes(self.session.calls.signal(run_id, signal, group))
            .await
            .map(drop)
    }
}

fn argv<A: AsRef<str>>(command: &str, args: impl IntoIterator<Item = A>) -> Vec<String> {
    let mut argv = vec![command.to_owned()];
    argv.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
    argv
}
