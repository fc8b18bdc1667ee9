//! Interpreters: how a driver is started, listened to, told things and buried.

use crate::agent::{Agent, Child, Exit, READ};
use crate::context::{Finishing, Noted, interrupted};
use crate::driver::{Language, Order, Report, Reports};
use crate::environment::{self, Variables};
use crate::error::{Error, Result};
use crate::lane::{self, Lane, Taken};
use crate::poll::{Interest, Part, Poller, Ready, Source};
use crate::spawn::{self, Launch, NotStarted, Stage};
use crate::sys;
use crate::timers::Timer;
use crate::wire::{Finished, Outcome};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// An interpreter must have said that it is ready by then, on the slowest of machines.
const PATIENCE: Duration = Duration::from_secs(60);
/// A death sooner than this after the start, without a cell, counts as one at the start.
const YOUNG: Duration = Duration::from_secs(2);
const MOST_QUICK_DEATHS: u32 = 3;
/// A driver that has closed its control socket is given so long to be seen as dead by itself.
const HANG_UP: Duration = Duration::from_millis(500);
const RETIREMENT: Duration = Duration::from_secs(2);
const LAST_WORDS: usize = 1_024;
/// Numbers of the four pipes that an interpreter writes to.
const STDERR: usize = 1;
const BACKGROUND: usize = 2;

#[derive(Debug)]
pub struct Interpreter {
    handle: u64,
    /// Empty once its context has let go of it.
    pub context: String,
    pub pid: i32,
    pub ready: bool,
    pub version: String,
    pub killed: bool,
    control: Option<OwnedFd>,
    interest: Interest,
    reports: Reports,
    orders: VecDeque<u8>,
    interrupts: Option<OwnedFd>,
    lanes: [Lane; 4],
    report: Option<OwnedFd>,
    not_started: Option<NotStarted>,
    began: Instant,
    told: Variables,
    last_words: Vec<u8>,
}

impl Interpreter {
    fn watch_control(&mut self, reading: bool, poller: &Poller) {
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

    fn reading(&self) -> bool {
        matches!(self.interest, Interest::Read | Interest::Both)
    }

    fn drop_control(&mut self, poller: &Poller) {
        self.orders.clear();
        self.watch_control(false, poller);
        self.control = None;
    }

    fn write_orders(&mut self, poller: &Poller) {
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

    fn remember(&mut self, bytes: &[u8]) {
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
        let (null, driver) = (lane::null()?, context.language.sealed_source()?);
        let mut descriptors = vec![
            &null,
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
            told: variables,
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

    fn interpreter_reported(&mut self, handle: u64) {
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

    /// Reads what a driver has to say.
    fn hear(&mut self, handle: u64) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let heard = self.hear_some(handle, &mut buffer);
        self.buffer = buffer;
        match heard {
            Ok(()) => {}
            Err(Error::Closed) => {
                if let Some(interpreter) = self.interpreters.get_mut(&handle) {
                    interpreter.drop_control(&self.poller);
                    self.timers.after(HANG_UP, Timer::Bury(handle));
                }
            }
            Err(error) => {
                self.diagnose("warning", &format!("an interpreter is ended: {error}"));
                self.kill_interpreter(handle);
                if let Some(interpreter) = self.interpreters.get_mut(&handle) {
                    interpreter.drop_control(&self.poller);
                }
            }
        }
    }

    fn hear_some(&mut self, handle: u64, buffer: &mut [u8]) -> Result<()> {
        let Some(interpreter) = self.interpreters.get_mut(&handle) else {
            return Ok(());
        };
        let Some(control) = &interpreter.control else {
            return Ok(());
        };
        let length = match rustix::io::read(control, &mut *buffer) {
            Ok(0) => return Err(Error::Closed),
            Ok(length) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(()),
            Err(_) => return Err(Error::Closed),
        };
        interpreter
            .reports
            .push(buffer.get(..length).unwrap_or_default());
        while let Some(interpreter) = self.interpreters.get_mut(&handle) {
            let Some(report) = interpreter.reports.next_report()? else {
                break;
            };
            self.heard(handle, report)?;
        }
        Ok(())
    }

    fn heard(&mut self, handle: u64, report: Report) -> Result<()> {
        let Some(interpreter) = self.interpreters.get_mut(&handle) else {
            return Ok(());
        };
        let (context_id, pid) = (interpreter.context.clone(), interpreter.pid as u32);
        if report.kind == "ready" {
            if !interpreter.ready {
                interpreter.ready = true;
                interpreter.version = crate::connection::clipped(&report.version, 64).to_owned();
                self.announce_context(&context_id);
                self.next_cell(&context_id);
            }
            return Ok(());
        }
        let running = self
            .contexts
            .get(&context_id)
            .and_then(|context| context.running.as_ref());
        // A forged id, or one of a cell that is over.
        if !running.is_some_and(|running| running.id == report.id && running.finishing.is_none()) {
            return Ok(());
        }
        match report.kind.as_str() {
            "started" => self.cell_started(&context_id, pid),
            "result" => self.cell_noted(&context_id, Noted::Result(report.result())),
            "error" => self.cell_noted(&context_id, Noted::Error(report.error())),
            "finished" => self.cell_over(handle, &context_id, &report)?,
            _ => {}
        }
        Ok(())
    }

    fn cell_over(&mut self, handle: u64, context_id: &str, report: &Report) -> Result<()> {
        let outcome = match report.status.as_str() {
            "ok" => Outcome::Ok,
            "error" => Outcome::Error,
            "interrupted" => Outcome::Interrupted,
            "exited" => Outcome::Exited,
            _ => return Err(Error::Broken("a driver's message of an unknown end")),
        };
        let running = self
            .contexts
            .get_mut(context_id)
            .and_then(|context| context.running.as_mut());
        let (Some(running), Some(interpreter)) = (running, self.interpreters.get(&handle)) else {
            return Ok(());
        };
        let outcome = running.interrupted.map_or(outcome, interrupted);
        let exit_code = if outcome == Outcome::Exited {
            report.exit_code as i32
        } else {
            0
        };
        let finished = Finished {
            outcome: outcome.into(),
            exit_code,
            duration_micros: running.began.elapsed().as_micros() as u64,
            ..Finished::default()
        };
        let rest = [
            interpreter.lanes[0].waiting(),
            interpreter.lanes[STDERR].waiting(),
        ];
        let object = running.object;
        running.finishing = Some(Finishing { finished, rest });
        if !self.held(&object) {
            self.interpreter_output(handle, 0);
            self.interpreter_output(handle, STDERR);
        }
        self.settle_cell(handle);
        Ok(())
    }

    /// Takes output and gives it to whom it belongs.
    fn interpreter_output(&mut self, handle: u64, lane: usize) {
        let Some(interpreter) = self.interpreters.get_mut(&handle) else {
            return;
        };
        let context = self.contexts.get_mut(&interpreter.context);
        let running = context
            .and_then(|context| context.running.as_mut())
            .filter(|_| lane < BACKGROUND);
        let most = running
            .as_ref()
            .and_then(|running| running.finishing.as_ref())
            .map_or(READ, |finishing| finishing.rest[lane]);
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = interpreter.lanes[lane].take(&mut buffer, most, &self.poller);
        let over = matches!(taken, Taken::End);
        if let Taken::Bytes(length) = taken {
            let bytes = buffer.get(..length).unwrap_or_default();
            if !interpreter.ready {
                interpreter.remember(bytes);
            }
            match running {
                Some(running) => {
                    let object = running.object;
                    if let Some(finishing) = &mut running.finishing {
                        finishing.rest[lane] -= length as u64;
                    }
                    self.add_output(&object, lane as u8, bytes);
                }
                None => self.add_background(handle, lane, bytes),
            }
        } else if let Some(finishing) = running
            .and_then(|running| running.finishing.as_mut())
            .filter(|_| over)
        {
            finishing.rest[lane] = 0;
        }
        self.buffer = buffer;
        self.settle_cell(handle);
    }

    fn add_background(&mut self, handle: u64, lane: usize, bytes: &[u8]) {
        let Some(interpreter) = self.interpreters.get(&handle) else {
            return;
        };
        if let Some(context) = self.contexts.get_mut(&interpreter.context) {
            context.background.add((lane % BACKGROUND) as u32, bytes);
        }
    }

    /// What the pipes hold before a cell begins is not the cell's.
    pub fn drain_to_background(&mut self, handle: u64) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for lane in 0..BACKGROUND {
            let Some(interpreter) = self.interpreters.get_mut(&handle) else {
                break;
            };
            let most = interpreter.lanes[lane].waiting();
            if let Taken::Bytes(length) =
                interpreter.lanes[lane].take(&mut buffer, most, &self.poller)
            {
                self.add_background(handle, lane, buffer.get(..length).unwrap_or_default());
            }
        }
        self.buffer = buffer;
    }

    /// Reports a cell's end once all of its output has been taken.
    fn settle_cell(&mut self, handle: u64) {
        let Some(interpreter) = self.interpreters.get(&handle) else {
            return;
        };
        let context_id = interpreter.context.clone();
        let Some(context) = self.contexts.get_mut(&context_id) else {
            return;
        };
        let settled = |finishing: &Finishing| finishing.rest == [0, 0];
        if !context
            .running
            .as_ref()
            .and_then(|running| running.finishing.as_ref())
            .is_some_and(settled)
        {
            return;
        }
        self.end_cell(&context_id);
        self.hold_interpreter(handle, false, false);
        self.next_cell(&context_id);
    }

    fn end_cell(&mut self, context_id: &str) {
        let Some(running) = self
            .contexts
            .get_mut(context_id)
            .and_then(|context| context.running.take())
        else {
            return;
        };
        if let Some(object) = self.objects.get_mut(&running.object) {
            for note in running.notes {
                object.output.note(note);
            }
        }
        let finished = running
            .finishing
            .map(|finishing| finishing.finished)
            .unwrap_or_default();
        self.finish(&running.object, finished);
    }

    /// Stops or resumes reading a running cell's output; an interrupted driver is always listened to.
    pub fn hold_interpreter(&mut self, handle: u64, held: bool, deaf: bool) {
        let Some(interpreter) = self.interpreters.get_mut(&handle) else {
            return;
        };
        for lane in &mut interpreter.lanes[..BACKGROUND] {
            lane.watch(!held, &self.poller);
        }
        interpreter.watch_control(!deaf, &self.poller);
    }

    /// Sends a frame to a driver.
    pub fn order(&mut self, handle: u64, frame: &[u8]) {
        if let Some(interpreter) = self.interpreters.get_mut(&handle) {
            interpreter.orders.extend(frame);
            interpreter.write_orders(&self.poller);
        }
    }

    /// Tells a driver what has changed in its environment since it was last told.
    pub fn tell_environment(&mut self, handle: u64) {
        let Some(interpreter) = self.interpreters.get(&handle) else {
            return;
        };
        let Some(context) = self.contexts.get(&interpreter.context) else {
            return;
        };
        let Ok(user) = self.user(&context.user) else {
            return;
        };
        let now = self
            .settings
            .environment
            .compose(&user, &context.environment);
        let gone = interpreter
            .told
            .keys()
            .filter(|name| !now.contains_key(*name))
            .map(|name| (name.as_str(), None));
        let new = now
            .iter()
            .filter(|(name, value)| interpreter.told.get(*name) != Some(value));
        let set: BTreeMap<&str, Option<&str>> = new
            .map(|(name, value)| (name.as_str(), Some(value.as_str())))
            .chain(gone)
            .collect();
        if set.is_empty() {
            return;
        }
        if let Ok(frame) = (Order::Environment { set }).encode() {
            self.order(handle, &frame);
        }
        if let Some(interpreter) = self.interpreters.get_mut(&handle) {
            interpreter.told = now;
        }
    }

    /// Has a driver stop its cell.
    pub fn interrupt_interpreter(&mut self, handle: u64, cell: u64) {
        let Some(interpreter) = self.interpreters.get(&handle) else {
            return;
        };
        if let (Some(socket), Ok(frame)) = (
            &interpreter.interrupts,
            (Order::Interrupt { id: cell }).encode(),
        ) {
            let _ = rustix::io::write(socket, &frame);
        }
        let _ = sys::kill(-interpreter.pid, libc::SIGINT);
    }

    /// An interrupted cell has had its grace.
    pub fn grace_over(&mut self, handle: u64, cell: u64) {
        let Some(interpreter) = self.interpreters.get(&handle) else {
            return;
        };
        let running = self
            .contexts
            .get(&interpreter.context)
            .and_then(|context| context.running.as_ref());
        if running.is_some_and(|running| running.id == cell && running.finishing.is_none()) {
            self.kill_interpreter(handle);
        }
    }

    /// An interpreter that is not ready by now never will be.
    pub fn ready_overdue(&mut self, handle: u64) {
        if self
            .interpreters
            .get(&handle)
            .is_some_and(|interpreter| !interpreter.ready)
        {
            self.kill_interpreter(handle);
        }
    }

    /// Ends an interpreter and its process group at once.
    pub fn kill_interpreter(&mut self, handle: u64) {
        if let Some(interpreter) = self.interpreters.get_mut(&handle) {
            interpreter.killed = true;
            let _ = sys::kill(-interpreter.pid, libc::SIGKILL);
            let _ = sys::kill(interpreter.pid, libc::SIGKILL);
        }
    }

    /// Lets go of an interpreter whose context is closed.
    pub fn retire(&mut self, handle: u64, orderly: bool) {
        let exit = Order::Exit.encode().unwrap_or_default();
        if let Some(interpreter) = self.interpreters.get_mut(&handle) {
            interpreter.context = String::new();
        }
        if orderly {
            self.hold_interpreter(handle, false, false);
            self.order(handle, &exit);
            self.timers.after(RETIREMENT, Timer::Bury(handle));
        } else {
            self.kill_interpreter(handle);
        }
    }

    /// An interpreter is dead and reaped: its cell ends, and a new one takes its place.
    pub fn interpreter_exited(&mut self, handle: u64, exit: Exit) {
        self.interpreter_reported(handle);
        self.hear(handle);
        self.drain_dead(handle);
        let Some(mut interpreter) = self.interpreters.remove(&handle) else {
            return;
        };
        let _ = sys::kill(-interpreter.pid, libc::SIGKILL);
        interpreter.drop_control(&self.poller);
        for lane in &mut interpreter.lanes {
            lane.close(&self.poller);
        }
        let context_id = std::mem::take(&mut interpreter.context);
        let Some(context) = self.contexts.get_mut(&context_id) else {
            return;
        };
        context.interpreter = None;
        if let Some(running) = context
            .running
            .as_mut()
            .filter(|running| running.finishing.is_none())
        {
            let mut finished = Finished {
                state_lost: true,
                duration_micros: running.began.elapsed().as_micros() as u64,
                ..exit.outcome(interpreter.killed)
            };
            if let Some(reason) = running.interrupted {
                finished.outcome = interrupted(reason).into();
            }
            running.finishing = Some(Finishing {
                finished,
                rest: [0, 0],
            });
        }
        self.end_cell(&context_id);
        self.announce_context(&context_id);
        self.replace_interpreter(&context_id, &interpreter, exit);
    }

    /// Takes what a dead interpreter left in its pipes.
    fn drain_dead(&mut self, handle: u64) {
        for lane in 0..BACKGROUND * 2 {
            let left = self
                .interpreters
                .get(&handle)
                .map_or(0, |interpreter| interpreter.lanes[lane].waiting());
            let reads = left.div_ceil(READ).min(4);
            for _ in 0..reads {
                self.interpreter_output(handle, lane);
            }
        }
    }

    fn replace_interpreter(&mut self, context_id: &str, dead: &Interpreter, exit: Exit) {
        let timer = self.next_handle();
        let Some(context) = self.contexts.get_mut(context_id) else {
            return;
        };
        if let Some(reason) = dead.not_started {
            let language = context.language;
            return self.give_up(context_id, cannot_start(reason, language), Duration::ZERO);
        }
        if context.used || (dead.ready && dead.began.elapsed() > YOUNG) {
            context.quick_deaths = 0;
            if let Err(error) = self.ensure_interpreter(context_id) {
                self.give_up(context_id, error.answer(), Duration::ZERO);
            }
            return;
        }
        context.quick_deaths += 1;
        let pause = Duration::from_millis(50) * 2u32.pow(context.quick_deaths.min(9));
        if context.quick_deaths < MOST_QUICK_DEATHS {
            context.restart = Some(timer);
            self.timers.after(pause, Timer::Restart(timer));
            return;
        }
        let words = String::from_utf8_lossy(&dead.last_words).trim().to_owned();
        let message = format!(
            "the {} interpreter ends at its start ({exit}); its last words: {words}",
            context.language.name()
        );
        self.give_up(context_id, ("interpreter_failed", message), pause);
    }

    /// Fails everything that waits for an interpreter which will not come.
    fn give_up(&mut self, context_id: &str, answer: (&'static str, String), pause: Duration) {
        let Some(context) = self.contexts.get_mut(context_id) else {
            return;
        };
        let waiting: Vec<_> = context.queue.drain(..).collect();
        context.not_before = Some((Instant::now() + pause, answer.1.clone()));
        let opening = context.opening.take();
        self.diagnose("warning", &answer.1);
        for cell in waiting {
            self.fail_object(&cell.object, answer.clone());
        }
        if let Some(request) = opening {
            self.contexts.remove(context_id);
            self.failure(request, answer.0, &answer.1);
        }
    }

    /// Starts an interpreter again after a pause.
    pub fn restart_due(&mut self, timer: u64) {
        let context = self
            .contexts
            .iter_mut()
            .find(|(_, context)| context.restart == Some(timer));
        let Some((context_id, context)) = context else {
            return;
        };
        context.restart = None;
        let context_id = context_id.clone();
        if let Err(error) = self.ensure_interpreter(&context_id) {
            self.give_up(&context_id, error.answer(), Duration::ZERO);
        }
    }
}

fn cannot_start(reason: NotStarted, language: Language) -> (&'static str, String) {
    let program = language.command().first().copied().unwrap_or_default();
    if reason.stage == Stage::Exec && reason.errno == libc::ENOENT {
        let message = format!(
            "the sandbox's image has no {program} on the user's PATH; use an image with it, or install it"
        );
        return ("unknown_language", message);
    }
    crate::process::explain(reason, program)
}
