//! Frames and requests of the host, each to the part that carries it out.

use crate::agent::Agent;
use crate::error::{Error, Result};
use crate::frame::{FrameType, Header};
use crate::object::{ObjectId, Runner};
use crate::sys;
use crate::wire::{
    Credit, HostControl, HostOpen, Interrupt, InterruptReason, ResetReason, Signal, host_control,
    host_open,
};
use prost::Message;

fn decoded<M: Message + Default>(payload: &[u8]) -> Result<M> {
    M::decode(payload).map_err(|_| Error::Broken("a message that cannot be decoded"))
}

impl Agent {
    pub fn on_frame(&mut self, header: Header, payload: &[u8]) -> Result<()> {
        let Some(connection) = self.connection() else {
            return Ok(());
        };
        if header.kind == FrameType::Control {
            return self.on_control(decoded(payload)?);
        }
        if !connection.welcomed {
            return Err(Error::Broken("the first frame must be Welcome"));
        }
        let stream = header.stream;
        if Agent::is_captured(stream) && header.kind != FrameType::Open {
            return self.on_captured_frame(stream, header.kind, payload);
        }
        match header.kind {
            FrameType::Control | FrameType::Event => Ok(()),
            FrameType::Open => {
                let open: HostOpen = decoded(payload)?;
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
                    self.on_data(stream, payload);
                }
                Ok(())
            }
            FrameType::Credit => {
                let credit: Credit = decoded(payload)?;
                connection.credited(stream, credit.bytes)
            }
            FrameType::End => {
                self.on_end(stream);
                Ok(())
            }
            FrameType::Reset => {
                let view = connection.close(stream);
                self.uploads.remove(&stream);
                self.abandon_file(stream);
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
            Some(host_open::Target::DownloadFile(request)) => self.download_file(stream, request),
            Some(host_open::Target::UploadFile(request)) => self.upload_file(stream, request),
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

    fn on_data(&mut self, stream: u32, bytes: &[u8]) {
        if self.upload(stream, bytes) || self.file_data(stream, bytes) {
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
        if self.file_data_ended(stream) {
            return;
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
                    self.capture_connected();
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
            Body::Welcome(_) => return Ok(()),
            Body::DnsAnswer(answer) => {
                self.on_dns_answer(id, &answer);
                return Ok(());
            }
            Body::Ping(_) => {}
            Body::Interrupt(request) => self.interrupt(&request)?,
            Body::Signal(request) => self.signal(&request)?,
            Body::Acknowledge(request) => {
                for id in request.object_ids {
                    self.acknowledge(&ObjectId::parse(&id)?);
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
}
