//! What the capture asks of the channel to the host.

use std::net::SocketAddr;

/// The channel as the capture sees it. Every call queues; none may block.
///
/// Stream ids are even and never used twice between two calls of
/// [`Egress::channel_lost`](crate::Egress::channel_lost).
pub trait EgressSink {
    /// Asks the host to dial `destination`. `window` bytes may be sent towards the program.
    fn open(&mut self, stream: u32, destination: SocketAddr, window: u32);

    /// Carries at most 65,536 bytes of the program's to the host.
    fn data(&mut self, stream: u32, bytes: &[u8]);

    /// Lets the host send `bytes` more.
    fn credit(&mut self, stream: u32, bytes: u32);

    /// The program sends no more.
    fn end(&mut self, stream: u32);

    /// The program has broken the connection, or given up waiting for it.
    fn reset(&mut self, stream: u32);

    /// Asks the host to answer a DNS message. `id` is odd or even, and never used twice.
    fn dns_query(&mut self, id: u64, tcp: bool, message: &[u8]);

    /// Bytes of data frames that wait to be written to the host: while there are many, programs are made to wait.
    fn backlog(&self) -> usize;
}
