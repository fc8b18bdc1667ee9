//! What a sandbox uses.

use std::sync::Arc;

use serde::Deserialize;

use crate::error::SandboxError;
use crate::session::Session;

const MEBIBYTE: u64 = 1024 * 1024;

/// What a sandbox uses, by its host's count.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct MetricsData {
    /// The sandbox's.
    pub id: String,
    /// The sandbox's.
    pub namespace: String,
    /// The sandbox's.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
    /// Processing time since the last question, in per cent of one CPU.
    pub cpu_percent: Option<f64>,
    /// Memory in use.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Of its writable layer.
    pub disk_bytes: Option<u64>,
}

/// Tells what a sandbox uses.
#[derive(Clone)]
pub struct Metrics {
    session: Arc<Session>,
}

impl Metrics {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// Everything, of one moment.
    pub async fn all(&self) -> Result<MetricsData, SandboxError> {
        self.session.json(self.session.calls.metrics()).await
    }

    /// Processing time in use, in per cent of one CPU.
    pub async fn cpu(&self) -> Result<Option<f64>, SandboxError> {
        Ok(self.all().await?.cpu_percent)
    }

    /// Memory in use, in MiB.
    pub async fn memory(&self) -> Result<Option<u64>, SandboxError> {
        Ok(self.all().await?.memory_bytes.map(|bytes| bytes / MEBIBYTE))
    }

    /// Bytes that its writable layer takes.
    pub async fn disk(&self) -> Result<Option<u64>, SandboxError> {
        Ok(self.all().await?.disk_bytes)
    }

    /// Whether it runs.
    pub async fn is_running(&self) -> Result<bool, SandboxError> {
        Ok(self.all().await?.running)
    }
}
