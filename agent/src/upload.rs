//! Cells whose source is longer than a frame: the rest follows as data of their stream.

use crate::agent::Agent;
use crate::error::{Error, Result};
use crate::link::Link;
use crate::object::ObjectId;
use crate::wire::{ResetReason, RunCell};

const MAX_CODE: u64 = 8 << 20;
const MAX_UPLOADS: usize = 32 << 20;

/// A cell's source that is not all there yet.
#[derive(Debug)]
pub struct Upload {
    request: RunCell,
    code: Vec<u8>,
    whole: usize,
}

impl Agent {
    /// Runs a cell, or waits for the rest of its source first.
    pub fn open_cell(&mut self, stream: u32, request: RunCell) -> Result<()> {
        let object = ObjectId::parse(&request.object_id)?;
        if request.code_length > MAX_CODE {
            return Err(Error::refused(
                "body_too_large",
                "a cell has at most 8 MiB of source; put the data in a file",
            ));
        }
        let whole = request.code_length as usize;
        if self.objects.get(&object).is_some() {
            return self.attach(stream, object, request.offset);
        }
        if whole <= request.code.len() {
            return self.run_cell(stream, request);
        }
        let waiting: usize = self.uploads.values().map(|upload| upload.whole).sum();
        if waiting + whole > MAX_UPLOADS {
            return Err(Error::refused(
                "too_many_cells",
                "too much source is on its way already; wait for some cells to start",
            ));
        }
        let code = request.code.clone().into_bytes();
        let window = (whole - code.len()) as u64;
        self.uploads.insert(
            stream,
            Upload {
                request,
                code,
                whole,
            },
        );
        if let Some(connection) = self.connection() {
            connection.opened(stream, window, 0);
        }
        Ok(())
    }

    /// Takes a piece of source; false where the stream carries none.
    pub fn upload(&mut self, stream: u32, bytes: &[u8]) -> bool {
        let Some(upload) = self.uploads.get_mut(&stream) else {
            return false;
        };
        upload.code.extend_from_slice(bytes);
        if upload.code.len() < upload.whole {
            if let Link::Up(connection) = &mut self.link {
                connection.consumed(stream, bytes.len() as u64);
            }
            return true;
        }
        if let Some(upload) = self.uploads.remove(&stream) {
            if let Err(error) = self.uploaded(stream, upload) {
                let (code, message) = error.answer();
                self.refuse(stream, ResetReason::Failed, code, &message);
            }
        }
        true
    }

    fn uploaded(&mut self, stream: u32, upload: Upload) -> Result<()> {
        if upload.code.len() > upload.whole {
            return Err(Error::refused(
                "invalid_request",
                "more source came than was announced",
            ));
        }
        let code = String::from_utf8(upload.code)
            .map_err(|_| Error::refused("invalid_request", "a cell's source must be UTF-8"))?;
        if let Some(connection) = self.connection() {
            connection.release(stream);
        }
        self.run_cell(
            stream,
            RunCell {
                code,
                ..upload.request
            },
        )
    }
}
