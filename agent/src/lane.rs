//! A pipe that a program writes to and the agent reads.

use crate::error::{Error, Result};
use crate::poll::{Interest, Poller, Source};
use rustix::pipe::PipeFlags;
use std::os::fd::OwnedFd;

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The writers are gone and so is the pipe.
    End,
}

#[derive(Debug)]
pub struct Lane {
    pipe: Option<OwnedFd>,
    source: Source,
    interest: Interest,
}

impl Lane {
    /// Makes a pipe; gives the reading end as a lane, not yet watched, and the end for the program.
    pub fn new(source: Source) -> Result<(Lane, OwnedFd)> {
        let (read, write) = pipe()?;
        rustix::io::ioctl_fionbio(&read, true)
            .map_err(|error| Error::system("prepare a pipe", error))?;
        let lane = Lane {
            pipe: Some(read),
            source,
            interest: Interest::Off,
        };
        Ok((lane, write))
    }

    pub fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Reads at most `most` bytes, and closes where the pipe has ended.
    pub fn take(&mut self, buffer: &mut [u8], most: u64, poller: &Poller) -> Taken {
        let most = most.min(buffer.len() as u64) as usize;
        let (Some(pipe), Some(buffer)) = (&self.pipe, buffer.get_mut(..most)) else {
            return Taken::Nothing;
        };
        if buffer.is_empty() {
            return Taken::Nothing;
        }
        match rustix::io::read(pipe, buffer) {
            Ok(0) => {
                self.close(poller);
                Taken::End
            }
            Ok(length) => Taken::Bytes(length),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Taken::Nothing,
            Err(_) => {
                self.close(poller);
                Taken::End
            }
        }
    }

    /// Bytes that the pipe holds now.
    pub fn waiting(&self) -> u64 {
        let Some(pipe) = &self.pipe else { return 0 };
        rustix::io::ioctl_fionread(pipe).unwrap_or(0)
    }

    /// Says whether the loop is to tell of output.
    pub fn watch(&mut self, on: bool, poller: &Poller) {
        let Some(pipe) = &self.pipe else { return };
        let interest = if on { Interest::Read } else { Interest::Off };
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
    }
}

/// A pipe, reading end first, closed by exec.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::system("make a pipe", error))
}

/// What programs read that are given no input. Opened once, before a tenant could put anything else in its place.
pub fn null() -> Result<OwnedFd> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty())
        .map_err(|error| Error::system("open /dev/null", error))
}
