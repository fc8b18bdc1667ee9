//! What an interpreter's driver says, and what it is told.

use crate::agent::Agent;
use crate::cells::{Noted, interrupted};
use crate::context::Finishing;
use crate::driver::{Order, Report};
use crate::error::{Error, Result};
use crate::interpreter::STDERR;
use crate::sys;
use crate::timers::Timer;
use crate::wire::{Finished, Outcome};
use std::collections::BTreeMap;
use std::time::Duration;

/// A driver that has closed its control socket is given so long to be seen as dead by itself.
const HANG_UP: Duration = Duration::from_millis(500);

impl Agent {
    /// Reads what a driver has to say.
    pub fn hear(&mut self, handle: u64) {
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
                self.settle_capture();
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

    /// Sends a frame to a driver.
    pub fn order(&mut self, handle: u64, frame: &[u8]) {
        if let Some(interpreter) = self.interpreters.get_mut(&handle) {
            interpreter.orders.extend(frame);
            interpreter.write_orders(&self.poller);
        }
    }

    /// Tells a driver what has changed in its environment since it was last told.
    pub fn tell_environment(&mut self, handle: u64) {
        let environment = &self.settings.environment;
        let Some(interpreter) = self.interpreters.get(&handle) else {
            return;
        };
        let Some(context) = self.contexts.get(&interpreter.context) else {
            return;
        };
        if interpreter.told_version == environment.version() {
            return;
        }
        let version = environment.version();
        let now = environment.compose(&interpreter.user, &context.environment);
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
        let frame = (Order::Environment { set }).encode().unwrap_or_default();
        self.order(handle, &frame);
        if let Some(interpreter) = self.interpreters.get_mut(&handle) {
            interpreter.told = now;
            interpreter.told_version = version;
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
}
