//! The end of interpreters, by themselves or by force, and what comes after.

use crate::agent::Agent;
use crate::cells::interrupted;
use crate::context::{Context, Finishing};
use crate::driver::{Language, Order};
use crate::exit::Exit;
use crate::interpreter::Interpreter;
use crate::not_started::{self, NotStarted, Stage};
use crate::sys;
use crate::timers::Timer;
use crate::wire::Finished;
use std::time::{Duration, Instant};

/// A death sooner than this after the start, without a cell, counts as one at the start.
const YOUNG: Duration = Duration::from_secs(2);
const MOST_QUICK_DEATHS: u32 = 3;
const RETIREMENT: Duration = Duration::from_secs(2);

impl Agent {
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

    /// Starts those of the meant interpreters again that nobody has used yet.
    pub fn renew_unused(&mut self, meant: impl Fn(&str) -> bool) {
        let unused = |context: &Context| {
            !context.used && context.queue.is_empty() && context.opening.is_none()
        };
        let unused: Vec<(String, u64)> = self
            .contexts
            .iter_mut()
            .filter(|(id, context)| meant(id) && unused(context))
            .filter_map(|(id, context)| Some((id.clone(), context.interpreter.take()?)))
            .collect();
        for (id, interpreter) in unused {
            self.retire(interpreter, false);
            if let Err(error) = self.ensure_interpreter(&id) {
                self.give_up(&id, error.answer(), Duration::ZERO);
            }
            self.announce_context(&id);
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
    not_started::explain(reason, program)
}
