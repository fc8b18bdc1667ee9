//! Output of a context outside of any cell: kept for the host as far as a bound, the oldest given up first.

use crate::wire::BackgroundOutput;
use std::collections::VecDeque;

const MAX_KEPT: usize = 256 << 10;
const MAX_MESSAGE: usize = 32 << 10;

#[derive(Debug, Default)]
pub struct Background {
    pieces: VecDeque<(u32, Vec<u8>)>,
    kept: usize,
    dropped: u64,
}

impl Background {
    pub fn add(&mut self, lane: u32, bytes: &[u8]) {
        self.kept += bytes.len();
        for part in bytes.chunks(MAX_MESSAGE) {
            match self.pieces.back_mut() {
                Some((last, kept)) if *last == lane && kept.len() + part.len() <= MAX_MESSAGE => {
                    kept.extend_from_slice(part)
                }
                _ => self.pieces.push_back((lane, part.to_vec())),
            }
        }
        while self.kept > MAX_KEPT {
            let Some((_, oldest)) = self.pieces.pop_front() else {
                break;
            };
            self.kept -= oldest.len();
            self.dropped += oldest.len() as u64;
        }
    }

    /// The next piece for the host.
    pub fn take(&mut self, context_id: &str) -> Option<BackgroundOutput> {
        let (lane, data) = self.pieces.pop_front()?;
        self.kept -= data.len();
        Some(BackgroundOutput {
            context_id: context_id.to_owned(),
            lane,
            data,
            dropped: std::mem::take(&mut self.dropped),
        })
    }
}
