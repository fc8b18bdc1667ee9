//! Cells and processes as the host knows them: ids, output, outcome. They outlive streams and channels.

use crate::error::{Error, Result};
use crate::output::Output;
use crate::wire::{Finished, ObjectState, Started};
use std::collections::{BTreeMap, VecDeque};

const MAX_ENDED: usize = 1_024;
/// What all objects together may keep; past it the oldest ended ones lose their output first.
const MAX_KEPT: u64 = 64 << 20;
/// What an object nobody looks at is left with when that is not enough.
const SMALL_TAIL: u64 = 64 << 10;

/// Given by the host, unique for the sandbox's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId([u8; 16]);

impl ObjectId {
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes
            .try_into()
            .map_err(|_| Error::refused("invalid_request", "an object id has 16 bytes"))?;
        Ok(ObjectId(bytes))
    }
}

/// Which part of the agent runs an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runner {
    /// A process, by its handle.
    Process(u64),
    /// A cell, by its context's id.
    Context(String),
}

#[derive(Debug)]
pub struct Object {
    pub runner: Runner,
    pub output: Output,
    /// Streams of the present connection that show it.
    pub viewers: Vec<u32>,
    pub started: Option<Started>,
    pub finished: Option<Finished>,
}

#[derive(Debug, Default)]
pub struct Objects {
    all: BTreeMap<ObjectId, Object>,
    ended: VecDeque<ObjectId>,
}

impl Objects {
    pub fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.all.get(id)
    }

    pub fn get_mut(&mut self, id: &ObjectId) -> Option<&mut Object> {
        self.all.get_mut(id)
    }

    pub fn add(&mut self, id: ObjectId, runner: Runner) {
        let object = Object {
            runner,
            output: Output::default(),
            viewers: Vec::new(),
            started: None,
            finished: None,
        };
        self.all.insert(id, object);
    }

    /// Forgets an object that never came to be, or whose outcome the host has.
    pub fn remove(&mut self, id: &ObjectId) -> Option<Object> {
        self.ended.retain(|ended| ended != id);
        self.all.remove(id)
    }

    /// Forgets an outcome that the host has and gives the streams that still showed it; a living object stays.
    pub fn acknowledge(&mut self, id: &ObjectId) -> Vec<u32> {
        let ended = self.get(id).is_some_and(|object| object.finished.is_some());
        let forgotten = if ended { self.remove(id) } else { None };
        forgotten.map(|object| object.viewers).unwrap_or_default()
    }

    /// Records an outcome, for the first time only.
    pub fn finish(&mut self, id: &ObjectId, mut finished: Finished) {
        let Some(object) = self.all.get_mut(id) else {
            return;
        };
        if object.finished.is_some() {
            return;
        }
        finished.output_end = object.output.end();
        object.finished = Some(finished);
        self.ended.push_back(*id);
        if self.ended.len() > MAX_ENDED {
            if let Some(oldest) = self.ended.pop_front() {
                self.all.remove(&oldest);
            }
        }
        self.economise();
    }

    fn economise(&mut self) {
        let mut kept: u64 = self.all.values().map(|object| object.output.kept()).sum();
        let live: Vec<ObjectId> = self
            .all
            .iter()
            .filter(|(_, object)| object.finished.is_none())
            .map(|(id, _)| *id)
            .collect();
        let ended = self.ended.iter().map(|id| (*id, 0));
        let order: Vec<(ObjectId, u64)> = ended
            .chain(live.into_iter().map(|id| (id, SMALL_TAIL)))
            .collect();
        for (id, tail) in order {
            if kept <= MAX_KEPT {
                return;
            }
            let Some(object) = self
                .all
                .get_mut(&id)
                .filter(|object| object.viewers.is_empty())
            else {
                continue;
            };
            let before = object.output.kept();
            object.output.shrink(tail);
            kept -= before - object.output.kept();
        }
    }

    /// Forgets all viewers: the connection that they were on is gone.
    pub fn detach_all(&mut self) {
        for object in self.all.values_mut() {
            object.viewers.clear();
        }
    }

    /// For `Hello`: the living first, then the ended from the newest on, as many as a frame holds.
    pub fn states(&self, most: usize) -> Vec<ObjectState> {
        let living = self
            .all
            .iter()
            .filter(|(_, object)| object.finished.is_none());
        let ended = self
            .ended
            .iter()
            .rev()
            .filter_map(|id| Some((id, self.all.get(id)?)));
        living
            .chain(ended)
            .take(most)
            .map(|(id, object)| state(id, object))
            .collect()
    }

    pub fn ids(&self) -> Vec<ObjectId> {
        self.all.keys().copied().collect()
    }
}

fn state(id: &ObjectId, object: &Object) -> ObjectState {
    ObjectState {
        object_id: id.0.to_vec(),
        output_end: object.output.end(),
        finished: object.finished,
        context_id: match (&object.runner, &object.finished) {
            (Runner::Context(id), None) => id.clone(),
            _ => String::new(),
        },
    }
}
