//! A file on its way out: DATA that comes from a pipe, a frame whenever there is credit and room.

use super::Connection;
use crate::frame::{self, FrameType, HEADER};
use crate::poll::{Interest, Part, Poller, Source};
use std::os::fd::OwnedFd;

/// The reading end of a pipe, and who fills it.
#[derive(Debug)]
pub struct Outflow {
    pipe: OwnedFd,
    handle: u64,
    watched: bool,
    /// Bytes taken so far.
    moved: u64,
    /// Nothing more will come into the pipe.
    complete: bool,
}

/// What a turn of a stream with an outflow gave.
pub(super) enum Turn {
    Sent,
    /// Nothing more before there is credit.
    Held,
    /// The pipe is empty for now.
    Dry,
    Over,
}

impl Outflow {
    pub fn new(pipe: OwnedFd, handle: u64) -> Self {
        Outflow {
            pipe,
            handle,
            watched: false,
            moved: 0,
            complete: false,
        }
    }

    fn waiting(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.pipe).unwrap_or(0)
    }

    /// Appends a frame of what the pipe holds.
    pub(super) fn serve(&mut self, batch: &mut Vec<u8>, stream: u32, credit: &mut u64) -> Turn {
        let waiting = self.waiting();
        if waiting == 0 {
            return if self.complete { Turn::Over } else { Turn::Dry };
        }
        let most = waiting.min(*credit).min(frame::MAX_PAYLOAD as u64) as usize;
        if most == 0 {
            return Turn::Held;
        }
        let start = batch.len();
        batch.resize(start + HEADER + most, 0);
        let room = batch.get_mut(start + HEADER..).unwrap_or_default();
        let length = rustix::io::read(&self.pipe, room).unwrap_or(0);
        if length == 0 {
            batch.truncate(start);
            return Turn::Dry;
        }
        batch.truncate(start + HEADER + length);
        let header = frame::header(stream, FrameType::Data, 0, length);
        if let Some(place) = batch.get_mut(start..start + HEADER) {
            place.copy_from_slice(&header);
        }
        *credit -= length as u64;
        self.moved += length as u64;
        Turn::Sent
    }

    fn watch(&mut self, on: bool, poller: &Poller) {
        let on = on && !self.complete;
        if self.watched != on {
            let state = |on| if on { Interest::Read } else { Interest::Off };
            let source = Source::FileStream(self.handle, Part::Stdout);
            let done = poller.watch(&self.pipe, source, state(self.watched), state(on));
            self.watched = if done.is_ok() { on } else { self.watched };
        }
    }
}

impl Connection {
    /// Has a stream send what comes from a pipe; OPENED must have been queued.
    pub fn flow_out(&mut self, id: u32, outflow: Outflow) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.outflow = Some(outflow);
            self.touch(id);
        }
    }

    /// Nothing more comes into the stream's pipe: its end is sent once it is empty.
    pub fn complete_outflow(&mut self, id: u32, poller: &Poller) {
        if let Some(outflow) = self.outflow(id) {
            outflow.complete = true;
            outflow.watch(false, poller);
            self.touch(id);
        }
    }

    /// A pipe has something again: its stream has turns until it is empty.
    pub fn refilled(&mut self, id: u32, poller: &Poller) {
        if let Some(outflow) = self.outflow(id) {
            outflow.watch(false, poller);
            self.touch(id);
        }
    }

    /// How much a stream's pipe has given, and whether it is empty: whether it is the filler's turn.
    pub fn outflow_progress(&mut self, id: u32) -> Option<(u64, bool)> {
        let outflow = self.outflow(id)?;
        Some((outflow.moved, outflow.waiting() == 0))
    }

    /// Has the loop tell when those pipes have something again that were found empty.
    pub(super) fn watch_dry(&mut self, poller: &Poller) {
        for id in std::mem::take(&mut self.dry) {
            if let Some(outflow) = self.outflow(id) {
                outflow.watch(true, poller);
            }
        }
    }

    fn outflow(&mut self, id: u32) -> Option<&mut Outflow> {
        self.streams.get_mut(&id)?.outflow.as_mut()
    }
}
