//! Reading and writing one file, in a child that has become the user whose rights apply.
//!
//! The tenant owns the file system: nothing here waits on a FIFO or device, and the parent kills what takes too long.

use crate::kept_file;
use crate::spawn;
use crate::sys;
use crate::users::{Switching, User};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What the child is to do.
#[derive(Debug)]
pub enum FileTask {
    Read {
        path: PathBuf,
        offset: u64,
        limit: usize,
    },
    Write(FileWrite),
}

/// One message's part of a write.
#[derive(Debug)]
pub struct FileWrite {
    pub path: PathBuf,
    pub content: Vec<u8>,
    pub offset: u64,
    pub last: bool,
    pub mode: u32,
    pub make_directories: bool,
    /// Distinguishes this write's temporary file from all others'.
    pub id: String,
}

/// What a read gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FilePart {
    pub size: u64,
    pub end: bool,
    pub content: Vec<u8>,
}

impl FilePart {
    /// For the pipe to the parent: 0, the size, whether this is the end, the content; or 1 and the error's number.
    pub fn encode(result: &io::Result<FilePart>) -> Vec<u8> {
        match result {
            Ok(part) => {
                let mut bytes = vec![0];
                bytes.extend_from_slice(&part.size.to_be_bytes());
                bytes.push(u8::from(part.end));
                bytes.extend_from_slice(&part.content);
                bytes
            }
            Err(error) => {
                let mut bytes = vec![1];
                bytes.extend_from_slice(&error.raw_os_error().unwrap_or(libc::EIO).to_be_bytes());
                bytes
            }
        }
    }

    /// Reads `encode`'s form; a child that died in between has said nothing.
    pub fn decode(bytes: &[u8]) -> Option<Result<FilePart, i32>> {
        let (kind, rest) = bytes.split_first()?;
        if *kind == 1 {
            return Some(Err(i32::from_be_bytes(*rest.first_chunk()?)));
        }
        let (size, rest) = rest.split_first_chunk()?;
        let (end, content) = rest.split_first()?;
        Some(Ok(FilePart {
            size: u64::from_be_bytes(*size),
            end: *end == 1,
            content: content.to_vec(),
        }))
    }
}

impl FileTask {
    /// Becomes the user, does it, says how it went, and ends: for a forked child only.
    pub fn run(&self, user: &User, switching: Switching, writer: &OwnedFd) -> ! {
        spawn::prefer_as_victim();
        let keeper = sys::duplicate_to(sys::number(writer), 3)
            .and_then(|()| sys::close_from(4))
            .and_then(|()| sys::adopt(3));
        let Ok(keeper) = keeper else { sys::exit_now(1) };
        let result = spawn::assume(user, switching).and_then(|()| self.perform());
        let _ = std::fs::File::from(keeper).write_all(&FilePart::encode(&result));
        sys::exit_now(0)
    }

    fn perform(&self) -> io::Result<FilePart> {
        match self {
            FileTask::Read {
                path,
                offset,
                limit,
            } => read(path, *offset, *limit),
            FileTask::Write(write) => write.perform().map(|()| FilePart::default()),
        }
    }
}

fn read(path: &Path, offset: u64, limit: usize) -> io::Result<FilePart> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = kept_file::regular(rustix::fs::open(path, flags, Mode::empty())?)?;
    let mut content = vec![0; limit];
    let mut length = 0;
    while let Some(rest) = content.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(length as u64))? {
            0 => break,
            more => length += more,
        }
    }
    content.truncate(length);
    let size = file.metadata()?.len();
    // Files of /proc say that they are empty.
    let end = offset.saturating_add(length as u64) >= size && (size > 0 || length < limit);
    Ok(FilePart { size, end, content })
}

impl FileWrite {
    fn perform(&self) -> io::Result<()> {
        let target = target(&self.path)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(Errno::ISDIR.into());
        };
        if self.make_directories {
            std::fs::create_dir_all(parent)?;
        }
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}", self.id));
        let temporary = parent.join(temporary);
        let done = self.store(&temporary, &target);
        if done.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        done
    }

    fn store(&self, temporary: &Path, target: &Path) -> io::Result<()> {
        let file = match self.part(temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_done(target) => {
                return Ok(());
            }
            other => other?,
        };
        file.write_all_at(&self.content, self.offset)?;
        if self.last {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(self.mode & 0o7777))?;
            std::fs::rename(temporary, target)?;
        }
        Ok(())
    }

    /// The temporary file, begun or gone on with.
    fn part(&self, temporary: &Path) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        if self.offset == 0 {
            match std::fs::remove_file(temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let flags = flags | OFlags::CREATE | OFlags::EXCL;
            return Ok(File::from(rustix::fs::openat(
                CWD,
                temporary,
                flags,
                Mode::from_raw_mode(0o600),
            )?));
        }
        let file = kept_file::regular(rustix::fs::open(temporary, flags, Mode::empty())?)?;
        if file.metadata()?.len() < self.offset {
            return Err(Errno::SPIPE.into());
        }
        Ok(file)
    }

    /// Whether this, its last part, has been carried out before: a message may come twice.
    fn is_done(&self, target: &Path) -> bool {
        let whole = self.offset + self.content.len() as u64;
        self.last
            && self.offset > 0
            && std::fs::metadata(target).is_ok_and(|found| found.len() == whole)
    }
}

/// Where written content goes: through a symlink, as the user's own programs would write.
pub fn target(path: &Path) -> io::Result<PathBuf> {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(path.to_owned());
    };
    let kind = found.file_type();
    if kind.is_symlink() {
        let target = std::fs::canonicalize(path)?;
        return if std::fs::metadata(&target)?.is_file() {
            Ok(target)
        } else {
            Err(Errno::NXIO.into())
        };
    }
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(path.to_owned()),
        (_, true) => Err(Errno::ISDIR.into()),
        _ => Err(Errno::NXIO.into()),
    }
}

/// The code and message for an error of the system's.
pub fn explain(errno: i32) -> (&'static str, String) {
    let (code, message) = match errno {
        libc::ENOENT | libc::ENOTDIR | libc::ELOOP => (
            "no_such_file",
            "there is no file of this path in the sandbox",
        ),
        libc::EACCES | libc::EPERM | libc::EROFS => (
            "permission_denied",
            "the user may not read or write this path",
        ),
        libc::EISDIR => (
            "is_a_directory",
            "the path is a directory; name a file in it",
        ),
        libc::ENXIO | libc::ENODEV => (
            "not_a_file",
            "the path is neither a plain file nor a directory",
        ),
        libc::ENOSPC | libc::EDQUOT => (
            "disk_full",
            "the sandbox's disk is full; remove files, or give it more",
        ),
        libc::EFBIG => (
            "file_too_large",
            "the file would be larger than the sandbox's file system takes",
        ),
        libc::ESPIPE => (
            "invalid_request",
            "parts of a file must follow one another from offset 0 on",
        ),
        libc::ESTALE => (
            "invalid_request",
            "the file became shorter while it was read; read it again",
        ),
        libc::ENAMETOOLONG => (
            "invalid_request",
            "the path is longer than the system takes",
        ),
        _ => {
            let error = std::io::Error::from_raw_os_error(errno);
            return (
                "internal",
                format!("the file could not be read or written: {error}"),
            );
        }
    };
    (code, message.into())
}
