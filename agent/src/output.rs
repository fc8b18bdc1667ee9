//! The kept output of a cell or process: the last of its bytes, and the events at their places among them.

use std::collections::VecDeque;

/// How much output is kept.
pub const TAIL: u64 = 1 << 20;
const CHUNK: usize = 32 * 1024;
const MAX_NOTES: usize = 256;
const MAX_NOTE_BYTES: usize = 1 << 20;

#[derive(Debug)]
struct Chunk {
    offset: u64,
    lane: u8,
    bytes: Vec<u8>,
}

impl Chunk {
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

#[derive(Debug)]
struct Note {
    number: u64,
    offset: u64,
    event: Vec<u8>,
}

/// A reader's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Of the next byte.
    pub offset: u64,
    /// Of the next event.
    note: u64,
}

/// What comes next at a place.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    Event(&'a [u8]),
    Data(u8, &'a [u8]),
}

/// Offsets count the bytes of both lanes together, from 0 at the object's start.
#[derive(Debug)]
pub struct Output {
    chunks: VecDeque<Chunk>,
    notes: VecDeque<Note>,
    note_bytes: usize,
    next_note: u64,
    end: u64,
    tail: u64,
}

impl Default for Output {
    fn default() -> Self {
        Output {
            chunks: VecDeque::new(),
            notes: VecDeque::new(),
            note_bytes: 0,
            next_note: 0,
            end: 0,
            tail: TAIL,
        }
    }
}

impl Output {
    pub fn start(&self) -> u64 {
        self.chunks.front().map_or(self.end, |chunk| chunk.offset)
    }

    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes of memory that the kept output takes.
    pub fn kept(&self) -> u64 {
        self.end - self.start() + self.note_bytes as u64
    }

    /// Adds output; what is past the tail is forgotten.
    pub fn append(&mut self, lane: u8, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = match self.chunks.back() {
                Some(last) if last.lane == lane => CHUNK.saturating_sub(last.bytes.len()),
                _ => 0,
            };
            if room == 0 {
                let (offset, bytes) = (self.end, Vec::new());
                self.chunks.push_back(Chunk {
                    offset,
                    lane,
                    bytes,
                });
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if let Some(last) = self.chunks.back_mut() {
                last.bytes.extend_from_slice(now);
            }
            self.end += now.len() as u64;
            bytes = later;
        }
        self.trim();
    }

    /// Adds an event at the present end. Events past the bound push out the oldest.
    pub fn note(&mut self, event: Vec<u8>) {
        self.note_bytes += event.len();
        self.notes.push_back(Note {
            number: self.next_note,
            offset: self.end,
            event,
        });
        self.next_note += 1;
        while self.notes.len() > MAX_NOTES || self.note_bytes > MAX_NOTE_BYTES {
            let Some(oldest) = self.notes.pop_front() else {
                break;
            };
            self.note_bytes -= oldest.event.len();
        }
    }

    /// Keeps less from now on.
    pub fn shrink(&mut self, tail: u64) {
        self.tail = self.tail.min(tail);
        self.trim();
    }

    fn trim(&mut self) {
        while let Some(first) = self.chunks.front() {
            if self.end - first.end() < self.tail || first.bytes.is_empty() {
                break;
            }
            self.chunks.pop_front();
        }
    }

    /// The place from which everything at or after `offset` comes, as far as it is kept.
    pub fn cursor(&self, offset: u64) -> Cursor {
        let first = self.notes.iter().find(|note| note.offset >= offset);
        Cursor {
            offset: offset.clamp(self.start(), self.end),
            note: first.map_or(self.next_note, |note| note.number),
        }
    }

    /// Bytes between a place and the end.
    pub fn unread(&self, cursor: &Cursor) -> u64 {
        self.end - cursor.offset.min(self.end)
    }

    /// Events between a place and the end.
    pub fn unread_notes(&self, cursor: &Cursor) -> u64 {
        self.next_note - cursor.note
    }

    /// What comes next at a place, data no longer than `credit` and one frame.
    pub fn peek(&self, cursor: &Cursor, credit: u64) -> Option<Item<'_>> {
        let note = self.notes.iter().find(|note| note.number >= cursor.note);
        if let Some(note) = note.filter(|note| note.offset <= cursor.offset) {
            return Some(Item::Event(&note.event));
        }
        let offset = cursor.offset.max(self.start());
        let index = self.chunks.partition_point(|chunk| chunk.end() <= offset);
        let chunk = self.chunks.get(index)?;
        let until = note.map_or(chunk.end(), |note| note.offset.min(chunk.end()));
        let length = (until - offset).min(credit) as usize;
        let from = (offset - chunk.offset) as usize;
        match chunk.bytes.get(from..from + length) {
            Some(bytes) if !bytes.is_empty() => Some(Item::Data(chunk.lane, bytes)),
            _ => None,
        }
    }

    /// Moves a place past what `peek` gave for it.
    pub fn advance(&self, cursor: &mut Cursor, data: usize) {
        if data > 0 {
            cursor.offset = cursor.offset.max(self.start()) + data as u64;
        } else {
            let note = self.notes.iter().find(|note| note.number >= cursor.note);
            cursor.note = note.map_or(self.next_note, |note| note.number + 1);
        }
    }
}
