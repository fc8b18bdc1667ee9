//! Whose output is it: the running cell's, a finished one's, or the context's.

use crate::agent::{Agent, READ};
use crate::context::Finishing;
use crate::interpreter::BACKGROUND;
use crate::lane::Taken;

impl Agent {
    /// Takes output and gives it to whom it belongs.
    pub fn interpreter_output(&mut self, handle: u64, lane: usize) {
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
    pub fn settle_cell(&mut self, handle: u64) {
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

    pub fn end_cell(&mut self, context_id: &str) {
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

    /// Takes what a dead interpreter left in its pipes.
    pub fn drain_dead(&mut self, handle: u64) {
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
}
