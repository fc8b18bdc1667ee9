//! A file on its way in: what the host has sent, until the file's carrier takes it from a pipe.

use crate::poll::{Interest, Part, Poller, Source};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// The writing end of a pipe, and what it had no room for: no more than the stream's window.
#[derive(Debug)]
pub struct Inflow {
    pipe: Option<OwnedFd>,
    source: Source,
    watched: bool,
    bytes: VecDeque<u8>,
    written: u64,
    ended: bool,
}

impl Inflow {
    /// Takes a pipe's writing end, which must not block.
    pub fn new(pipe: OwnedFd, handle: u64) -> Self {
        Inflow {
            pipe: Some(pipe),
            source: Source::FileStream(handle, Part::Stdin),
            watched: false,
            bytes: VecDeque::new(),
            written: 0,
            ended: false,
        }
    }

    /// Takes bytes of the host's; gives how many have gone on to the carrier.
    pub fn push(&mut self, mut bytes: &[u8], poller: &Poller) -> u64 {
        let mut written = self.write(poller);
        if self.bytes.is_empty() {
            let direct = self.write_some(bytes, poller);
            bytes = bytes.get(direct..).unwrap_or_default();
            written += direct as u64;
        }
        if self.pipe.is_some() && !self.ended {
            self.bytes.extend(bytes);
            self.watch(!self.bytes.is_empty(), poller);
        }
        written
    }

    /// Writes what waits, as far as the pipe has room; gives how much that was.
    pub fn write(&mut self, poller: &Poller) -> u64 {
        let before = self.written;
        let mut waiting = std::mem::take(&mut self.bytes);
        while !waiting.is_empty() {
            let length = self.write_some(waiting.as_slices().0, poller);
            if length == 0 {
                break;
            }
            waiting.drain(..length);
        }
        if self.pipe.is_some() {
            self.bytes = waiting;
        }
        self.watch(!self.bytes.is_empty(), poller);
        self.written - before
    }

    /// Where the carrier has gone the pipe is of no use any more; it says, or has said, why.
    fn write_some(&mut self, bytes: &[u8], poller: &Poller) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        match rustix::io::retry_on_intr(|| rustix::io::write(pipe, bytes)) {
            Ok(length) => {
                self.written += length as u64;
                length
            }
            Err(Errno::AGAIN) => 0,
            Err(_) => {
                self.close(poller);
                0
            }
        }
    }

    /// The host has said all.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether everything that the host had to say is with the carrier.
    pub fn is_through(&self) -> bool {
        self.ended && self.bytes.is_empty() && self.pipe.is_some()
    }

    /// How much the carrier has taken, and whether it is its turn to take more, or to say that all is done.
    pub fn progress(&self) -> (u64, bool) {
        let Some(pipe) = &self.pipe else {
            return (self.written, true);
        };
        let waiting = rustix::io::ioctl_fionread(pipe).unwrap_or(0);
        (self.written - waiting.min(self.written), waiting > 0)
    }

    /// Ends the pipe.
    pub fn close(&mut self, poller: &Poller) {
        self.watch(false, poller);
        self.pipe = None;
        self.bytes = VecDeque::new();
    }

    fn watch(&mut self, on: bool, poller: &Poller) {
        let Some(pipe) = self.pipe.as_ref().filter(|_| self.watched != on) else {
            return;
        };
        let state = |on| if on { Interest::Write } else { Interest::Off };
        if poller
            .watch(pipe, self.source, state(self.watched), state(on))
            .is_ok()
        {
            self.watched = on;
        }
    }
}
