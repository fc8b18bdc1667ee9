//! Whole files, each one stream and one forked child: the child has the user's rights and waits for the file system, the
//! agent moves what is in the pipe between the two and never waits.

use crate::agent::{Agent, Child};
use crate::connection::Outflow;
use crate::error::Result;
use crate::file_carrier::{Carrier, Way, is_stalled};
use crate::file_pump::{FilePump, Report};
use crate::file_task;
use crate::files::absolute;
use crate::link::Link;
use crate::poll::{Part, Source};
use crate::sys;
use crate::timers::Timer;
use crate::users::User;
use crate::wire::{DownloadFile, ResetReason, UploadFile};
use rustix::net::RecvFlags;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a file system is given for each further piece.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_AT_ONCE: usize = 32;

#[derive(Debug, Default)]
pub struct FileStreams {
    carriers: BTreeMap<u64, Carrier>,
    handles: BTreeMap<u32, u64>,
}

impl Agent {
    pub fn download_file(&mut self, stream: u32, request: DownloadFile) -> Result<()> {
        let user = self.user(&request.user)?;
        let path = absolute(&request.path, &user)?;
        self.carry_file(stream, &user, FilePump::Out { path })
    }

    pub fn upload_file(&mut self, stream: u32, request: UploadFile) -> Result<()> {
        let user = self.user(&request.user)?;
        let pump = FilePump::In {
            path: absolute(&request.path, &user)?,
            mode: match request.mode {
                0 => 0o644,
                mode => mode,
            },
            make_directories: request.make_directories,
            id: self.next_handle(),
        };
        self.carry_file(stream, &user, pump)
    }

    fn carry_file(&mut self, stream: u32, user: &User, pump: FilePump) -> Result<()> {
        if self.file_streams.carriers.len() >= MAX_AT_ONCE {
            let message = "32 files are being read or written in this sandbox; wait for some";
            self.refuse(stream, ResetReason::Limit, "too_many_requests", message);
            return Ok(());
        }
        let handle = self.next_handle();
        let carrier = Carrier::start(&pump, user, self.switching, (stream, handle))?;
        self.children.insert(carrier.pid, Child::FileJob(handle));
        self.poller
            .watch_read(&carrier.control, Source::FileStream(handle, Part::Control))?;
        self.timers.after(PATIENCE, Timer::FileStream(handle));
        self.file_streams.carriers.insert(handle, carrier);
        self.file_streams.handles.insert(stream, handle);
        Ok(())
    }

    pub fn file_stream_ready(&mut self, handle: u64, part: Part) {
        match part {
            Part::Control => self.carrier_reports(handle),
            Part::Stdin => self.move_in(handle, &[]),
            _ => {
                let carrier = self.file_streams.carriers.get(&handle);
                let stream = carrier.and_then(|carrier| carrier.stream);
                if let (Some(stream), Link::Up(connection)) = (stream, &mut self.link) {
                    connection.refilled(stream, &self.poller);
                }
            }
        }
    }

    fn carrier_reports(&mut self, handle: u64) {
        while let Some(carrier) = self.file_streams.carriers.get_mut(&handle) {
            let mut report = [0; 16];
            let length = match rustix::net::recv(&carrier.control, &mut report, RecvFlags::empty())
            {
                Ok((length, _)) => length,
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
                // It has gone without reading our word; what it said before that comes now.
                Err(rustix::io::Errno::CONNRESET) => continue,
                Err(_) => 0,
            };
            match Report::decode(report.get(..length).unwrap_or_default()) {
                Some(Report::Opened(size)) => self.carrier_opened(handle, size),
                Some(Report::Done(size)) => self.carrier_over(handle, Ok(size)),
                Some(Report::Failed(errno)) => {
                    self.carrier_over(handle, Err(file_task::explain(errno)));
                }
                None => {
                    let why = if carrier.overdue {
                        ("timed_out", "the file could not be read or written in time")
                    } else {
                        let killed = "the process that reads and writes files was killed";
                        ("internal", killed)
                    };
                    self.carrier_over(handle, Err((why.0, why.1.to_owned())));
                }
            }
        }
    }

    fn carrier_opened(&mut self, handle: u64, size: Option<u64>) {
        let Some(carrier) = self.file_streams.carriers.get_mut(&handle) else {
            return;
        };
        let (Some(stream), Link::Up(connection)) = (carrier.stream, &mut self.link) else {
            return;
        };
        carrier.opened = true;
        match &mut carrier.way {
            Way::In(_) => connection.opened_for_file(stream),
            Way::Out(pipe) => {
                connection.opened_file(stream, size);
                if let Some(pipe) = pipe.take() {
                    connection.flow_out(stream, Outflow::new(pipe, handle));
                }
            }
        }
    }

    fn carrier_over(
        &mut self,
        handle: u64,
        outcome: std::result::Result<u64, (&'static str, String)>,
    ) {
        let Some(mut carrier) = self.file_streams.carriers.remove(&handle) else {
            return;
        };
        self.poller.forget(&carrier.control);
        if let Way::In(inflow) = &mut carrier.way {
            inflow.close(&self.poller);
        }
        let Some(stream) = carrier.stream else { return };
        self.file_streams.handles.remove(&stream);
        match (outcome, carrier.way) {
            (Err((code, message)), _) => {
                self.refuse(stream, ResetReason::Failed, code, &message);
            }
            (Ok(size), way) => {
                let Link::Up(connection) = &mut self.link else {
                    return;
                };
                match way {
                    Way::In(_) => connection.file_written(stream, size),
                    Way::Out(_) => connection.complete_outflow(stream, &self.poller),
                }
            }
        }
    }

    /// Takes a piece of a file; false where the stream carries none in.
    pub fn file_data(&mut self, stream: u32, bytes: &[u8]) -> bool {
        let Some(&handle) = self.file_streams.handles.get(&stream) else {
            return false;
        };
        self.move_in(handle, bytes);
        true
    }

    /// The host has sent all of a file; false where the stream carries none.
    pub fn file_data_ended(&mut self, stream: u32) -> bool {
        let Some(&handle) = self.file_streams.handles.get(&stream) else {
            return false;
        };
        let carrier = self.file_streams.carriers.get_mut(&handle);
        if let Some(Way::In(inflow)) = carrier.map(|carrier| &mut carrier.way) {
            inflow.end();
            self.move_in(handle, &[]);
        }
        true
    }

    fn move_in(&mut self, handle: u64, bytes: &[u8]) {
        let Some(carrier) = self.file_streams.carriers.get_mut(&handle) else {
            return;
        };
        let Way::In(inflow) = &mut carrier.way else {
            return;
        };
        let moved = if bytes.is_empty() {
            inflow.write(&self.poller)
        } else {
            inflow.push(bytes, &self.poller)
        };
        if inflow.is_through() {
            // The word that makes the pipe's end the file's end.
            let _ = rustix::io::write(&carrier.control, &[1]);
            inflow.close(&self.poller);
        }
        if let (Some(stream), Link::Up(connection)) = (carrier.stream, &mut self.link) {
            connection.consumed(stream, moved);
        }
    }

    /// Nobody wants a stream's file any more: its carrier ends, and leaves nothing.
    pub fn abandon_file(&mut self, stream: u32) {
        let handle = self.file_streams.handles.remove(&stream);
        let carrier = handle.and_then(|handle| self.file_streams.carriers.get_mut(&handle));
        let Some(carrier) = carrier else { return };
        carrier.stream = None;
        match &mut carrier.way {
            Way::Out(pipe) => *pipe = None,
            Way::In(inflow) => inflow.close(&self.poller),
        }
        let _ = rustix::net::shutdown(&carrier.control, rustix::net::Shutdown::Write);
    }

    /// The same for all: the channel is gone.
    pub fn abandon_files(&mut self) {
        while let Some((&stream, _)) = self.file_streams.handles.first_key_value() {
            self.abandon_file(stream);
        }
    }

    /// Kills a carrier that has not got further although it was its turn all the time; the end of its socket answers.
    pub fn file_stream_due(&mut self, handle: u64) {
        let Some(carrier) = self.file_streams.carriers.get_mut(&handle) else {
            return;
        };
        let now = match (carrier.stream, &carrier.way) {
            (Some(_), _) if !carrier.opened => (0, true),
            (Some(_), Way::In(inflow)) => inflow.progress(),
            (Some(stream), Way::Out(_)) => match &mut self.link {
                Link::Up(connection) => connection.outflow_progress(stream).unwrap_or((0, true)),
                _ => (0, true),
            },
            (None, _) => (0, true),
        };
        if is_stalled(carrier.seen, now) {
            carrier.overdue = true;
            let _ = sys::kill(carrier.pid, libc::SIGKILL);
        }
        carrier.seen = now;
        self.timers.after(PATIENCE, Timer::FileStream(handle));
    }
}
