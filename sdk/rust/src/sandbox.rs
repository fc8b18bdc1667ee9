//! Sandboxes, by their language.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::command::Command;
use crate::contexts::Contexts;
use crate::error::SandboxError;
use crate::events::RunEvents;
use crate::execution::Execution;
use crate::files::Files;
use crate::info::{LogEntry, LogList, SandboxInfo};
use crate::metrics::Metrics;
use crate::options::{
    AttachOptions, Cell, RunOptions, SandboxOptions, StartOptions, StreamOptions,
};
use crate::session::{Language, Owner, Session};

/// What the sandboxes of this crate share with their trait; it keeps others from implementing that.
pub(crate) trait HasSession {
    fn session(&self) -> &Arc<Session>;
}

/// A sandbox with interpreters that keep their state between runs.
///
/// All methods of [`PythonSandbox`] and [`NodeSandbox`] but those that make one. The trait can be used as an object
/// (`Box<dyn BaseSandbox>`), its futures are [`Send`], and this crate's types are the only ones that implement it.
///
/// Errors are [`SandboxError`]s, by the code of what went wrong; what the code inside does wrong is a result. A future that is
/// dropped closes its connection, which interrupts the cell or command that it waits for unless `keep_running` is set.
#[allow(private_bounds)]
#[async_trait]
pub trait BaseSandbox: HasSession + Send + Sync {
    /// Its name, made up where none was given.
    fn name(&self) -> &str {
        &self.session().calls.name
    }

    /// The namespace in which its name is unique.
    fn namespace(&self) -> &str {
        &self.session().calls.namespace
    }

    /// The server that was named, or the default one.
    fn server_url(&self) -> &str {
        &self.session().server_url
    }

    /// The image that is used where none is named.
    fn default_image(&self) -> &'static str {
        self.session().language.image
    }

    /// Whether this object has started it, or found it running, and not stopped it.
    fn is_started(&self) -> bool {
        self.session().is_started()
    }

    /// Runs programs in it.
    fn command(&self) -> Command {
        Command::new(self.session().clone())
    }

    /// Reads and writes its files.
    fn files(&self) -> Files {
        Files::new(self.session().clone())
    }

    /// Tells what it uses.
    fn metrics(&self) -> Metrics {
        Metrics::new(self.session().clone())
    }

    /// Opens further interpreters in it.
    fn contexts(&self) -> Contexts {
        Contexts::new(self.session().clone())
    }

    /// Creates it and waits until it is usable; nothing happens where this object has started it already.
    async fn start(&mut self, options: Option<StartOptions>) -> Result<(), SandboxError> {
        self.session().start(options.unwrap_or_default()).await
    }

    /// Ends its processes; an ephemeral one is removed. Nothing happens where it is stopped already.
    async fn stop(&mut self) -> Result<(), SandboxError> {
        self.session().stop().await
    }

    /// Ends it and removes all that there is of it, its disk too. Nothing happens where it is gone already.
    async fn delete(&mut self) -> Result<(), SandboxError> {
        self.session().delete().await
    }

    /// Asks what the server knows of it.
    async fn info(&self) -> Result<SandboxInfo, SandboxError> {
        self.session().ask(self.session().calls.info()).await
    }

    /// Changes how long it lives, and counts as use: until its end from now, zero for no limit; and how long it may be unused,
    /// zero for ever. What is none stays as it is.
    async fn extend(
        &self,
        time_to_live: Option<Duration>,
        idle_timeout: Option<Duration>,
    ) -> Result<SandboxInfo, SandboxError> {
        self.session()
            .ask(self.session().calls.extend(time_to_live, idle_timeout))
            .await
    }

    /// Its log, the oldest line first: only lines past the sequence number `after`, and at most `limit` of them (1000 where
    /// that is none).
    async fn logs(
        &self,
        after: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Vec<LogEntry>, SandboxError> {
        let list: LogList = self
            .session()
            .ask(self.session().calls.logs(after, limit))
            .await?;
        Ok(list.entries)
    }

    /// Runs a cell and waits for its end.
    async fn run(
        &self,
        code: &str,
        options: Option<RunOptions>,
    ) -> Result<Execution, SandboxError> {
        run(
            self.session(),
            self.session().language.name,
            code,
            &options.unwrap_or_default().into(),
        )
        .await
    }

    /// Runs a cell, after starting the sandbox where that has not been done.
    async fn run_or_start(
        &mut self,
        code: &str,
        options: Option<RunOptions>,
    ) -> Result<Execution, SandboxError> {
        self.start(None).await?;
        self.run(code, options).await
    }

    /// Runs a cell and gives its events as they happen. Dropping them interrupts the cell, whose state is kept.
    async fn stream(
        &self,
        code: &str,
        options: Option<StreamOptions>,
    ) -> Result<RunEvents, SandboxError> {
        stream(
            self.session(),
            self.session().language.name,
            code,
            &options.unwrap_or_default().into(),
        )
        .await
    }

    /// Gives the events of a cell or command that runs, or has ended lately; what is no longer kept of its output is left
    /// out. Dropping these events interrupts nothing.
    async fn attach(
        &self,
        run_id: &str,
        options: Option<AttachOptions>,
    ) -> Result<RunEvents, SandboxError> {
        self.session()
            .events(
                self.session()
                    .calls
                    .attach(run_id, &options.unwrap_or_default()),
            )
            .await
    }

    /// Stops a cell or command; its outcome will be `interrupted`. Harmless after its end.
    async fn interrupt(&self, run_id: &str) -> Result<(), SandboxError> {
        self.session()
            .bytes(self.session().calls.interrupt(run_id))
            .await
            .map(drop)
    }
}

/// Runs a cell of a language.
pub(crate) async fn run(
    session: &Session,
    language: &str,
    code: &str,
    cell: &Cell,
) -> Result<Execution, SandboxError> {
    let body = session
        .json(session.calls.run(language, code, cell))
        .await?;
    Ok(Execution::new(body, language))
}

/// Begins a cell of a language.
pub(crate) async fn stream(
    session: &Session,
    language: &str,
    code: &str,
    cell: &Cell,
) -> Result<RunEvents, SandboxError> {
    session
        .events(session.calls.run(language, code, cell))
        .await
}

/// Makes the type of a language's sandboxes.
macro_rules! sandbox {
    ($(#[$meaning:meta])+ $sandbox:ident, $language:literal, $image:literal) => {
        $(#[$meaning])+
        ///
        /// Its methods are those of [`BaseSandbox`]. [`stop`](BaseSandbox::stop) belongs at the end of its use. One that is
        /// dropped without it, by a `?` or a panic for example, is stopped by that where it is ephemeral and this object has
        /// started it; the thread waits for this up to ten seconds, and errors are lost. One that is not ephemeral, or was
        /// connected to, is left as it is.
        pub struct $sandbox(Owner);

        impl $sandbox {
            const LANGUAGE: Language = Language {
                name: $language,
                image: $image,
            };

            /// A sandbox of this name that is not started yet; the server is not asked.
            ///
            /// # Errors
            ///
            /// `invalid_request` where the environment names a server or key that can be none.
            pub async fn create(name: impl Into<String>) -> Result<Self, SandboxError> {
                Self::create_with_options(SandboxOptions::default().name(name)).await
            }

            /// The same with more to say of it.
            ///
            /// # Errors
            ///
            /// `invalid_request` where the server's address or the key can be none.
            pub async fn create_with_options(options: SandboxOptions) -> Result<Self, SandboxError> {
                Ok(Self(Owner(Arc::new(Session::new(&Self::LANGUAGE, options)?))))
            }

            /// A sandbox that there is, by its name or id; whether it is started is taken over. Of the options only
            /// `server_url`, `api_key`, `namespace` and `start_timeout` count. Dropping this object does not stop it.
            ///
            /// # Errors
            ///
            /// `sandbox_not_found` where there is none.
            pub async fn connect(name: impl Into<String>, options: Option<SandboxOptions>) -> Result<Self, SandboxError> {
                let options = options.unwrap_or_default().name(name);
                Ok(Self(Owner(Arc::new(Session::connect(&Self::LANGUAGE, options).await?))))
            }
        }

        impl HasSession for $sandbox {
            fn session(&self) -> &Arc<Session> {
                &self.0.0
            }
        }

        impl BaseSandbox for $sandbox {}

        impl fmt::Debug for $sandbox {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($sandbox))
                    .field("name", &self.name())
                    .field("is_started", &self.is_started())
                    .finish_non_exhaustive()
            }
        }
    };
}

sandbox!(
    /// A sandbox whose cells are Python, with pip.
    PythonSandbox,
    "python",
    "microsandbox/python"
);

sandbox!(
    /// A sandbox whose cells are JavaScript, with npm.
    NodeSandbox,
    "node",
    "microsandbox/node"
);
