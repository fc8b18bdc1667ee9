//! Interpreters: how a driver is started, listened to, told things and buried.

use crate::agent::{Agent, Child};
use crate::driver::{Language, Reports};
use crate::environment::{self, Variables};
use crate::error::{Error, Result};
use crate::lane::Lane;
use crate::not_started::NotStarted;
use crate::poll::{Interest, Part, Poller, Ready, Source};
use crate::spawn::{self, Launch};
use crate::timers::Timer;
use crate::users::User;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::collections::VecDeque;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// An interpreter must have said that it is ready by then, on the slowest of machines.
const PATIENCE: Duration = Duration::from_secs(60);
const LAST_WORDS: usize = 1_024;
/// Numbers of the four pipes that an interpreter writes to.
pub const STDERR: usize = 1;
pub const BACKGROUND: usize = 2;

#[derive(Debug)]
pub struct Interpreter {
    pub handle: u64,
    /// Empty once its context has let go of it.
    pub context: String,
    pub pid: i32,
    pub ready: bool,
    pub version: String,
    pub killed: bool,
    pub control: Option<OwnedFd>,
    pub interest: Interest,
    pub reports: Reports,
    pub orders: VecDeque<u8>,
    pub interrupts: Option<OwnedFd>,
    pub lanes: [Lane; 4],
    pub report: Option<OwnedFd>,
    pub not_started: Option<NotStarted>,
    pub began: Instant,
    pub user: User,
    /// The environment that it knows of, and when that was composed.
    pub told: Variables,
    pub told_version: u64,
    pub last_words: Vec<u8>,
}

impl Interpreter {
    pub fn watch_control(&mut self, reading: bool, poller: &Poller) {
        let Some(control) = &self.control else { return };
        let interest = match (reading, self.orders.is_empty()) {
            (true, true) => Interest::Read,
            (true, false) => Interest::Both,
            (false, false) => Interest::Write,
            (false, true) => Interest::Off,
        };
        if poller
            .watch(
                control,
                Source::Interpreter(self.handle, Part::Control),
                self.interest,
                interest,
            )
            .is_ok()
        {
            self.interest = interest;
        }
    }

    pub fn reading(&self) -> bool {
        matches!(self.interest, Interest::Read | Interest::Both)
    }

    pub fn drop_control(&mut self, poller: &Poller) {
        self.orders.clear();
        self.watch_control(false, poller);
        self.control = None;
    }

    pub fn write_orders(&mut self, poller: &Poller) {
        while let Some(control) = self.control.as_ref().filter(|_| !self.orders.is_empty()) {
            match rustix::io::write(control, self.orders.as_slices().0) {
                Ok(length) => drop(self.orders.drain(..length)),
                Err(rustix::io::Errno::INTR) => {}
                // The driver's end is gone: reading will tell.
                Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => self.orders.clear(),
                Err(_) => break,
            }
        }
        self.watch_control(self.reading(), poller);
    }

    pub fn remember(&mut self, bytes: &[u8]) {
        self.last_words.extend_from_slice(bytes);
        let past = self.last_words.len().saturating_sub(LAST_WORDS);
        self.last_words.drain(..past);
    }
}

/// A socket for the agent, non-blocking, and one for the driver.
fn socket_pair() -> Result<(OwnedFd, OwnedFd)> {
    let failed = |error: rustix::io::Errno| Error::system("make a socket pair", error);
    let (ours, theirs) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed)?;
    rustix::io::ioctl_fionbio(&ours, true).map_err(failed)?;
    Ok((ours, theirs))
}

impl Agent {
    /// Starts a context's interpreter where it has none.
    pub fn ensure_interpreter(&mut self, context_id: &str) -> Result<()> {
        let handle = self.next_handle();
        if self.ending.is_some() {
            return Err(Error::refused("sandbox_ended", "the sandbox is ending"));
        }
        let Some(context) = self.contexts.get_mut(context_id) else {
            return Ok(());
        };
        if context.interpreter.is_some() || context.restart.is_some() {
            return Ok(());
        }
        if let Some((_, why)) = context
            .not_before
            .as_ref()
            .filter(|(due, _)| *due > Instant::now())
        {
            return Err(Error::refused("interpreter_failed", why.clone()));
        }
        let interpreter = self.launch_interpreter(handle, context_id)?;
        self.children
            .insert(interpreter.pid, Child::Interpreter(handle));
        self.interpreters.insert(handle, interpreter);
        if let Some(context) = self.contexts.get_mut(context_id) {
            context.interpreter = Some(handle);
            context.used = false;
        }
        self.timers.after(PATIENCE, Timer::Ready(handle));
        Ok(())
    }

    fn launch_interpreter(&self, handle: u64, context_id: &str) -> Result<Interpreter> {
        let Some(context) = self.contexts.get(context_id) else {
            return Err(Error::refused("context_not_found", "the context is gone"));
        };
        let user = self.user(&context.user)?;
        let variables = self
            .settings
            .environment
            .compose(&user, &context.environment);
        let source = |part| Source::Interpreter(handle, part);
        let (out, out_writer) = Lane::new(source(Part::Stdout))?;
        let (err, err_writer) = Lane::new(source(Part::Stderr))?;
        let (late_out, late_out_writer) = Lane::new(source(Part::BackgroundStdout))?;
        let (late_err, late_err_writer) = Lane::new(source(Part::BackgroundStderr))?;
        let (control, drivers) = socket_pair()?;
        let interrupts = match context.language {
            Language::Node => Some(socket_pair()?),
            Language::Python => None,
        };
        let driver = context.language.readable()?;
        let mut descriptors = vec![
            &self.null,
            &out_writer,
            &err_writer,
            &driver,
            &drivers,
            &late_out_writer,
            &late_err_writer,
        ];
        descriptors.extend(interrupts.as_ref().map(|(_, theirs)| theirs));
        let command = context.language.command();
        let (pid, report) = spawn::start(&Launch {
            argv: command
                .into_iter()
                .filter_map(|argument| CString::new(argument).ok())
                .collect(),
            environment: environment::strings(&variables),
            path: variables.get("PATH").cloned().unwrap_or_default(),
            directory: self.directory(&context.directory, &user)?,
            user: &user,
            switching: self.switching,
            descriptors,
        })?;
        self.poller.watch_read(&report, source(Part::Report))?;
        let mut interpreter = Interpreter {
            handle,
            context: context_id.to_owned(),
            pid,
            ready: false,
            version: String::new(),
            killed: false,
            control: Some(control),
            interest: Interest::Off,
            reports: Reports::default(),
            orders: VecDeque::new(),
            interrupts: interrupts.map(|(ours, _)| ours),
            lanes: [out, err, late_out, late_err],
            report: Some(report),
            not_started: None,
            began: Instant::now(),
            user,
            told: variables,
            told_version: self.settings.environment.version(),
            last_words: Vec::new(),
        };
        interpreter.watch_control(true, &self.poller);
        for lane in &mut interpreter.lanes {
            lane.watch(true, &self.poller);
        }
        Ok(interpreter)
    }

    pub fn interpreter_ready(&mut self, handle: u64, part: Part, ready: Ready) {
        match part {
            Part::Report => self.interpreter_reported(handle),
            Part::Control => {
                if ready.writable {
                    if let Some(interpreter) = self.interpreters.get_mut(&handle) {
                        interpreter.write_orders(&self.poller);
                    }
                }
                if ready.readable {
                    self.hear(handle);
                }
            }
            Part::Stdout => self.interpreter_output(handle, 0),
            Part::Stderr => self.interpreter_output(handle, STDERR),
            Part::BackgroundStdout => self.interpreter_output(handle, BACKGROUND),
            Part::BackgroundStderr => self.interpreter_output(handle, BACKGROUND + STDERR),
            Part::Stdin => {}
        }
    }

    pub fn interpreter_reported(&mut self, handle: u64) {
        let Some(interpreter) = self.interpreters.get_mut(&handle) else {
            return;
        };
        let Some(pipe) = &interpreter.report else {
            return;
        };
        let mut report = [0; 16];
        let length = match rustix::io::read(pipe, &mut report) {
            Ok(length) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
            Err(_) => 0,
        };
        self.poller.forget(pipe);
        interpreter.report = None;
        interpreter.not_started = NotStarted::parse(report.get(..length).unwrap_or_default());
        if interpreter.not_started.is_none() {
            let context = self.contexts.get_mut(&interpreter.context);
            if let Some(request) = context.and_then(|context| context.opening.take()) {
                self.done(request);
            }
        }
    }
}
