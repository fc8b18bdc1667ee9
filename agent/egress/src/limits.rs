//! How much a sandbox's connections may hold.

/// Bounds of the capture. What goes beyond is refused at once.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections, those included that the host has not yet dialled.
    pub connections: usize,
    /// Connections that the host is asked to dial at once: fewer than it allows, for it refuses the rest.
    pub dialling: usize,
    /// Connections that wait for their turn to be dialled.
    pub queued: usize,
    /// DNS queries that the host has not yet answered.
    pub queries: usize,
    /// Sum of the windows granted to the host, in bytes.
    pub windows: u32,
    /// Bytes waiting in the channel from which on programs are made to wait.
    pub backlog: usize,
}

impl Default for Limits {
    /// The channel's own bounds, less what the agent needs for other streams.
    fn default() -> Self {
        Self {
            connections: 4_000,
            dialling: 200,
            queued: 2_048,
            queries: 512,
            windows: 5 * 1024 * 1024,
            backlog: 512 * 1024,
        }
    }
}
