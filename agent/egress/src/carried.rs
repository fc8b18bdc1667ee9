//! A connection that the host carries: bytes, ends and resets between its stream and the program's socket.

use smoltcp::socket::tcp::{Socket, State};

use crate::sink::EgressSink;
use crate::window::{Budget, Window};

/// Bytes of one data frame.
const FRAME: usize = 65_536;

/// The stream's side of a connection.
#[derive(Debug)]
pub(crate) struct Carried {
    stream: u32,
    /// What the host still takes.
    credit: u32,
    window: Window,
    /// Bytes of a host that speaks first, until the program's end of the handshake is in.
    early: Vec<u8>,
    /// The program has sent FIN, which follows what is in the socket's buffer.
    program_closed: bool,
    /// END has been sent to the host.
    program_ended: bool,
    host_ended: bool,
}

/// What has become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Going,
    /// There is more for the host, but the channel is full.
    Waiting,
    /// Nothing more will come from either end.
    Over,
}

impl Carried {
    pub(crate) fn new(stream: u32, credit: u32, window: Window) -> Self {
        Self {
            stream,
            credit,
            window,
            early: Vec::new(),
            program_closed: false,
            program_ended: false,
            host_ended: false,
        }
    }

    pub(crate) fn window(&self) -> &Window {
        &self.window
    }

    pub(crate) fn add_credit(&mut self, bytes: u32) {
        self.credit = self.credit.saturating_add(bytes);
    }

    /// Takes the host's bytes for the program; false where the host has broken the window or sends after its end.
    #[must_use]
    pub(crate) fn deliver(&mut self, socket: &mut Socket<'_>, bytes: &[u8]) -> bool {
        if self.host_ended || !self.window.take(bytes.len()) {
            return false;
        }
        if socket.state() == State::SynReceived {
            self.early.extend_from_slice(bytes);
            return true;
        }
        // The buffer holds the largest window. A program that has broken the connection takes nothing.
        !socket.may_send() || socket.send_slice(bytes) == Ok(bytes.len())
    }

    /// The host sends no more: FIN follows what is under way.
    pub(crate) fn end(&mut self) {
        self.host_ended = true;
    }

    fn pass_to_program(&mut self, socket: &mut Socket<'_>) {
        if socket.state() == State::SynReceived {
            return;
        }
        if !self.early.is_empty() {
            // Fails where the program has broken the connection.
            let _ = socket.send_slice(&self.early);
            self.early = Vec::new();
        }
        if self.host_ended {
            socket.close();
        }
    }

    /// Moves what can be moved in either direction.
    pub(crate) fn serve(
        &mut self,
        socket: &mut Socket<'_>,
        budget: &mut Budget,
        backlog: usize,
        sink: &mut dyn EgressSink,
    ) -> Progress {
        self.pass_to_program(socket);
        self.program_closed |= matches!(
            socket.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        );
        while self.credit > 0 && socket.can_recv() {
            if sink.backlog() >= backlog {
                return Progress::Waiting;
            }
            self.send_frame(socket, sink);
        }
        self.pass_end(socket, sink);
        self.renew_window(socket, budget, sink);
        self.progress(socket, sink)
    }

    fn send_frame(&mut self, socket: &mut Socket<'_>, sink: &mut dyn EgressSink) {
        let most = FRAME.min(self.credit as usize);
        let sent = socket.recv(|bytes| {
            let length = bytes.len().min(most);
            if length > 0 {
                sink.data(self.stream, &bytes[..length]);
            }
            (length, length)
        });
        self.credit -= sent.unwrap_or(0) as u32;
    }

    fn pass_end(&mut self, socket: &Socket<'_>, sink: &mut dyn EgressSink) {
        if self.program_closed && !self.program_ended && socket.recv_queue() == 0 {
            self.program_ended = true;
            sink.end(self.stream);
        }
    }

    fn renew_window(
        &mut self,
        socket: &Socket<'_>,
        budget: &mut Budget,
        sink: &mut dyn EgressSink,
    ) {
        if self.host_ended || !socket.may_send() {
            return;
        }
        let queued = self.early.len() + socket.send_queue();
        let credit = self.window.renew(queued, budget);
        if credit > 0 {
            sink.credit(self.stream, credit);
        }
    }

    fn progress(&self, socket: &Socket<'_>, sink: &mut dyn EgressSink) -> Progress {
        let closed = matches!(
            socket.state(),
            State::Closed | State::TimeWait | State::Listen
        );
        let orderly = self.program_closed && self.host_ended;
        if !closed || (orderly && !self.program_ended) {
            // In order, but the host has no credit for the rest of what the program said.
            return Progress::Going;
        }
        if !orderly {
            sink.reset(self.stream);
        }
        Progress::Over
    }
}
