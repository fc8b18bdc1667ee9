//! Frames and requests of the host, each to the part that carries it out.

use crate::agent::Agent;
use crate::connection::View;
use crate::error::{Error, Result};
use crate::frame::{FrameType, Header};
use crate::object::{ObjectId, Runner};
use crate::sys;
use crate::wire::{
    Credit, Diagnostic, Done, Failure, Finished, HostControl, HostOpen, Interrupt, InterruptReason,
    ResetReason, Signal, agent_control, host_control, host_open,
};
use prost::Message;

/// Bytes between a viewer and the end of the output at which the program is made to wait.
const BEHIND: u64 = 64 << 10;
/// The same while a cell is being interrupted, which a full pipe would prevent.
const FAR_BEHIND: u64 = 768 << 10;
const NOTES_BEHIND: u64 = 64;
/// The window granted for input of a process.
const INPUT_WINDOW: u64 = 64 << 10;
const MAX_DIAGNOSTIC: usize = 4_096;
const MAX_UNSAID: usize = 16;

fn decoded<M: Message + Default>(payload: &[u8]) -> Result<M> {
    M::decode(payload).map_err(|_| Error::Broken("a message that cannot be decoded"))
}

impl Agent {
    pub fn on_frame(&mut self, header: Header, payload: Vec<u8>) -> Result<()> {
        let Some(connection) = self.connection() else {
            return Ok(());
        };
        if header.kind == FrameType::Control {
            return self.on_control(decoded(&payload)?);
        }
        if !connection.welcomed {
            return Err(Error::Broken("the first frame must be Welcome"));
        }
        let stream = header.stream;
        match header.kind {
            FrameType::Control | FrameType::Event => Ok(()),
            FrameType::Open => {
                let open: HostOpen = decoded(&payload)?;
                connection.open(stream, open.window)?;
                self.on_open(stream, open);
                Ok(())
            }
            FrameType::Opened if stream % 2 == 1 => {
                Err(Error::Broken("opened a stream that the host itself opens"))
            }
            // No stream of the agent's own is open.
            FrameType::Opened => Ok(()),
            FrameType::Data => {
                if connection.received(stream, payload.len())? {
                    self.on_data(stream, &payload);
                }
                Ok(())
            }
            FrameType::Credit => {
                let credit: Credit = decoded(&payload)?;
                connection.credited(stream, credit.bytes)
            }
            FrameType::End => {
                self.on_end(stream);
                Ok(())
            }
            FrameType::Reset => {
                let view = connection.close(stream);
                self.uploads.remove(&stream);
                self.detach(stream, view);
                Ok(())
            }
        }
    }

    fn on_open(&mut self, stream: u32, open: HostOpen) {
        let done = match open.target {
            Some(host_open::Target::RunCell(request)) => self.open_cell(stream, request),
            Some(host_open::Target::StartProcess(request)) => self.start_process(stream, request),
            Some(host_open::Target::Attach(request)) => ObjectId::parse(&request.object_id)
                .and_then(|object| self.attach(stream, object, request.offset)),
            Some(host_open::Target::DialPort(_)) | None => {
                let message = "this agent cannot open streams of this kind";
                return self.refuse(stream, ResetReason::Unsupported, "unsupported", message);
            }
        };
        if let Err(error) = done {
            let (code, message) = error.answer();
            self.refuse(stream, ResetReason::Failed, code, &message);
        }
    }

    /// Shows an object on a stream that the host has opened.
    pub fn attach(&mut self, stream: u32, id: ObjectId, offset: u64) -> Result<()> {
        let Some(object) = self.objects.get(&id) else {
            let message =
                "no such cell or process: it has not been started, or ended and was forgotten";
            return Err(Error::refused("run_not_found", message));
        };
        let window = match object.runner.clone() {
            Runner::Process(handle) if self.wait_for_start(handle, stream, offset) => return Ok(()),
            Runner::Process(handle) if self.takes_input(handle) => INPUT_WINDOW,
            _ => 0,
        };
        let Some(object) = self.objects.get_mut(&id) else {
            return Ok(());
        };
        let cursor = object.output.cursor(offset);
        let crate::link::Link::Up(connection) = &mut self.link else {
            return Ok(());
        };
        if connection.contains(stream) {
            connection.opened(stream, window, cursor.offset);
            connection.show(stream, id, cursor);
            object.viewers.push(stream);
            self.regulate(&id);
        }
        Ok(())
    }

    fn detach(&mut self, stream: u32, view: Option<View>) {
        let Some(view) = view else { return };
        if let Some(object) = self.objects.get_mut(&view.object) {
            object.viewers.retain(|viewer| *viewer != stream);
        }
        self.regulate(&view.object);
    }

    fn viewed_process(&mut self, stream: u32) -> Option<u64> {
        let object = self.connection()?.stream(stream)?.view.as_ref()?.object;
        match self.objects.get(&object)?.runner {
            Runner::Process(handle) => Some(handle),
            Runner::Context(_) => None,
        }
    }

    fn on_data(&mut self, stream: u32, bytes: &[u8]) {
        if self.upload(stream, bytes) {
            return;
        }
        if let Some(handle) = self.viewed_process(stream) {
            self.input(handle, stream, bytes);
        }
    }

    fn on_end(&mut self, stream: u32) {
        if self.uploads.remove(&stream).is_some() {
            let message = "less source came than was announced";
            return self.refuse(stream, ResetReason::Failed, "invalid_request", message);
        }
        if let Some(handle) = self.viewed_process(stream) {
            self.input_ended(handle);
        }
    }

    fn on_control(&mut self, message: HostControl) -> Result<()> {
        let Some(connection) = self.connection() else {
            return Ok(());
        };
        if !connection.welcomed {
            return match message.body {
                Some(host_control::Body::Welcome(_)) => {
                    connection.welcomed = true;
                    Ok(())
                }
                _ => Err(Error::Broken("the first frame must be Welcome")),
            };
        }
        let id = message.id;
        let Some(body) = message.body else {
            self.failure(id, "unsupported", "this agent does not know the request");
            return Ok(());
        };
        if let Err(error) = self.on_request(id, body) {
            let (code, message) = error.answer();
            self.failure(id, code, &message);
        }
        Ok(())
    }

    fn on_request(&mut self, id: u64, body: host_control::Body) -> Result<()> {
        use host_control::Body;
        match body {
            Body::Welcome(_) | Body::DnsAnswer(_) => return Ok(()),
            Body::Ping(_) => {}
            Body::Interrupt(request) => self.interrupt(&request)?,
            Body::Signal(request) => self.signal(&request)?,
            Body::Acknowledge(request) => {
                for id in request.object_ids {
                    self.objects.acknowledge(&ObjectId::parse(&id)?);
                }
            }
            Body::OpenContext(request) => return self.open_context(id, request),
            Body::CloseContext(request) => self.close_context(&request.context_id)?,
            Body::Configure(request) => return self.configure(id, request),
            Body::ReadFile(request) => return self.read_file(id, request),
            Body::WriteFile(request) => return self.write_file(id, request),
            Body::Status(_) => {
                self.report_status(id);
                return Ok(());
            }
            Body::Shutdown(request) => {
                self.shut_down(id, request.grace_ms);
                return Ok(());
            }
        }
        self.done(id);
        Ok(())
    }

    fn interrupt(&mut self, request: &Interrupt) -> Result<()> {
        let id = ObjectId::parse(&request.object_id)?;
        let Some(object) = self.objects.get(&id) else {
            return Err(Error::refused("run_not_found", "no such cell or process"));
        };
        if object.finished.is_some() {
            return Ok(());
        }
        let reason = InterruptReason::try_from(request.reason).unwrap_or(InterruptReason::Caller);
        match object.runner.clone() {
            Runner::Context(context) => self.interrupt_cell(&context, id, reason, request.grace_ms),
            Runner::Process(handle) => {
                if let Some(process) = self.processes.get(&handle) {
                    let _ = sys::kill(-process.pid, libc::SIGINT);
                }
            }
        }
        Ok(())
    }

    fn signal(&mut self, request: &Signal) -> Result<()> {
        if !(1..=64).contains(&request.number) {
            return Err(Error::refused(
                "invalid_request",
                "signals have the numbers 1 to 64",
            ));
        }
        let id = ObjectId::parse(&request.object_id)?;
        let runner = self.objects.get(&id).map(|object| object.runner.clone());
        let Some(Runner::Process(handle)) = runner else {
            return Err(Error::refused("run_not_found", "no such process"));
        };
        if let Some(process) = self.processes.get_mut(&handle) {
            process.killed |= request.number == libc::SIGKILL;
            let group = request.group || process.is_reaped();
            let target = if group { -process.pid } else { process.pid };
            let _ = sys::kill(target, request.number);
        }
        Ok(())
    }

    // ------------------------------------------------------------- answers

    pub fn send(&mut self, id: u64, body: agent_control::Body) {
        if let Some(connection) = self.connection() {
            connection.control(id, body);
        }
    }

    pub fn done(&mut self, id: u64) {
        if id != 0 {
            self.send(id, agent_control::Body::Done(Done {}));
        }
    }

    pub fn failure(&mut self, id: u64, code: &str, message: &str) {
        if id != 0 {
            let message = crate::connection::clipped(message, MAX_DIAGNOSTIC).into();
            self.send(
                id,
                agent_control::Body::Failure(Failure {
                    code: code.into(),
                    message,
                }),
            );
        }
    }

    /// A line for the sandbox's log; kept for a while where nobody listens.
    pub fn diagnose(&mut self, level: &str, text: &str) {
        let text = crate::connection::clipped(text, MAX_DIAGNOSTIC).into();
        self.unsaid.push_back(Diagnostic {
            level: level.into(),
            text,
        });
        if self.unsaid.len() > MAX_UNSAID {
            self.unsaid.pop_front();
        }
    }

    /// Ends a stream with the answer to what it asked for.
    pub fn refuse(&mut self, stream: u32, reason: ResetReason, code: &str, message: &str) {
        if let Some(connection) = self.connection() {
            connection.reset(stream, reason, code, message);
        }
    }

    // ------------------------------------------------------------- output

    /// Adds a program's output to its object.
    pub fn add_output(&mut self, id: &ObjectId, lane: u8, bytes: &[u8]) {
        if let Some(object) = self.objects.get_mut(id) {
            object.output.append(lane, bytes);
        }
        self.touch_viewers(id);
        self.regulate(id);
    }

    /// Ends an object with its outcome.
    pub fn finish(&mut self, id: &ObjectId, finished: Finished) {
        self.objects.finish(id, finished);
        self.touch_viewers(id);
    }

    /// Lets the streams of an object look for something to send.
    pub fn touch_viewers(&mut self, id: &ObjectId) {
        let (Some(object), crate::link::Link::Up(connection)) =
            (self.objects.get(id), &mut self.link)
        else {
            return;
        };
        for viewer in &object.viewers {
            connection.touch(*viewer);
        }
    }

    /// Whether a viewer is so far behind that the program has to wait.
    pub fn held(&self, id: &ObjectId) -> bool {
        self.behind(id, BEHIND, NOTES_BEHIND)
    }

    fn behind(&self, id: &ObjectId, bytes: u64, notes: u64) -> bool {
        let (Some(object), crate::link::Link::Up(connection)) = (self.objects.get(id), &self.link)
        else {
            return false;
        };
        object.viewers.iter().any(|viewer| {
            connection.view(*viewer).is_some_and(|view| {
                object.output.unread(&view.cursor) >= bytes
                    || object.output.unread_notes(&view.cursor) >= notes
            })
        })
    }

    /// Reads an object's pipes, or leaves them full, as its viewers can follow.
    pub fn regulate(&mut self, id: &ObjectId) {
        let Some(object) = self
            .objects
            .get(id)
            .filter(|object| object.finished.is_none())
        else {
            return;
        };
        match object.runner.clone() {
            Runner::Process(handle) => {
                let held = self.held(id);
                self.hold_process(handle, held);
            }
            Runner::Context(context) => {
                let Some(context) = self.contexts.get(&context) else {
                    return;
                };
                let Some(running) = context
                    .running
                    .as_ref()
                    .filter(|running| running.object == *id)
                else {
                    return;
                };
                let Some(handle) = context.interpreter else {
                    return;
                };
                let interrupted = running.interrupted.is_some();
                let held = if interrupted {
                    self.behind(id, FAR_BEHIND, u64::MAX)
                } else {
                    self.held(id)
                };
                self.hold_interpreter(handle, held, held && !interrupted);
            }
        }
    }

    /// Passes on what is to be said unasked: lines for the log, and what contexts have put out between their cells.
    pub fn send_unasked(&mut self) {
        let crate::link::Link::Up(connection) = &mut self.link else {
            return;
        };
        if !connection.welcomed {
            return;
        }
        for diagnostic in self.unsaid.drain(..) {
            connection.control(0, agent_control::Body::Diagnostic(diagnostic));
        }
        for (id, context) in &mut self.contexts {
            while !connection.busy() {
                let Some(output) = context.background.take(id) else {
                    break;
                };
                connection.control(0, agent_control::Body::Background(output));
            }
        }
    }
}
