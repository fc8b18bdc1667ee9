//! One greeted connection to the host: frames in, frames out, streams and their credit.
//!
//! Nothing is queued for a viewing stream: its next frame is made from the object when there is room in the batch.

mod credit;
mod outflow;
mod sending;

pub use self::outflow::Outflow;
use self::sending::BATCH;
use crate::error::{Error, Result};
use crate::frame::{self, Decoder, FrameType};
use crate::object::ObjectId;
use crate::output::Cursor;
use crate::poll::{Interest, Poller, Source};
use crate::wire::{
    AgentControl, FileWritten, Reset, ResetReason, StreamEvent, agent_control, stream_event,
};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;

const MAX_STREAMS: usize = 4_096;
pub const MAX_INITIAL: u64 = 256 << 10;

/// A stream that shows an object.
#[derive(Debug)]
pub struct View {
    pub object: ObjectId,
    pub cursor: Cursor,
    started: bool,
}

/// A stream of this connection.
#[derive(Debug, Default)]
pub struct Stream {
    /// DATA bytes that may be sent to the host.
    credit: u64,
    /// DATA bytes that the host may still send.
    window: u64,
    /// The window's size, counted against the connection's.
    granted: u64,
    /// The size that it is to have once there is room.
    wanted: u64,
    /// Bytes consumed here and not yet granted again.
    consumed: u64,
    /// Frames to be sent before anything of the view: kind, lane, payload.
    queue: VecDeque<(FrameType, u8, Vec<u8>)>,
    pub view: Option<View>,
    outflow: Option<Outflow>,
    listed: bool,
    opened: bool,
}

#[derive(Debug)]
pub struct Connection {
    socket: UnixStream,
    interest: Interest,
    decoder: Decoder,
    batch: Vec<u8>,
    sent: usize,
    control: VecDeque<Vec<u8>>,
    streams: BTreeMap<u32, Stream>,
    /// Streams that may have something to send, in the order of their turns.
    turns: VecDeque<u32>,
    last_host_stream: u32,
    granted: u64,
    pub welcomed: bool,
    /// Objects whose viewers have moved on since this was last taken.
    pub moved: BTreeSet<ObjectId>,
    /// Streams whose pipes were found empty.
    dry: Vec<u32>,
}

impl Connection {
    /// Takes a socket that is greeted and watched for reading, and what came after the greeting.
    pub fn new(socket: UnixStream, rest: &[u8]) -> Self {
        let mut decoder = Decoder::default();
        decoder.push(rest);
        Connection {
            socket,
            interest: Interest::Read,
            decoder,
            batch: Vec::new(),
            sent: 0,
            control: VecDeque::new(),
            streams: BTreeMap::new(),
            turns: VecDeque::new(),
            last_host_stream: 0,
            granted: 0,
            welcomed: false,
            moved: BTreeSet::new(),
            dry: Vec::new(),
        }
    }

    /// Reads what is there, as far as the decoder has room. False where nothing was.
    pub fn receive(&mut self) -> Result<bool> {
        match self.socket.read(self.decoder.room()) {
            Ok(0) => Err(Error::Closed),
            Ok(length) => {
                self.decoder.filled(length);
                Ok(true)
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(false)
            }
            Err(_) => Err(Error::Closed),
        }
    }

    /// The frames received, for the time of acting on them.
    pub fn take_decoder(&mut self) -> Decoder {
        std::mem::take(&mut self.decoder)
    }

    pub fn return_decoder(&mut self, decoder: Decoder) {
        self.decoder = decoder;
    }

    pub fn stream(&mut self, id: u32) -> Option<&mut Stream> {
        self.streams.get_mut(&id)
    }

    pub fn view(&self, id: u32) -> Option<&View> {
        self.streams.get(&id)?.view.as_ref()
    }

    /// Ends the watching of the socket.
    pub fn forget(&self, poller: &Poller) {
        poller.forget(&self.socket);
    }

    pub fn contains(&self, id: u32) -> bool {
        self.streams.contains_key(&id)
    }

    /// Checks and records a stream that the host opens.
    pub fn open(&mut self, id: u32, credit: u32) -> Result<()> {
        if id % 2 == 0 || id <= self.last_host_stream {
            return Err(Error::Broken("a stream id that is used or not the host's"));
        }
        if u64::from(credit) > MAX_INITIAL {
            return Err(Error::Broken("an initial window that is too large"));
        }
        if self.streams.len() >= MAX_STREAMS {
            return Err(Error::Broken("too many streams open"));
        }
        self.last_host_stream = id;
        let stream = Stream {
            credit: u64::from(credit),
            ..Stream::default()
        };
        self.streams.insert(id, stream);
        Ok(())
    }

    /// Shows an object on a stream from an offset on; OPENED must have been queued.
    pub fn show(&mut self, id: u32, object: ObjectId, cursor: Cursor) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let started = false;
        stream.view = Some(View {
            object,
            cursor,
            started,
        });
        self.touch(id);
    }

    /// Ends a stream with a reason.
    pub fn reset(
        &mut self,
        id: u32,
        reason: ResetReason,
        code: &str,
        message: &str,
    ) -> Option<View> {
        let reset = Reset {
            reason: reason.into(),
            code: code.into(),
            message: clipped(message, 4_096).into(),
        };
        let mut bytes = Vec::new();
        frame::append(&mut bytes, id, FrameType::Reset, 0, &reset.encode_to_vec());
        self.control.push_back(bytes);
        self.close(id)
    }

    /// Ends a stream by which a file has come in.
    pub fn file_written(&mut self, id: u32, size: u64) {
        let body = Some(stream_event::Body::FileWritten(FileWritten { size }));
        let event = StreamEvent { body }.encode_to_vec();
        let mut bytes = Vec::new();
        frame::append(&mut bytes, id, FrameType::Event, 0, &event);
        frame::append(&mut bytes, id, FrameType::End, 0, &[]);
        self.control.push_back(bytes);
        self.close(id);
    }

    /// Puts a frame of a captured connection behind what is encoded already.
    pub fn append(&mut self, stream: u32, kind: FrameType, payload: &[u8]) {
        frame::append(&mut self.batch, stream, kind, 0, payload);
    }

    /// Bytes that are encoded and not yet written.
    pub fn pending(&self) -> usize {
        self.batch.len() - self.sent
    }

    /// Watches for room in the socket until the next flush.
    pub fn wait_for_room(&mut self, poller: &Poller) -> Result<()> {
        poller.watch(&self.socket, Source::Channel, self.interest, Interest::Both)?;
        self.interest = Interest::Both;
        Ok(())
    }

    /// Queues a control message.
    pub fn control(&mut self, id: u64, body: agent_control::Body) {
        let message = AgentControl {
            id,
            body: Some(body),
        };
        let mut bytes = Vec::new();
        frame::append(
            &mut bytes,
            0,
            FrameType::Control,
            0,
            &message.encode_to_vec(),
        );
        self.control.push_back(bytes);
    }

    /// Whether control messages that can wait should.
    pub fn busy(&self) -> bool {
        self.control.len() > 16 || self.batch.len() - self.sent > BATCH / 2
    }

    /// Gives a stream a turn.
    pub fn touch(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.listed) {
            stream.listed = true;
            self.turns.push_back(id);
        }
    }
}

/// The longest beginning of a text that has at most `most` bytes.
pub fn clipped(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
