//! The one epoll set: every descriptor that the loop watches is a `Source`.

use crate::error::{Error, Result};
use rustix::event::{Timespec, epoll};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Which of an object's descriptors is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    Stdin = 0,
    Stdout = 1,
    Stderr = 2,
    /// The pipe that tells whether exec succeeded.
    Report = 3,
    /// An interpreter's control socket.
    Control = 4,
    BackgroundStdout = 5,
    BackgroundStderr = 6,
}

/// Who owns a descriptor. The number is a handle that is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Signals,
    Channel,
    Process(u64, Part),
    Interpreter(u64, Part),
    FileJob(u64),
    /// A whole file: its carrier's reports (`Control`), or its pipe.
    FileStream(u64, Part),
    /// Left to the capture of outbound connections: the TUN device and whatever else it watches.
    Egress(u64),
}

const HANDLE_BITS: u32 = 48;

impl Source {
    fn encode(self) -> u64 {
        let (kind, part, handle) = match self {
            Source::Signals => (0, 0, 0),
            Source::Channel => (1, 0, 0),
            Source::Process(handle, part) => (2, part as u64, handle),
            Source::Interpreter(handle, part) => (3, part as u64, handle),
            Source::FileJob(handle) => (4, 0, handle),
            Source::Egress(handle) => (5, 0, handle),
            Source::FileStream(handle, part) => (6, part as u64, handle),
        };
        kind << 56 | part << HANDLE_BITS | (handle & ((1 << HANDLE_BITS) - 1))
    }

    fn decode(data: u64) -> Option<Self> {
        let handle = data & ((1 << HANDLE_BITS) - 1);
        let part = match data >> HANDLE_BITS & 0xff {
            0 => Part::Stdin,
            1 => Part::Stdout,
            2 => Part::Stderr,
            3 => Part::Report,
            4 => Part::Control,
            5 => Part::BackgroundStdout,
            _ => Part::BackgroundStderr,
        };
        Some(match data >> 56 {
            0 => Source::Signals,
            1 => Source::Channel,
            2 => Source::Process(handle, part),
            3 => Source::Interpreter(handle, part),
            4 => Source::FileJob(handle),
            5 => Source::Egress(handle),
            6 => Source::FileStream(handle, part),
            _ => return None,
        })
    }
}

/// What a descriptor is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    Read,
    Write,
    Both,
    /// Nothing, not even the other end's going away: its owner wants to be left alone.
    Off,
}

/// A readiness report.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    pub source: Source,
    pub readable: bool,
    pub writable: bool,
}

#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    pub fn new() -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(|error| Error::system("make an epoll set", error))?;
        Ok(Poller { epoll })
    }

    /// Changes what a descriptor is watched for.
    pub fn watch(&self, fd: impl AsFd, source: Source, was: Interest, is: Interest) -> Result<()> {
        if was == is {
            return Ok(());
        }
        let data = epoll::EventData::new_u64(source.encode());
        let done = match (was, is) {
            (_, Interest::Off) => epoll::delete(&self.epoll, fd),
            (Interest::Off, _) => epoll::add(&self.epoll, fd, data, flags(is)),
            _ => epoll::modify(&self.epoll, fd, data, flags(is)),
        };
        done.map_err(|error| Error::system("watch a descriptor", error))
    }

    /// Watches a descriptor for reading until it is forgotten.
    pub fn watch_read(&self, fd: impl AsFd, source: Source) -> Result<()> {
        self.watch(fd, source, Interest::Off, Interest::Read)
    }

    /// Ends `watch_read`, before the descriptor is closed: a forked child may hold a copy for a moment.
    pub fn forget(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Waits until something is ready or the time is up.
    pub fn wait(&self, sleep: Option<Duration>) -> Result<Vec<Ready>> {
        let timeout = sleep.map(|sleep| Timespec {
            tv_sec: sleep.as_secs() as i64,
            tv_nsec: i64::from(sleep.subsec_nanos()),
        });
        let mut events = Vec::with_capacity(64);
        match epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut events),
            timeout.as_ref(),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::system("wait for events", error)),
        }
        Ok(events.iter().filter_map(ready).collect())
    }
}

fn flags(interest: Interest) -> epoll::EventFlags {
    match interest {
        Interest::Read => epoll::EventFlags::IN,
        Interest::Write => epoll::EventFlags::OUT,
        Interest::Both => epoll::EventFlags::IN | epoll::EventFlags::OUT,
        Interest::Off => epoll::EventFlags::empty(),
    }
}

fn ready(event: &epoll::Event) -> Option<Ready> {
    let ends = epoll::EventFlags::HUP | epoll::EventFlags::ERR;
    let flags = event.flags;
    Some(Ready {
        source: Source::decode(event.data.u64())?,
        readable: flags.intersects(epoll::EventFlags::IN | ends),
        writable: flags.intersects(epoll::EventFlags::OUT | ends),
    })
}
