//! One-shot commands: started by a stream, shown on streams, ended by themselves or a signal.

use crate::agent::{Agent, READ};
use crate::exit::Exit;
use crate::lane::{Lane, Taken};
use crate::not_started::{self, NotStarted};
use crate::object::ObjectId;
use crate::poll::{Part, Ready};
use crate::stdin::Stdin;
use crate::timers::Timer;
use crate::wire::{Finished, ResetReason, Started};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long a pipe that a daemon keeps open may hold the end of its parent.
const LINGER: Duration = Duration::from_millis(100);

/// A process that runs, or whose output is not all read.
#[derive(Debug)]
pub struct Process {
    pub object: ObjectId,
    pub pid: i32,
    pub stdin: Option<Stdin>,
    pub killed: bool,
    pub wants_stdin: bool,
    pub program: String,
    pub lanes: [Lane; 2],
    pub report: Option<OwnedFd>,
    /// Streams and offsets that wait for the start.
    pub pending: Vec<(u32, u64)>,
    pub exit: Option<Exit>,
    /// What is still taken from each pipe once waiting is over.
    pub rest: Option<[u64; 2]>,
    pub began: Instant,
}

impl Agent {
    /// Adds a viewer of a process that is not known to run yet; false where it is.
    pub fn wait_for_start(&mut self, handle: u64, stream: u32, offset: u64) -> bool {
        match self.processes.get_mut(&handle) {
            Some(process) if process.report.is_some() => {
                process.pending.push((stream, offset));
                true
            }
            _ => false,
        }
    }

    /// Whether a viewer may send input.
    pub fn takes_input(&self, handle: u64) -> bool {
        self.processes
            .get(&handle)
            .is_some_and(|process| process.wants_stdin)
    }

    pub fn process_ready(&mut self, handle: u64, part: Part, ready: Ready) {
        match part {
            Part::Report => self.process_reported(handle),
            Part::Stdin => {
                if ready.writable {
                    self.feed(handle);
                }
            }
            Part::Stdout => self.process_output(handle, 0),
            _ => self.process_output(handle, 1),
        }
    }

    fn process_reported(&mut self, handle: u64) {
        let Some(process) = self.processes.get_mut(&handle) else {
            return;
        };
        let Some(pipe) = &process.report else { return };
        let mut report = [0; 16];
        let length = match rustix::io::read(pipe, &mut report) {
            Ok(length) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
            Err(_) => 0,
        };
        self.poller.forget(pipe);
        process.report = None;
        match NotStarted::parse(report.get(..length).unwrap_or_default()) {
            Some(reason) => self.process_failed(handle, reason),
            None => self.process_started(handle),
        }
    }

    fn process_failed(&mut self, handle: u64, reason: NotStarted) {
        let Some(process) = self.processes.remove(&handle) else {
            return;
        };
        self.objects.remove(&process.object);
        let (code, message) = not_started::explain(reason, &process.program);
        for (stream, _) in process.pending {
            self.refuse(stream, ResetReason::Failed, code, &message);
        }
    }

    fn process_started(&mut self, handle: u64) {
        let Some(process) = self.processes.get_mut(&handle) else {
            return;
        };
        let pid = process.pid as u32;
        let object = process.object;
        for lane in &mut process.lanes {
            lane.watch(true, &self.poller);
        }
        let pending = std::mem::take(&mut process.pending);
        if let Some(object) = self.objects.get_mut(&object) {
            object.started = Some(Started {
                pid,
                cell_number: 0,
            });
        }
        for (stream, offset) in pending {
            let _ = self.attach(stream, object, offset);
        }
    }

    fn process_output(&mut self, handle: u64, lane: usize) {
        let Some(process) = self.processes.get_mut(&handle) else {
            return;
        };
        let object = process.object;
        let mut buffer = std::mem::take(&mut self.buffer);
        let most = process.rest.map_or(READ, |rest| rest[lane]);
        let taken = process.lanes[lane].take(&mut buffer, most, &self.poller);
        if let Taken::Bytes(length) = taken {
            if let Some(rest) = &mut process.rest {
                rest[lane] -= length as u64;
            }
            self.add_output(
                &object,
                lane as u8,
                buffer.get(..length).unwrap_or_default(),
            );
        }
        self.buffer = buffer;
        self.settle_process(handle);
    }

    /// A process has ended and is reaped.
    pub fn process_exited(&mut self, handle: u64, exit: Exit) {
        self.process_reported(handle);
        let Some(process) = self.processes.get_mut(&handle) else {
            return;
        };
        process.exit = Some(exit);
        self.timers.after(LINGER, Timer::Linger(handle));
        self.settle_process(handle);
    }

    /// The pipes have had their time; only what they hold now is still taken.
    pub fn process_lingered(&mut self, handle: u64) {
        let Some(process) = self.processes.get_mut(&handle) else {
            return;
        };
        if process.rest.is_none() {
            process.rest = Some([process.lanes[0].waiting(), process.lanes[1].waiting()]);
        }
        self.settle_process(handle);
    }

    fn settle_process(&mut self, handle: u64) {
        let Some(process) = self.processes.get(&handle) else {
            return;
        };
        let Some(exit) = process.exit else { return };
        let done = |lane: usize| {
            !process.lanes[lane].is_open() || process.rest.is_some_and(|rest| rest[lane] == 0)
        };
        if !done(0) || !done(1) {
            return;
        }
        let finished = Finished {
            duration_micros: process.began.elapsed().as_micros() as u64,
            ..exit.outcome(process.killed)
        };
        let object = process.object;
        if let Some(mut process) = self.processes.remove(&handle) {
            for lane in &mut process.lanes {
                lane.close(&self.poller);
            }
            if let Some(stdin) = &mut process.stdin {
                stdin.close(&self.poller);
            }
        }
        self.finish(&object, finished);
    }

    /// Stops or resumes reading a process's output.
    pub fn hold_process(&mut self, handle: u64, held: bool) {
        let Some(process) = self.processes.get_mut(&handle) else {
            return;
        };
        if process.report.is_none() {
            for lane in &mut process.lanes {
                lane.watch(!held, &self.poller);
            }
        }
    }
}

impl Process {
    /// Forgets the streams of a connection that is gone; the process goes on.
    pub fn forget_streams(&mut self) {
        self.pending.clear();
        if let Some(stdin) = &mut self.stdin {
            stdin.forget_senders();
        }
    }

    /// Whether its pid may have been given to another by now; its group lives on while it has members.
    pub fn is_reaped(&self) -> bool {
        self.exit.is_some()
    }
}
