//! Run untrusted code in isolated sandboxes, on machines you own.
//!
//! A sandbox has an interpreter that keeps its state between runs, a file system, processes, limits and a network policy of
//! its own. It is made by a microsandbox server, on this machine or another one.
//!
//! ```no_run
//! use microsandbox::{BaseSandbox, PythonSandbox, SandboxError};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), SandboxError> {
//!     let mut sandbox = PythonSandbox::create("demo").await?;
//!     sandbox.start(None).await?;
//!     let execution = sandbox.run("print('Hello from Python!')", None).await?;
//!     println!("{}", execution.output().await?);
//!     sandbox.stop().await
//! }
//! ```
//!
//! # Where to look
//!
//! - [`PythonSandbox`] and [`NodeSandbox`] make sandboxes; what can be done with one is in the trait [`BaseSandbox`].
//! - [`Execution`] is what a run came to, [`RunEvents`] what happens in one.
//! - [`Command`], [`Files`], [`Metrics`] and [`Contexts`] are parts of a sandbox, [`Server`] is the whole.
//! - [`SandboxError`] has all that can go wrong.
//!
//! # Which server
//!
//! The options `server_url` and `api_key`, else `MSB_SERVER_URL` and `MSB_API_KEY`, else the server on this machine: its unix
//! socket, which needs no key, or `http://127.0.0.1:5555`. Where nobody named a server and none answers, `msb server start` is
//! run (by `sudo` where this is not root); `msb` is looked for in `MSB_PATH`, on the `PATH`, and in the checkout that the
//! crate was built in. Proxy settings of the environment are not used.
//!
//! # Options
//!
//! Where a method takes an `Option` of options, `None` leaves everything to the server. All option types are structs of
//! optional fields with a method of the same name for each field:
//!
//! ```
//! use std::time::Duration;
//! use microsandbox::{RunOptions, SandboxOptions};
//!
//! let short = RunOptions::default().timeout(Duration::from_secs(5));
//! let same = RunOptions { timeout: Some(Duration::from_secs(5)), ..Default::default() };
//! assert_eq!(short, same);
//!
//! let small = SandboxOptions::builder().name("demo").memory(256).cpus(0.5).build();
//! assert_eq!(small.memory, Some(256));
//! ```
//!
//! # Runtime
//!
//! Everything runs on [tokio](https://tokio.rs), in a runtime of any flavour with its time and I/O enabled. All futures are
//! [`Send`].

mod address;
mod calls;
mod command;
mod connect;
mod contexts;
mod error;
mod event_parser;
mod events;
mod execution;
mod files;
mod info;
mod local;
mod metrics;
mod options;
mod sandbox;
mod server;
mod session;
mod transport;
mod wire;

pub use command::Command;
pub use contexts::{Context, Contexts};
pub use error::{Problem, SandboxError};
pub use events::{Finished, RunEvent, RunEvents};
pub use execution::{CommandExecution, Execution, Outcome, RunError};
pub use files::Files;
pub use info::{ImageInfo, LogEntry, SandboxInfo, SandboxState, ServerInfo};
pub use metrics::{Metrics, MetricsData};
pub use options::{
    AttachOptions, CommandOptions, CommandStreamOptions, ContextOptions, ContextRunOptions,
    ContextStreamOptions, Encoding, Isolation, ListOptions, Network, ReadOptions, RunOptions,
    SandboxOptions, ServerOptions, StartOptions, StreamOptions, WriteOptions,
};
pub use sandbox::{BaseSandbox, NodeSandbox, PythonSandbox};
pub use server::Server;
