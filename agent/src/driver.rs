//! The interpreter drivers and the messages that they and the agent exchange: spec/driver.md.

use crate::error::{Error, Result};
use crate::wire::{CellError, CellResult};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where the host mounts the image's compiled driver, where it has one.
const COMPILED: &str = "/.msb/python-driver";
const MAX_FRAME: usize = 8 << 20;
const MAX_RESULT: usize = 48 << 10;
const MAX_FORMS: usize = 64;

/// A language that contexts are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
}

impl Language {
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "python" => Ok(Language::Python),
            "node" => Ok(Language::Node),
            _ => {
                let message =
                    format!("there are no interpreters of {name:?}; use \"python\" or \"node\"");
                Err(Error::refused("unknown_language", message))
            }
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Node => "node",
        }
    }

    /// The program and its arguments.
    pub fn command(self) -> Vec<&'static str> {
        match self {
            Language::Python => vec!["python3", "-u", "-c", include_str!("../repl/bootstrap.py")],
            Language::Node => vec!["node", "-e", include_str!("../repl/bootstrap.cjs")],
        }
    }

    fn source(self) -> &'static str {
        match self {
            Language::Python => include_str!("../repl/driver.py"),
            Language::Node => include_str!("../repl/driver.cjs"),
        }
    }

    /// What an interpreter reads its driver from: the image's compiled one where that is of this agent's text, for
    /// compiling takes as long as all else that Python does at its start.
    pub fn readable(self) -> Result<OwnedFd> {
        match self {
            Language::Python => compiled(Path::new(COMPILED), self.source())
                .map_or_else(|| self.sealed_source(), Ok),
            Language::Node => self.sealed_source(),
        }
    }

    /// The driver's text in memory that nobody can change any more, to be read from any number of interpreters.
    fn sealed_source(self) -> Result<OwnedFd> {
        let failed = |error| Error::system("keep a driver in memory", error);
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory =
            rustix::fs::memfd_create(self.name(), flags).map_err(|error| failed(error.into()))?;
        let mut file = File::from(memory);
        file.write_all(self.source().as_bytes()).map_err(failed)?;
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&file, seals).map_err(|error| failed(error.into()))?;
        Ok(file.into())
    }
}

/// Opens a compiled driver that begins with this text. What is not one, or of another text, is none; what stands in its
/// place is not trusted, for root in the sandbox may have put it there.
fn compiled(path: &Path, source: &str) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let mut begin = vec![0; 5 + source.len()];
    if !file.metadata().ok()?.is_file() || file.read_exact_at(&mut begin, 0).is_err() {
        return None;
    }
    let (head, text) = begin.split_at(5);
    let length = (source.len() as u32).to_be_bytes();
    let fits =
        head.first() == Some(&0) && head.get(1..) == Some(&length) && text == source.as_bytes();
    fits.then(|| file.into())
}

/// What a driver is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Order<'a> {
    Cell {
        id: u64,
        number: u32,
        code: &'a str,
    },
    Interrupt {
        id: u64,
    },
    Environment {
        set: BTreeMap<&'a str, Option<&'a str>>,
    },
    Exit,
}

impl Order<'_> {
    /// The frame, or a refusal where it would be too long.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let body =
            serde_json::to_vec(self).map_err(|error| Error::system("write to a driver", error))?;
        if body.len() > MAX_FRAME {
            return Err(Error::refused(
                "body_too_large",
                "the cell is larger than 8 MiB; put the data in a file",
            ));
        }
        let mut frame = (body.len() as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(&body);
        Ok(frame)
    }
}

/// What a driver says. Everything in it may have been forged by the tenant.
#[derive(Debug, Deserialize)]
pub struct Report {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub id: u64,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub exit_code: i64,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    data: BTreeMap<String, Box<RawValue>>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    traceback: String,
}

impl Report {
    fn parse(body: &[u8]) -> Result<Self> {
        serde_json::from_slice(body)
            .map_err(|_| Error::Broken("a driver's message that cannot be read"))
    }

    /// The result as the channel carries it: what does not fit is left out, the plain text shortened last.
    pub fn result(self) -> CellResult {
        let mut result = CellResult::default();
        let mut room = MAX_RESULT;
        let forms = self
            .data
            .into_iter()
            .filter(|(form, _)| form.len() <= 128)
            .take(MAX_FORMS);
        let (mut plain, mut others): (Vec<_>, Vec<_>) = forms
            .map(|(form, value)| (text(&form, &value), form))
            .partition(|(_, form)| form == "text/plain");
        if let Some((value, form)) = plain.pop() {
            let kept = shortened(&value, room);
            if kept.len() < value.len() {
                result.omitted.push(form.clone());
            }
            room = room.saturating_sub(kept.len());
            result.data.insert(form, kept);
        }
        others.sort_by_key(|(value, _)| value.len());
        for (value, form) in others {
            match room.checked_sub(value.len() + form.len()) {
                Some(rest) => {
                    room = rest;
                    result.data.insert(form, value);
                }
                None => result.omitted.push(form),
            }
        }
        result
    }

    /// The error as the channel carries it.
    pub fn error(self) -> CellError {
        CellError {
            name: shortened(&self.name, 256),
            message: shortened(&self.message, 8 << 10),
            traceback: shortened(&self.traceback, 40 << 10),
        }
    }
}

/// JSON stays JSON; every other form is a string, whose content is taken.
fn text(form: &str, value: &RawValue) -> String {
    if form == "application/json" {
        return value.get().to_owned();
    }
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// The beginning and the end of a text with a mark between, `most` bytes in all; short ones as they are.
pub fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let half = most.saturating_sub(64) / 2;
    let head = crate::connection::clipped(text, half);
    let mut from = text.len() - half;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let tail = text.get(from..).unwrap_or_default();
    let left_out = text.len() - head.len() - tail.len();
    format!("{head}\n… {left_out} bytes left out …\n{tail}")
}

/// Cuts a driver's messages out of what its socket gives.
#[derive(Debug, Default)]
pub struct Reports {
    bytes: Vec<u8>,
}

impl Reports {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn next_report(&mut self) -> Result<Option<Report>> {
        let Some((length, rest)) = self.bytes.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_FRAME {
            return Err(Error::Broken("a driver's message that is too long"));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let report = Report::parse(body)?;
        self.bytes.drain(..4 + length);
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
        Ok(Some(report))
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, compiled};
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("msb-driver-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn file(source: &str, more: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend_from_slice(&(source.len() as u32).to_be_bytes());
        bytes.extend_from_slice(source.as_bytes());
        bytes.extend_from_slice(more);
        bytes
    }

    #[test]
    fn a_compiled_driver_is_taken_where_it_is_of_the_same_text() {
        let folder = Folder::new("taken");
        let path = folder.0.join("driver");
        assert!(compiled(&path, "text").is_none(), "missing");
        for (bytes, taken) in [
            (file("text", b"code"), true),
            (file("text", b""), true),
            (file("tex", b"t"), false),
            (file("Text", b"code"), false),
            (b"\0\0\0\0\x04te".to_vec(), false),
            (b"text".to_vec(), false),
            (Vec::new(), false),
        ] {
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(compiled(&path, "text").is_some(), taken, "{bytes:?}");
        }
    }

    #[test]
    fn what_only_stands_in_its_place_is_passed_over() {
        let folder = Folder::new("passed-over");
        let real = folder.0.join("real");
        std::fs::write(&real, file("text", b"code")).unwrap();
        let link = folder.0.join("link");
        symlink(&real, &link).unwrap();
        assert!(compiled(&link, "text").is_none());
        assert!(compiled(&folder.0, "text").is_none());
        let pipe = folder.0.join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert!(compiled(&pipe, "text").is_none(), "and nobody waits");
    }

    #[test]
    fn every_language_can_be_read_without_one() {
        for language in [Language::Python, Language::Node] {
            language.sealed_source().unwrap();
        }
    }
}
