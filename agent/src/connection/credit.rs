//! Windows: what the host may send on each stream, what it lets us send, and the bound of all together.

use super::{Connection, MAX_INITIAL, Stream, View};
use crate::error::{Error, Result};
use crate::frame::FrameType;
use crate::wire::{Credit, Opened};
use prost::Message;

/// The channel's 8 MiB, less what captured connections may be granted.
const MAX_GRANTED: u64 = 3 << 20;
/// A file on its way in takes this part of what is left at most, so that one that nobody sends does not hold up others.
const PART_FOR_A_FILE: u64 = 8;
/// What the host may grant for one stream.
const MAX_CREDIT: u64 = 1 << 20;

impl Stream {
    fn grant(&mut self, bytes: u64) {
        if bytes > 0 {
            self.window += bytes;
            let credit = Credit {
                bytes: bytes as u32,
            };
            self.queue
                .push_back((FrameType::Credit, 0, credit.encode_to_vec()));
        }
    }
}

impl Connection {
    /// Queues OPENED, once, granting as much of `window` as there is room for; the rest follows when there is.
    pub fn opened(&mut self, id: u32, window: u64, offset: u64) {
        self.opened_as(id, window, |window| Opened {
            window,
            offset,
            size: None,
        });
    }

    /// The same for a file on its way in.
    pub fn opened_for_file(&mut self, id: u32) {
        let room = MAX_GRANTED.saturating_sub(self.granted);
        self.opened(id, MAX_INITIAL.min(room / PART_FOR_A_FILE), 0);
    }

    /// The same for a file on its way out, for which the host sends nothing.
    pub fn opened_file(&mut self, id: u32, size: Option<u64>) {
        self.opened_as(id, 0, |window| Opened {
            window,
            offset: 0,
            size,
        });
    }

    fn opened_as(&mut self, id: u32, window: u64, opened: impl FnOnce(u32) -> Opened) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.opened) else {
            return;
        };
        let room = MAX_GRANTED.saturating_sub(self.granted);
        let granted = window.min(MAX_INITIAL).min(room);
        self.granted += granted;
        stream.opened = true;
        stream.window = granted;
        stream.granted = granted;
        stream.wanted = window.min(MAX_INITIAL);
        let opened = opened(granted as u32).encode_to_vec();
        stream.queue.push_back((FrameType::Opened, 0, opened));
        self.touch(id);
    }

    /// Counts DATA of the host's against the window; true where the stream is still known.
    pub fn received(&mut self, id: u32, length: usize) -> Result<bool> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(false);
        };
        stream.window = stream
            .window
            .checked_sub(length as u64)
            .ok_or(Error::Broken("more data than was granted"))?;
        Ok(true)
    }

    /// Grants again what was consumed, once that is worth a frame.
    pub fn consumed(&mut self, id: u32, length: u64) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        stream.consumed += length;
        if stream.consumed * 2 >= stream.granted || stream.window == 0 {
            let bytes = std::mem::take(&mut stream.consumed);
            stream.grant(bytes);
            self.touch(id);
        }
    }

    /// Takes CREDIT of the host's.
    pub fn credited(&mut self, id: u32, bytes: u32) -> Result<()> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(());
        };
        stream.credit += u64::from(bytes);
        if stream.credit > MAX_CREDIT {
            return Err(Error::Broken("a window that is too large"));
        }
        self.touch(id);
        Ok(())
    }

    /// Forgets a stream; gives its view.
    pub fn close(&mut self, id: u32) -> Option<View> {
        let stream = self.streams.remove(&id)?;
        self.make_room(stream.granted);
        stream.view
    }

    /// No more DATA is expected on a stream that may stay open.
    pub fn release(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.wanted = 0;
            let granted = std::mem::take(&mut stream.granted);
            self.make_room(granted);
        }
    }

    /// Gives room that has become free to streams that were opened with less than they wanted.
    fn make_room(&mut self, bytes: u64) {
        self.granted = self.granted.saturating_sub(bytes);
        if bytes == 0 {
            return;
        }
        let mut room = MAX_GRANTED.saturating_sub(self.granted);
        let mut granted = Vec::new();
        for (id, stream) in &mut self.streams {
            let more = stream.wanted.saturating_sub(stream.granted).min(room);
            if more > 0 && stream.opened {
                room -= more;
                stream.granted += more;
                stream.grant(more);
                granted.push((*id, more));
            }
        }
        for (id, more) in granted {
            self.granted += more;
            self.touch(id);
        }
    }
}
