//! The sending side: control first, then the streams in turn, a frame each, all in few writes.

use super::Connection;
use super::outflow::Turn;
use crate::error::{Error, Result};
use crate::frame::{self, FrameType};
use crate::object::Objects;
use crate::output::Item;
use crate::poll::{Interest, Poller, Source};
use crate::wire::{StreamEvent, stream_event};
use prost::Message;
use std::io::{ErrorKind, Write};

/// What is encoded ahead of the socket.
pub(super) const BATCH: usize = 128 * 1024;
/// What an idle connection keeps of that.
const IDLE: usize = 8 * 1024;
/// What one turn of the loop writes before it looks at the other sources again.
const TURN: usize = 1 << 20;
/// More answers than this under way means that the host asks without reading.
const MAX_CONTROL: usize = 4_096;

impl Connection {
    /// Writes what there is to write, as far as the socket and this turn allow.
    pub fn flush(&mut self, objects: &mut Objects, poller: &Poller) -> Result<()> {
        if self.control.len() > MAX_CONTROL {
            return Err(Error::Broken("answers are not read"));
        }
        let mut written = 0;
        while written < TURN {
            self.fill(objects);
            let Some(rest) = self.batch.get(self.sent..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            match self.socket.write(rest) {
                Ok(length) => {
                    self.sent += length;
                    written += length;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Err(Error::Closed),
            }
        }
        self.watch_dry(poller);
        let interest = if self.sent < self.batch.len() || written >= TURN {
            Interest::Both
        } else {
            Interest::Read
        };
        poller.watch(&self.socket, Source::Channel, self.interest, interest)?;
        self.interest = interest;
        Ok(())
    }

    fn fill(&mut self, objects: &mut Objects) {
        if self.sent == self.batch.len() {
            // Not what has just been filled and written: there is probably more to come, and memory is dear to get anew.
            if self.batch.is_empty() && self.control.is_empty() && self.turns.is_empty() {
                self.batch.shrink_to(IDLE);
            }
            self.batch.clear();
            self.sent = 0;
        }
        while self.batch.len() < BATCH {
            if let Some(frame) = self.control.pop_front() {
                self.batch.extend_from_slice(&frame);
                continue;
            }
            let Some(id) = self.turns.pop_front() else {
                break;
            };
            if self.serve(id, objects) {
                self.turns.push_back(id);
            } else if let Some(stream) = self.streams.get_mut(&id) {
                stream.listed = false;
            }
        }
    }

    /// Sends one frame of a stream; false where it has none now.
    fn serve(&mut self, id: u32, objects: &mut Objects) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else {
            return false;
        };
        if let Some((kind, lane, payload)) = stream.queue.pop_front() {
            frame::append(&mut self.batch, id, kind, lane, &payload);
            return true;
        }
        if let Some(outflow) = stream.outflow.as_mut() {
            match outflow.serve(&mut self.batch, id, &mut stream.credit) {
                Turn::Sent => return true,
                Turn::Held => {}
                Turn::Dry => self.dry.push(id),
                Turn::Over => {
                    frame::append(&mut self.batch, id, FrameType::End, 0, &[]);
                    self.close(id);
                }
            }
            return false;
        }
        let Some(view) = stream.view.as_mut() else {
            return false;
        };
        let Some(object) = objects.get_mut(&view.object) else {
            return false;
        };
        if let Some(started) = object.started.filter(|_| !view.started) {
            view.started = true;
            append_event(&mut self.batch, id, stream_event::Body::Started(started));
            return true;
        }
        match object
            .output
            .peek(&view.cursor, stream.credit.min(frame::MAX_PAYLOAD as u64))
        {
            Some(Item::Event(event)) => {
                frame::append(&mut self.batch, id, FrameType::Event, 0, event);
                object.output.advance(&mut view.cursor, 0);
            }
            Some(Item::Data(lane, bytes)) => {
                frame::append(&mut self.batch, id, FrameType::Data, lane, bytes);
                let length = bytes.len();
                stream.credit -= length as u64;
                object.output.advance(&mut view.cursor, length);
            }
            None => {
                let over = object.output.unread(&view.cursor) == 0;
                let Some(finished) = object.finished.filter(|_| over) else {
                    return false;
                };
                append_event(&mut self.batch, id, stream_event::Body::Finished(finished));
                frame::append(&mut self.batch, id, FrameType::End, 0, &[]);
                object.viewers.retain(|viewer| *viewer != id);
                self.close(id);
                return false;
            }
        }
        self.moved.insert(view.object);
        true
    }
}

fn append_event(batch: &mut Vec<u8>, id: u32, body: stream_event::Body) {
    let event = StreamEvent { body: Some(body) };
    frame::append(batch, id, FrameType::Event, 0, &event.encode_to_vec());
}
