//! The host of a test: what it reads.

use super::*;

/// What a viewing stream gave until its end.
#[derive(Debug, Default)]
pub struct Run {
    pub opened: Option<Opened>,
    pub started: Option<Started>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub result: Option<CellResult>,
    pub results: usize,
    pub error: Option<CellError>,
    pub finished: Option<Finished>,
    pub reset: Option<Reset>,
    /// The kinds of frames in their order, DATA runs as one.
    pub order: Vec<&'static str>,
}

impl Run {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    pub fn outcome(&self) -> Outcome {
        self.finished
            .as_ref()
            .unwrap_or_else(|| panic!("not finished: {self:?}"))
            .outcome()
    }

    pub fn finished(&self) -> Finished {
        self.finished
            .unwrap_or_else(|| panic!("not finished: {self:?}"))
    }

    pub fn value(&self) -> String {
        self.result
            .as_ref()
            .and_then(|result| result.data.get("text/plain").cloned())
            .unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.reset
            .as_ref()
            .unwrap_or_else(|| panic!("not reset: {self:?}"))
            .code
            .clone()
    }

    fn log(&mut self, kind: &'static str) {
        if self.order.last() != Some(&kind) {
            self.order.push(kind);
        }
    }
}

impl Host {
    /// Reads a stream to its end, granting again what it takes.
    pub fn collect(&mut self, stream: u32) -> Run {
        let mut run = Run::default();
        while !self.step(stream, &mut run, PATIENCE) {}
        run
    }

    /// Takes one frame of a stream; true at its end.
    pub fn step(&mut self, stream: u32, run: &mut Run, patience: Duration) -> bool {
        let (header, payload) = self
            .next_of(stream, patience)
            .unwrap_or_else(|| panic!("nothing came; so far {run:?}"));
        match header.kind {
            FrameType::Opened => {
                run.log("opened");
                run.opened = Some(Opened::decode(payload.as_slice()).unwrap());
            }
            FrameType::Data => {
                run.log(if header.lane == 0 { "stdout" } else { "stderr" });
                self.credit(stream, payload.len() as u32);
                let lane = if header.lane == 0 {
                    &mut run.stdout
                } else {
                    &mut run.stderr
                };
                lane.extend_from_slice(&payload);
            }
            FrameType::Event => self.event(run, &payload),
            FrameType::End => return true,
            FrameType::Reset => {
                run.reset = Some(Reset::decode(payload.as_slice()).unwrap());
                return true;
            }
            FrameType::Credit => {}
            other => panic!("unexpected {other:?}"),
        }
        false
    }

    fn event(&mut self, run: &mut Run, payload: &[u8]) {
        match StreamEvent::decode(payload).unwrap().body.unwrap() {
            stream_event::Body::Started(started) => {
                run.log("started");
                run.started = Some(started);
            }
            stream_event::Body::FileWritten(written) => panic!("{written:?} on an object's stream"),
            stream_event::Body::Result(result) => {
                run.log("result");
                run.results += 1;
                run.result = Some(result);
            }
            stream_event::Body::Error(error) => {
                run.log("error");
                run.error = Some(error);
            }
            stream_event::Body::Finished(finished) => {
                run.log("finished");
                run.finished = Some(finished);
            }
        }
    }

    /// The next frame of one stream; others are kept.
    pub fn next_of(&mut self, stream: u32, patience: Duration) -> Option<(Header, Vec<u8>)> {
        if let Some(at) = self
            .pending
            .iter()
            .position(|(header, _)| header.stream == stream)
        {
            return self.pending.remove(at);
        }
        let end = Instant::now() + patience;
        loop {
            let (header, payload) = self.read_frame(end)?;
            if header.stream == stream {
                return Some((header, payload));
            }
            if header.stream == 0 && header.kind == FrameType::Control {
                self.unasked
                    .push(AgentControl::decode(payload.as_slice()).unwrap());
            } else {
                self.pending.push_back((header, payload));
            }
        }
    }

    pub fn next_frame(&mut self, end: Instant) -> Option<(Header, Vec<u8>)> {
        self.pending.pop_front().or_else(|| self.read_frame(end))
    }

    /// Reads whatever comes within a time and keeps it.
    pub fn listen(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Some((header, payload)) = self.read_frame(end) {
            match header.kind {
                FrameType::Control => self
                    .unasked
                    .push(AgentControl::decode(payload.as_slice()).unwrap()),
                _ => self.pending.push_back((header, payload)),
            }
        }
    }

    /// Output outside of cells so far, by context and lane; waits until `wanted` is in it.
    pub fn background(&mut self, context: &str, wanted: &str) -> (String, u64) {
        let end = Instant::now() + PATIENCE;
        loop {
            let mut text = Vec::new();
            let mut dropped = 0;
            for message in &self.unasked {
                if let Some(agent_control::Body::Background(output)) = &message.body {
                    if output.context_id == context {
                        text.extend_from_slice(&output.data);
                        dropped += output.dropped;
                    }
                }
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            if text.contains(wanted) || Instant::now() > end {
                return (text, dropped);
            }
            self.listen(Duration::from_millis(20));
        }
    }

    fn read_frame(&mut self, end: Instant) -> Option<(Header, Vec<u8>)> {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some(frame);
            }
            let left = end
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())?;
            self.socket.set_read_timeout(Some(left)).unwrap();
            let mut buffer = [0; 65_536];
            match self.socket.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.decoder.push(&buffer[..length]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }

    /// Whether the agent closes the connection within a time.
    pub fn is_closed(&mut self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.socket
                .set_read_timeout(Some(Duration::from_millis(50)))
                .unwrap();
            match self.socket.read(&mut [0; 65_536]) {
                Ok(0) => return true,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return true,
                _ => {}
            }
        }
        false
    }

    pub fn contexts(&self) -> BTreeMap<String, ContextState> {
        let states = self
            .unasked
            .iter()
            .filter_map(|message| match &message.body {
                Some(agent_control::Body::ContextChanged(state)) => {
                    Some((state.context_id.clone(), state.clone()))
                }
                _ => None,
            });
        states.collect()
    }
}
