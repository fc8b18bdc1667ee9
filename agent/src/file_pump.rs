//! The child that carries one whole file between the file system and the agent, as the user whose rights apply.
//!
//! It moves the content by splice: out of the sandbox the pipe then holds the file's own pages, and into it the copy from the
//! pipe to the file is the only one. The agent itself never touches the file: a disk that is slow or throttled would hold up
//! all that it does for the sandbox.

use crate::draft::Draft;
use crate::file_task::target;
use crate::kept_file;
use crate::spawn;
use crate::sys;
use crate::users::{Switching, User};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::SpliceFlags;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// What one splice moves at most.
const PIECE: usize = 512 << 10;
/// What is read at once where nothing can be spliced.
const COPIED: usize = 64 << 10;
const DATA: i32 = 3;
const CONTROL: i32 = 4;
/// Descriptors are moved out of the way of the fixed numbers before they are put there.
const OUT_OF_THE_WAY: i32 = 64;
const REPORT: usize = 9;

/// What the child is to do.
#[derive(Debug)]
pub enum FilePump {
    Out {
        path: PathBuf,
    },
    In {
        path: PathBuf,
        mode: u32,
        make_directories: bool,
        /// Distinguishes this write's temporary file from all others'.
        id: u64,
    },
}

/// What the child says, one message each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The file is there and may be read or written. Of a file that is read: its size, where it has one.
    Opened(Option<u64>),
    /// All was carried: so many bytes.
    Done(u64),
    /// The error's number.
    Failed(i32),
}

impl Report {
    pub fn encode(self) -> [u8; REPORT] {
        let (kind, value) = match self {
            Report::Opened(None) => (0, 0),
            Report::Opened(Some(size)) => (1, size),
            Report::Done(size) => (2, size),
            Report::Failed(errno) => (3, errno as u64),
        };
        let mut bytes = [kind; REPORT];
        bytes[1..].copy_from_slice(&value.to_be_bytes());
        bytes
    }

    /// None for what no child says.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, value) = bytes.split_first()?;
        let value = u64::from_be_bytes(*value.first_chunk()?);
        Some(match kind {
            0 => Report::Opened(None),
            1 => Report::Opened(Some(value)),
            2 => Report::Done(value),
            3 => Report::Failed(value as i32),
            _ => return None,
        })
    }
}

impl FilePump {
    /// Becomes the user, carries the file, says how it went, and ends: for a forked child only.
    pub fn run(&self, user: &User, switching: Switching, data: &OwnedFd, control: &OwnedFd) -> ! {
        spawn::prefer_as_victim();
        let Ok((data, control)) = keep(data, control) else {
            sys::exit_now(1)
        };
        let done = spawn::assume(user, switching).and_then(|()| self.carry(data, &control));
        let last = match done {
            Ok(size) => Report::Done(size),
            Err(error) => Report::Failed(error.raw_os_error().unwrap_or(libc::EIO)),
        };
        let _ = say(&control, last);
        sys::exit_now(0)
    }

    fn carry(&self, data: OwnedFd, control: &OwnedFd) -> io::Result<u64> {
        match self {
            FilePump::Out { path } => send(path, data, control),
            FilePump::In {
                path,
                mode,
                make_directories,
                id,
            } => {
                let target = target(path)?;
                if *make_directories && target.file_name().is_some() {
                    std::fs::create_dir_all(target.parent().unwrap_or(Path::new("/")))?;
                }
                let mut draft = Draft::open(&target, *id)?;
                say(control, Report::Opened(None))?;
                let size = fill(draft.file(), data)?;
                // The pipe has ended, be it that all came or that nobody wants the file any more: only the word decides.
                if rustix::io::read(control, &mut [0; 1])? == 0 {
                    return Err(Errno::CANCELED.into());
                }
                draft.publish(*mode)?;
                Ok(size)
            }
        }
    }
}

fn keep(data: &OwnedFd, control: &OwnedFd) -> io::Result<(OwnedFd, OwnedFd)> {
    let data = sys::duplicate_above(sys::number(data), OUT_OF_THE_WAY)?;
    let control = sys::duplicate_above(sys::number(control), OUT_OF_THE_WAY)?;
    sys::duplicate_to(data, DATA)?;
    sys::duplicate_to(control, CONTROL)?;
    sys::close_from(CONTROL + 1)?;
    Ok((sys::adopt(DATA)?, sys::adopt(CONTROL)?))
}

fn say(control: &OwnedFd, report: Report) -> io::Result<()> {
    Ok(rustix::io::write(control, &report.encode()).map(drop)?)
}

fn send(path: &Path, pipe: OwnedFd, control: &OwnedFd) -> io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = kept_file::regular(rustix::fs::open(path, flags, Mode::empty())?)?;
    let size = file.metadata()?.len();
    if size == 0 {
        return send_unsized(&mut file, pipe, control);
    }
    say(control, Report::Opened(Some(size)))?;
    let mut left = size;
    while left > 0 {
        let piece = left.min(PIECE as u64) as usize;
        let moved = match splice(&file, &pipe, piece) {
            Err(Errno::INVAL) => copy(&mut file, &pipe, piece.min(COPIED))?,
            other => other?,
        };
        if moved == 0 {
            return Err(Errno::STALE.into());
        }
        left -= moved as u64;
    }
    Ok(size)
}

/// Files of /proc say that they are empty; the first reading tells whether one is.
fn send_unsized(file: &mut File, pipe: OwnedFd, control: &OwnedFd) -> io::Result<u64> {
    let mut buffer = vec![0; COPIED];
    let mut length = file.read(&mut buffer)?;
    say(control, Report::Opened((length == 0).then_some(0)))?;
    let mut pipe = File::from(pipe);
    let mut size = 0;
    while length > 0 {
        pipe.write_all(buffer.get(..length).unwrap_or_default())?;
        size += length as u64;
        length = file.read(&mut buffer)?;
    }
    Ok(size)
}

/// Takes what the pipe brings until its end; gives how much it was.
fn fill(file: &mut File, pipe: OwnedFd) -> io::Result<u64> {
    let mut size = 0;
    loop {
        let moved = match splice(&pipe, &*file, PIECE) {
            Err(Errno::INVAL) => return copy_rest(file, pipe, size),
            other => other?,
        };
        if moved == 0 {
            return Ok(size);
        }
        size += moved as u64;
    }
}

fn splice(
    from: impl std::os::fd::AsFd,
    to: impl std::os::fd::AsFd,
    length: usize,
) -> rustix::io::Result<usize> {
    rustix::io::retry_on_intr(|| {
        rustix::pipe::splice(&from, None, &to, None, length, SpliceFlags::empty())
    })
}

fn copy(file: &mut File, pipe: &OwnedFd, most: usize) -> io::Result<usize> {
    let mut buffer = vec![0; most];
    let length = file.read(&mut buffer)?;
    let mut rest = buffer.get(..length).unwrap_or_default();
    while !rest.is_empty() {
        let written = rustix::io::write(pipe, rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(length)
}

fn copy_rest(file: &mut File, pipe: OwnedFd, before: u64) -> io::Result<u64> {
    let mut pipe = File::from(pipe);
    let mut buffer = vec![0; COPIED];
    let mut size = before;
    loop {
        let length = pipe.read(&mut buffer)?;
        if length == 0 {
            return Ok(size);
        }
        file.write_all(buffer.get(..length).unwrap_or_default())?;
        size += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_says_is_understood_and_nothing_else() {
        for report in [
            Report::Opened(None),
            Report::Opened(Some(0)),
            Report::Opened(Some(u64::MAX)),
            Report::Done(7),
            Report::Failed(libc::ENOSPC),
        ] {
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
        assert_eq!(Report::decode(&[9; REPORT]), None);
        assert_eq!(Report::decode(&[0; 3]), None);
        assert_eq!(Report::decode(&[]), None);
    }
}
