//! What a sandbox object shares with its parts: the server, the sandbox that is meant, and whether it is started.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::address::{DEFAULT_URL, named};
use crate::calls::Calls;
use crate::error::SandboxError;
use crate::events::RunEvents;
use crate::info::{SandboxInfo, SandboxState};
use crate::options::{SandboxOptions, StartOptions};
use crate::transport::{Call, Transport};

const START_LIMIT: Duration = Duration::from_secs(180);
/// How long dropping a sandbox waits for its end.
const DROP_LIMIT: Duration = Duration::from_secs(10);

/// A language as a sandbox has it.
pub(crate) struct Language {
    /// As the server names it.
    pub(crate) name: &'static str,
    /// The image that is used where none is named.
    pub(crate) image: &'static str,
}

/// One sandbox of a server.
pub(crate) struct Session {
    pub(crate) language: &'static Language,
    pub(crate) calls: Calls,
    pub(crate) server_url: String,
    transport: Transport,
    wanted: Mutex<SandboxOptions>,
    is_started: AtomicBool,
    /// Whether the server has one that is this object's, stopped perhaps.
    is_there: AtomicBool,
    /// Whether it was found and not created, so that dropping this object leaves it as it is.
    is_found: bool,
}

impl Session {
    pub(crate) fn new(
        language: &'static Language,
        mut options: SandboxOptions,
    ) -> Result<Self, SandboxError> {
        let environment = |name| std::env::var(name).ok();
        let server_url = named(options.server_url.take(), environment("MSB_SERVER_URL"));
        let key = named(options.api_key.take(), environment("MSB_API_KEY"));
        let name = options
            .name
            .take()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(made_up_name);
        options
            .image
            .get_or_insert_with(|| language.image.to_owned());
        options.ephemeral.get_or_insert(true);
        Ok(Self {
            language,
            calls: Calls::new(name, options.namespace.take()),
            transport: Transport::new(server_url.as_deref(), key.as_deref())?,
            server_url: server_url.unwrap_or_else(|| DEFAULT_URL.to_owned()),
            wanted: Mutex::new(options),
            is_started: AtomicBool::new(false),
            is_there: AtomicBool::new(false),
            is_found: false,
        })
    }

    /// For a sandbox that there is, by its name or id; its state is taken over.
    pub(crate) async fn connect(
        language: &'static Language,
        options: SandboxOptions,
    ) -> Result<Self, SandboxError> {
        let start_timeout = options.start_timeout;
        let mut session = Self::new(language, options)?;
        let info: SandboxInfo = session.transport.json(session.calls.info()).await?;
        session.calls = Calls::of(&info);
        session.wanted = Mutex::new(
            SandboxOptions {
                start_timeout,
                ..Default::default()
            }
            .ephemeral(info.ephemeral),
        );
        session.is_found = true;
        session.set_started(info.state == SandboxState::Running);
        session.set_there(true);
        Ok(session)
    }

    pub(crate) async fn start(&self, options: StartOptions) -> Result<(), SandboxError> {
        if self.is_started() {
            return Ok(());
        }
        let wanted = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.image = options.image.or(wanted.image.take());
            wanted.memory = options.memory.or(wanted.memory);
            wanted.cpus = options.cpus.or(wanted.cpus);
            wanted.clone()
        };
        let limit = options
            .timeout
            .or(wanted.start_timeout)
            .unwrap_or(START_LIMIT);
        if self.is_found {
            self.transport.bytes(self.calls.start(limit)).await?;
        } else {
            self.create(&wanted, limit).await?;
        }
        self.set_started(true);
        self.set_there(true);
        Ok(())
    }

    async fn create(&self, wanted: &SandboxOptions, limit: Duration) -> Result<(), SandboxError> {
        match self
            .transport
            .bytes(self.calls.create(wanted, limit)?)
            .await
        {
            Err(SandboxError::NameTaken(_)) if wanted.ephemeral == Some(false) => self
                .transport
                .bytes(self.calls.start(limit))
                .await
                .map(drop),
            other => other.map(drop),
        }
    }

    pub(crate) async fn stop(&self) -> Result<(), SandboxError> {
        if !self.is_started() {
            return Ok(());
        }
        // It may have ended by itself.
        self.end(self.calls.stop()).await?;
        self.set_there(!self.is_ephemeral());
        Ok(())
    }

    pub(crate) async fn delete(&self) -> Result<(), SandboxError> {
        // It is gone where it was ephemeral and is stopped.
        self.end(self.calls.delete()).await?;
        self.set_there(false);
        Ok(())
    }

    async fn end(&self, call: Call) -> Result<(), SandboxError> {
        is_over(self.transport.bytes(call).await)?;
        self.set_started(false);
        Ok(())
    }

    /// Makes a call that a stopped sandbox answers too.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, SandboxError> {
        require(self.is_there.load(Ordering::Relaxed))?;
        self.transport.json(call).await
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, SandboxError> {
        require(self.is_started())?;
        self.transport.json(call).await
    }

    pub(crate) async fn bytes(&self, call: Call) -> Result<Bytes, SandboxError> {
        require(self.is_started())?;
        self.transport.bytes(call).await
    }

    pub(crate) async fn file(&self, call: Call) -> Result<Vec<u8>, SandboxError> {
        require(self.is_started())?;
        self.transport.file(call).await
    }

    pub(crate) async fn events(&self, call: Call) -> Result<RunEvents, SandboxError> {
        require(self.is_started())?;
        self.transport.events(call).await
    }

    pub(crate) fn is_started(&self) -> bool {
        self.is_started.load(Ordering::Relaxed)
    }

    fn set_started(&self, is_started: bool) {
        self.is_started.store(is_started, Ordering::Relaxed);
    }

    fn set_there(&self, is_there: bool) {
        self.is_there.store(is_there, Ordering::Relaxed);
    }

    fn is_ephemeral(&self) -> bool {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.ephemeral != Some(false)
    }

    /// What ends it without anything of the caller's runtime, which may be ending itself.
    fn ending(&self) -> impl Future<Output = ()> + Send + 'static {
        let transport = self.transport.apart();
        let call = self.calls.stop();
        async move {
            let _ = timeout(DROP_LIMIT, transport.bytes(call)).await;
        }
    }
}

/// A session that ends its sandbox when it is dropped, where that is this object's own and still started.
pub(crate) struct Owner(pub(crate) Arc<Session>);

impl Drop for Owner {
    fn drop(&mut self) {
        let session = &self.0;
        if !session.is_started() || session.is_found || !session.is_ephemeral() {
            return;
        }
        session.set_started(false);
        let ending = session.ending();
        let thread = std::thread::Builder::new().spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.map(|runtime| runtime.block_on(ending))
        });
        // Waited for, since the program's end would be the thread's end.
        let _ = thread.map(|thread| thread.join());
    }
}

fn require(condition: bool) -> Result<(), SandboxError> {
    if condition {
        return Ok(());
    }
    Err(SandboxError::new(
        "sandbox_not_running",
        "Sandbox is not started. Call start() first.",
    ))
}

fn is_over(outcome: Result<Bytes, SandboxError>) -> Result<(), SandboxError> {
    match outcome {
        Err(SandboxError::SandboxNotFound(_) | SandboxError::SandboxNotRunning(_)) => Ok(()),
        other => other.map(drop),
    }
}

fn made_up_name() -> String {
    // Its keys are random, which is enough for a name that need not be secret.
    let random = RandomState::new().hash_one(std::process::id());
    format!("sandbox-{:08x}", random as u32)
}
