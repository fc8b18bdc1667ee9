//! Frames as they are on the wire: a header of twelve bytes and at most 64 KiB of payload.

use crate::error::{Error, Result};

pub const HEADER: usize = 12;
pub const MAX_PAYLOAD: usize = 65_536;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameType {
    Control = 1,
    Open = 2,
    Opened = 3,
    Data = 4,
    Event = 5,
    Credit = 6,
    End = 7,
    Reset = 8,
}

impl FrameType {
    fn of(byte: u8) -> Result<Self> {
        Ok(match byte {
            1 => Self::Control,
            2 => Self::Open,
            3 => Self::Opened,
            4 => Self::Data,
            5 => Self::Event,
            6 => Self::Credit,
            7 => Self::End,
            8 => Self::Reset,
            _ => return Err(Error::Broken("unknown frame type")),
        })
    }
}

/// A frame's header, already checked against every rule that needs no knowledge of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub stream: u32,
    pub kind: FrameType,
    /// Of DATA: 0 stdout, stdin or bytes; 1 stderr.
    pub lane: u8,
    pub length: usize,
}

impl Header {
    /// Reads and checks twelve bytes.
    pub fn parse(bytes: &[u8; HEADER]) -> Result<Self> {
        let [s0, s1, s2, s3, kind, lane, r0, r1, l0, l1, l2, l3] = *bytes;
        let header = Header {
            stream: u32::from_be_bytes([s0, s1, s2, s3]),
            kind: FrameType::of(kind)?,
            lane,
            length: u32::from_be_bytes([l0, l1, l2, l3]) as usize,
        };
        if r0 != 0 || r1 != 0 {
            return Err(Error::Broken("reserved bytes are not zero"));
        }
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<()> {
        if self.length > MAX_PAYLOAD {
            return Err(Error::Broken("frame too long"));
        }
        let highest_lane = u8::from(self.kind == FrameType::Data);
        if self.lane > highest_lane {
            return Err(Error::Broken("unknown flags"));
        }
        if (self.kind == FrameType::Control) != (self.stream == 0) {
            return Err(Error::Broken(
                "control frames belong on stream 0, all others elsewhere",
            ));
        }
        match self.kind {
            FrameType::Data if self.length == 0 => Err(Error::Broken("empty data frame")),
            FrameType::End if self.length != 0 => Err(Error::Broken("end frame with a payload")),
            _ => Ok(()),
        }
    }
}

/// Appends one frame. A payload past the limit is a bug of ours and is cut, so that it cannot break the channel.
pub fn append(out: &mut Vec<u8>, stream: u32, kind: FrameType, lane: u8, payload: &[u8]) {
    debug_assert!(payload.len() <= MAX_PAYLOAD);
    let payload = payload.get(..MAX_PAYLOAD).unwrap_or(payload);
    out.extend_from_slice(&header(stream, kind, lane, payload.len()));
    out.extend_from_slice(payload);
}

/// The header of a frame whose payload has this length.
pub fn header(stream: u32, kind: FrameType, lane: u8, length: usize) -> [u8; HEADER] {
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    let [l0, l1, l2, l3] = (length as u32).to_be_bytes();
    [s0, s1, s2, s3, kind as u8, lane, 0, 0, l0, l1, l2, l3]
}

/// What a decoder has room for at least: a frame, and the beginning of the next.
const ROOM: usize = MAX_PAYLOAD + 2 * HEADER;

/// Cuts frames out of a byte stream that arrives in pieces. Bytes are read into it and looked at where they are: what is
/// carried in large amounts is not copied here.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Decoder {
    /// Room to read into, never empty; `filled` says how much of it was used.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        if self.bytes.len() - self.end < ROOM {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            // Twice the room, so that what is left over is moved at every second reading at most.
            self.bytes
                .resize(self.bytes.len().max(self.end + 2 * ROOM), 0);
        }
        &mut self.bytes[self.end..]
    }

    /// Takes in the first `length` bytes of the room.
    pub fn filled(&mut self, length: usize) {
        self.end = self.bytes.len().min(self.end + length);
    }

    /// Adds what was received elsewhere.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room();
            let (taken, left) = bytes.split_at(bytes.len().min(room.len()));
            room[..taken.len()].copy_from_slice(taken);
            self.filled(taken.len());
            bytes = left;
        }
    }

    /// Bytes that are not a whole frame yet.
    pub fn rest(&self) -> usize {
        self.end - self.start
    }

    /// The next whole frame, or `None` until more has arrived.
    pub fn frame(&mut self) -> Result<Option<(Header, &[u8])>> {
        let rest = &self.bytes[self.start..self.end];
        let Some((head, body)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let header = Header::parse(head)?;
        let Some(payload) = body.get(..header.length) else {
            return Ok(None);
        };
        self.start += HEADER + header.length;
        Ok(Some((header, payload)))
    }

    /// The same, to keep.
    pub fn next_frame(&mut self) -> Result<Option<(Header, Vec<u8>)>> {
        let frame = self.frame()?;
        Ok(frame.map(|(header, payload)| (header, payload.to_vec())))
    }
}
