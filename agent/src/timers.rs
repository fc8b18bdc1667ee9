//! What is to happen later. Timers are not cancelled: whoever gets one looks whether it still applies.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// A due time's purpose. Handles are never used twice, so a timer that came too late finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Dial the host again.
    Dial,
    /// The connection of this serial number must have got past its greeting.
    Greeting(u64),
    /// A process has ended; stop waiting for its pipes.
    Linger(u64),
    /// An interrupted cell has had its grace.
    Grace { interpreter: u64, cell: u64 },
    /// An interpreter must have said that it is ready.
    Ready(u64),
    /// Start an interpreter again that died at its start.
    Restart(u64),
    /// An interpreter that has been asked to go, or lost its control socket, is killed if it is still there.
    Bury(u64),
    /// A file request has had its time.
    FileJob(u64),
    /// The carrier of a whole file must have got further.
    FileStream(u64),
    /// Everything that is still alive is killed.
    ShutdownGrace,
}

#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    pub fn after(&mut self, delay: Duration, timer: Timer) {
        self.heap.push(Reverse((Instant::now() + delay, timer)));
    }

    /// How long the loop may sleep; `None` for ever.
    pub fn sleep(&self) -> Option<Duration> {
        let Reverse((due, _)) = self.heap.peek()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// The next timer that is due.
    pub fn pop(&mut self) -> Option<Timer> {
        let Reverse((due, _)) = self.heap.peek()?;
        if *due > Instant::now() {
            return None;
        }
        self.heap.pop().map(|Reverse((_, timer))| timer)
    }
}
