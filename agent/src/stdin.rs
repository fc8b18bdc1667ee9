//! Input of a process: what the host sent, until the program reads it.

use crate::agent::Agent;
use crate::error::{Error, Result};
use crate::lane;
use crate::poll::{Interest, Poller, Source};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

#[derive(Debug)]
pub struct Stdin {
    pipe: Option<OwnedFd>,
    source: Source,
    interest: Interest,
    bytes: VecDeque<u8>,
    /// Streams that sent the bytes, and how many, in order: each gets its credit back.
    senders: VecDeque<(u32, u64)>,
    ended: bool,
}

impl Stdin {
    /// Makes the pipe; gives the end for the program, too.
    pub fn new(source: Source) -> Result<(Stdin, OwnedFd)> {
        let (read, write) = lane::pipe()?;
        rustix::io::ioctl_fionbio(&write, true)
            .map_err(|error| Error::system("prepare a pipe", error))?;
        let stdin = Stdin {
            pipe: Some(write),
            source,
            interest: Interest::Off,
            bytes: VecDeque::new(),
            senders: VecDeque::new(),
            ended: false,
        };
        Ok((stdin, read))
    }

    /// Forgets who is to get credit back.
    pub fn forget_senders(&mut self) {
        self.senders.clear();
    }

    fn push(&mut self, stream: u32, bytes: &[u8]) {
        if !self.ended {
            self.bytes.extend(bytes);
        }
        self.senders.push_back((stream, bytes.len() as u64));
    }

    /// Writes what the pipe takes; gives the streams that get credit back.
    fn write(&mut self, poller: &Poller) -> Vec<(u32, u64)> {
        let mut written = 0;
        while let Some(pipe) = self.pipe.as_ref().filter(|_| !self.bytes.is_empty()) {
            match rustix::io::write(pipe, self.bytes.as_slices().0) {
                Ok(length) => {
                    self.bytes.drain(..length);
                    written += length as u64;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(_) => self.close(poller),
            }
        }
        if self.bytes.is_empty() && self.ended {
            self.close(poller);
        }
        match self.pipe {
            Some(_) => self.watch(!self.bytes.is_empty(), poller),
            // Nobody reads any more: what still comes is thrown away, so that the sender is not held.
            None => written = u64::MAX,
        }
        self.owed(written)
    }

    fn owed(&mut self, mut written: u64) -> Vec<(u32, u64)> {
        let mut owed = Vec::new();
        while let Some((stream, length)) = self.senders.front_mut().filter(|_| written > 0) {
            let part = written.min(*length);
            owed.push((*stream, part));
            written -= part;
            *length -= part;
            if *length == 0 {
                self.senders.pop_front();
            }
        }
        owed
    }

    fn watch(&mut self, on: bool, poller: &Poller) {
        let Some(pipe) = &self.pipe else { return };
        let interest = if on { Interest::Write } else { Interest::Off };
        if poller
            .watch(pipe, self.source, self.interest, interest)
            .is_ok()
        {
            self.interest = interest;
        }
    }

    pub fn close(&mut self, poller: &Poller) {
        self.watch(false, poller);
        self.pipe = None;
        self.bytes = VecDeque::new();
    }
}

impl Agent {
    /// Takes input that the host sent on a stream.
    pub fn input(&mut self, handle: u64, stream: u32, bytes: &[u8]) {
        let stdin = self
            .processes
            .get_mut(&handle)
            .and_then(|process| process.stdin.as_mut());
        match stdin {
            Some(stdin) => {
                stdin.push(stream, bytes);
                self.feed(handle);
            }
            None => self.give_back(vec![(stream, bytes.len() as u64)]),
        }
    }

    /// The host will send no more input.
    pub fn input_ended(&mut self, handle: u64) {
        let stdin = self
            .processes
            .get_mut(&handle)
            .and_then(|process| process.stdin.as_mut());
        if let Some(stdin) = stdin {
            stdin.ended = true;
            self.feed(handle);
        }
    }

    /// Writes input that waits.
    pub fn feed(&mut self, handle: u64) {
        let stdin = self
            .processes
            .get_mut(&handle)
            .and_then(|process| process.stdin.as_mut());
        if let Some(stdin) = stdin {
            let owed = stdin.write(&self.poller);
            self.give_back(owed);
        }
    }

    fn give_back(&mut self, owed: Vec<(u32, u64)>) {
        if let Some(connection) = self.connection() {
            for (stream, bytes) in owed {
                connection.consumed(stream, bytes);
            }
        }
    }
}
