//! What a server says of its sandboxes and of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::wire;

/// Where a sandbox is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SandboxState {
    /// It is being made.
    Starting,
    /// It can be used.
    Running,
    /// Its processes are being ended.
    Stopping,
    /// It has no processes; its disk is kept.
    Stopped,
    /// It is being removed.
    Deleting,
    /// One that is newer than this crate.
    #[serde(other)]
    Other,
}

/// What the server knows of a sandbox. Times are RFC 3339 in UTC, memory and disk MiB.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SandboxInfo {
    /// `sb` and 16 hexadecimal digits.
    pub id: String,
    /// Unique in its namespace.
    pub name: String,
    /// In which its name is unique.
    pub namespace: String,
    /// Where it is in its life.
    pub state: SandboxState,
    /// What it was made of.
    pub image: String,
    /// `container`, `gvisor` or `microvm`.
    pub isolation: String,
    /// That its image has interpreters for, the default one first.
    pub languages: Vec<String>,
    /// MiB.
    pub memory: u64,
    /// CPUs.
    pub cpus: f64,
    /// At most so many processes and threads.
    pub processes: u64,
    /// MiB.
    pub disk: u64,
    /// For finding it again.
    pub labels: BTreeMap<String, String>,
    /// `public` or `none`.
    pub network: String,
    /// From its creation to its end; none for no limit.
    #[serde(deserialize_with = "wire::duration_or_null")]
    pub time_to_live: Option<Duration>,
    /// It is stopped when unused for so long; zero for never.
    #[serde(deserialize_with = "wire::duration")]
    pub idle_timeout: Duration,
    /// Whether it is removed when it is stopped.
    pub ephemeral: bool,
    /// When it was made.
    pub created_at: String,
    /// When it was started last.
    pub started_at: Option<String>,
    /// When it was stopped last.
    pub stopped_at: Option<String>,
    /// When its time to live ends.
    pub expires_at: Option<String>,
    /// Why it ended: `stopped`, `idle`, `expired`, `out_of_memory`, `exited`, `agent_lost`, `server_stopped`,
    /// `host_restarted`.
    pub end_reason: Option<String>,
}

/// A line of a sandbox's log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// Counts up; gaps are lines that the bounded log has dropped.
    pub sequence: u64,
    /// RFC 3339 in UTC.
    pub time: String,
    /// `server`, `agent`, `network`, or `stdout` and `stderr` for output outside of any cell.
    pub source: String,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// What it says.
    pub text: String,
}

/// An image that sandboxes can be made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ImageInfo {
    /// `microsandbox/python` for example.
    pub name: String,
    /// Of its content.
    pub digest: String,
    /// Of its file.
    pub size_bytes: u64,
    /// That it has interpreters for.
    pub languages: Vec<String>,
    /// RFC 3339 in UTC.
    pub created_at: String,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Of the server.
    pub version: String,
    /// Of the server's process on its host.
    pub pid: u64,
    /// False once it is stopping.
    pub accepting: bool,
    /// RFC 3339 in UTC.
    pub started_at: String,
    /// Whether requests on TCP need a key.
    pub keys_required: bool,
    /// The kinds that work there, the best first.
    pub isolation: Vec<String>,
    /// Program and version by kind.
    pub runtimes: BTreeMap<String, String>,
    /// Sandboxes that run.
    pub running: u64,
    /// All sandboxes, stopped ones too.
    pub stored: u64,
    /// How many it allows.
    pub maximum_sandboxes: u64,
}

#[derive(Deserialize)]
pub(crate) struct LogList {
    pub(crate) entries: Vec<LogEntry>,
}

#[derive(Deserialize)]
pub(crate) struct SandboxList {
    pub(crate) sandboxes: Vec<SandboxInfo>,
}

#[derive(Deserialize)]
pub(crate) struct ImageList {
    pub(crate) images: Vec<ImageInfo>,
}
