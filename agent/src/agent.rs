//! The agent's state and its one loop: wait, act on what is ready, act on what is due, write.

use crate::context::Context;
use crate::ending::Ending;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::file_stream::FileStreams;
use crate::files::Files;
use crate::interpreter::Interpreter;
use crate::lane;
use crate::link::{Dial, Link};
use crate::object::Objects;
use crate::poll::{Poller, Ready, Source};
use crate::process::Process;
use crate::sys;
use crate::timers::{Timer, Timers};
use crate::upload::Upload;
use crate::users::{Switching, User};
use crate::wire::{Diagnostic, HostName};
use microsandbox_egress::Egress;
use rustix::process::WaitOptions;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// What one read takes at most.
pub const READ: u64 = 64 << 10;

/// Whose child has ended.
#[derive(Debug, Clone, Copy)]
pub enum Child {
    Process(u64),
    Interpreter(u64),
    FileJob(u64),
}

/// What the host has said about this sandbox.
#[derive(Debug, Default)]
pub struct Settings {
    pub environment: Environment,
    pub default_user: String,
    pub working_directory: String,
    pub hostname: String,
    pub hosts: Vec<HostName>,
}

/// Who this agent is.
#[derive(Debug)]
pub struct Identity {
    pub sandbox_id: String,
    pub boot_id: [u8; 16],
}

#[derive(Debug)]
pub struct Agent {
    pub poller: Poller,
    pub timers: Timers,
    pub identity: Identity,
    pub settings: Settings,
    pub switching: Switching,
    pub dial: Dial,
    pub link: Link,
    /// The capture of outbound connections, where this sandbox has one.
    pub egress: Option<Egress>,
    /// Whether its IPv6 address may not be in force yet.
    pub ipv6_pending: bool,
    /// How long the capture can be left alone.
    capture_sleep: Option<Duration>,
    pub objects: Objects,
    pub processes: BTreeMap<u64, Process>,
    pub contexts: BTreeMap<String, Context>,
    pub interpreters: BTreeMap<u64, Interpreter>,
    pub children: BTreeMap<i32, Child>,
    /// Cells whose source is still on its way, by their streams.
    pub uploads: BTreeMap<u32, Upload>,
    /// Lines for the host's log that wait for a connection.
    pub unsaid: VecDeque<Diagnostic>,
    /// Read into by everyone, one after another.
    pub buffer: Vec<u8>,
    pub files: Files,
    pub file_streams: FileStreams,
    /// Where the sandbox's own files are; none outside of a sandbox.
    pub system_root: Option<PathBuf>,
    pub ending: Option<Ending>,
    /// Whether the last look found no child at all, adopted ones included.
    pub childless: bool,
    /// Set once everything has ended: the loop returns.
    pub over: bool,
    /// Read by programs that are given no input.
    pub null: OwnedFd,
    signals: OwnedFd,
    last_handle: u64,
}

impl Agent {
    pub fn new(
        dial: Dial,
        identity: Identity,
        switching: Switching,
        system_root: Option<PathBuf>,
    ) -> Result<Self> {
        let signals = sys::signal_descriptor(&[libc::SIGCHLD, libc::SIGTERM, libc::SIGINT])
            .map_err(|error| Error::system("watch for signals", error))?;
        let poller = Poller::new()?;
        poller.watch_read(&signals, Source::Signals)?;
        Ok(Agent {
            poller,
            timers: Timers::default(),
            identity,
            settings: Settings {
                environment: Environment::of_process(),
                ..Settings::default()
            },
            switching,
            dial,
            link: Link::default(),
            egress: None,
            ipv6_pending: false,
            capture_sleep: None,
            objects: Objects::default(),
            processes: BTreeMap::new(),
            contexts: BTreeMap::new(),
            interpreters: BTreeMap::new(),
            children: BTreeMap::new(),
            uploads: BTreeMap::new(),
            unsaid: VecDeque::new(),
            buffer: vec![0; READ as usize],
            files: Files::default(),
            file_streams: FileStreams::default(),
            system_root,
            ending: None,
            childless: false,
            over: false,
            null: lane::null()?,
            signals,
            last_handle: 0,
        })
    }

    /// A number that nothing else has had.
    pub fn next_handle(&mut self) -> u64 {
        self.last_handle += 1;
        self.last_handle
    }

    /// One turn of the loop.
    pub fn turn(&mut self) -> Result<()> {
        let sleep = [self.timers.sleep(), self.capture_sleep.take()]
            .into_iter()
            .flatten()
            .min();
        for ready in self.poller.wait(sleep)? {
            self.on_ready(ready);
        }
        while let Some(timer) = self.timers.pop() {
            self.on_timer(timer);
        }
        self.capture_sleep = self.poll_capture();
        self.flush();
        Ok(())
    }

    fn on_ready(&mut self, ready: Ready) {
        match ready.source {
            Source::Signals => self.on_signals(),
            Source::Channel => self.link_ready(ready),
            Source::Process(handle, part) => self.process_ready(handle, part, ready),
            Source::Interpreter(handle, part) => self.interpreter_ready(handle, part, ready),
            Source::FileJob(handle) => self.file_ready(handle),
            Source::FileStream(handle, part) => self.file_stream_ready(handle, part),
            Source::Egress(_) => self.capture_ready(),
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Dial => self.dial_now(),
            Timer::Greeting(serial) => self.greeting_overdue(serial),
            Timer::Linger(process) => self.process_lingered(process),
            Timer::Grace { interpreter, cell } => self.grace_over(interpreter, cell),
            Timer::Ready(interpreter) => self.ready_overdue(interpreter),
            Timer::Bury(interpreter) => self.kill_interpreter(interpreter),
            Timer::Restart(timer) => self.restart_due(timer),
            Timer::FileJob(job) => self.file_overdue(job),
            Timer::FileStream(handle) => self.file_stream_due(handle),
            Timer::ShutdownGrace => self.shutdown_overdue(),
        }
    }

    fn on_signals(&mut self) {
        let mut information = [0; 128 * 8];
        while let Ok(length) = rustix::io::read(&self.signals, &mut information) {
            for one in information
                .get(..length)
                .unwrap_or_default()
                .chunks_exact(128)
            {
                let number = one
                    .first_chunk::<4>()
                    .map_or(0, |bytes| u32::from_ne_bytes(*bytes));
                let sender = one
                    .get(12..)
                    .and_then(|rest| rest.first_chunk::<4>())
                    .map_or(0, |bytes| u32::from_ne_bytes(*bytes));
                // As PID 1 only from outside, where senders have no number here: the tenant does not end it.
                let may = self.switching == Switching::Never || sender == 0;
                if number == libc::SIGTERM as u32 && may {
                    self.shut_down(0, 0);
                }
            }
        }
        self.reap();
    }

    /// Buries who has ended, and ends the agent itself where that is asked for and nobody is left.
    pub fn reap(&mut self) {
        let last = loop {
            let (pid, status) = match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some(ended)) => ended,
                other => break other,
            };
            let exit = match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Exit::Code(code),
                (None, Some(signal)) => Exit::Signal(signal),
                (None, None) => continue,
            };
            match self.children.remove(&pid.as_raw_nonzero().get()) {
                Some(Child::Process(handle)) => self.process_exited(handle, exit),
                Some(Child::Interpreter(handle)) => self.interpreter_exited(handle, exit),
                // A file's pipe has said what there is to say; what the sandbox left to us needs no more than this.
                Some(Child::FileJob(_)) | None => {}
            }
        };
        self.childless = last.is_err();
        self.end_if_alone();
    }

    /// A user by the name in a request: empty for the configured one.
    pub fn user(&self, name: &str) -> Result<User> {
        let name = if name.is_empty() {
            &self.settings.default_user
        } else {
            name
        };
        self.switching.look_up(name)
    }
}
