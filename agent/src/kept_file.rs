//! Files of the sandbox that the agent itself reads and writes. The tenant owns the file system, so nothing here waits
//! on a FIFO or device, follows a symlink at the end of a path when writing, or reads more than it was asked to.

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

const ONE_BLOCK: i64 = 4_096;

/// Reads a regular file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = regular(rustix::fs::open(path, flags, Mode::empty())?)?;
    let mut content = Vec::new();
    let length = file.take(limit + 1).read_to_end(&mut content)?;
    if length as u64 > limit {
        return Err(Errno::FBIG.into());
    }
    Ok(content)
}

/// Gives the descriptor back where it is a regular file's.
pub fn regular(fd: OwnedFd) -> io::Result<File> {
    match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
        FileType::RegularFile => Ok(File::from(fd)),
        FileType::Directory => Err(Errno::ISDIR.into()),
        _ => Err(Errno::NXIO.into()),
    }
}

/// Brings a small file to a content: in its place where it is a plain file of one name that nobody but its owner can
/// write, else by `replace`. For files of the sandbox's system at a claim, when no program reads them yet: a new file
/// and the old one's end cost the file system, and the host's disk behind it, half a millisecond each.
pub fn update(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let flags =
        OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::open(path, flags, Mode::empty())
        .map_err(io::Error::from)
        .and_then(regular)
    else {
        return replace(path, content, mode);
    };
    let found = rustix::fs::fstat(&file)?;
    let own = found.st_uid == rustix::process::geteuid().as_raw() && found.st_nlink == 1;
    let plain = own && found.st_mode & 0o7777 == mode && found.st_size <= ONE_BLOCK;
    if !plain || content.len() as i64 > ONE_BLOCK {
        return replace(path, content, mode);
    }
    let mut old = vec![0; found.st_size as usize];
    if file.read_exact_at(&mut old, 0).is_ok() && old == content {
        return Ok(());
    }
    file.write_all_at(content, 0)?;
    file.set_len(content.len() as u64)
}

/// Replaces a file as a whole: readers see the old or the new content. A symlink in its place is replaced, not followed.
///
/// Where the name is a mount of its own, which cannot be replaced, the file mounted there is rewritten.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::INVAL.into());
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(CWD, parent, flags, Mode::empty())?;
    let mut temporary = std::ffi::OsString::from(".msb-");
    temporary.push(name);
    match rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(&folder, &temporary, flags, Mode::from_raw_mode(0o600))?;
    let mut file = File::from(fd);
    let done = fill(&mut file, content, mode)
        .and_then(|()| Ok(rustix::fs::renameat(&folder, &temporary, &folder, name)?));
    if done.is_err() {
        let _ = rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty());
    }
    match done {
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => rewrite(&folder, name, content),
        other => other,
    }
}

fn fill(file: &mut File, content: &[u8], mode: u32) -> io::Result<()> {
    file.write_all(content)?;
    Ok(rustix::fs::fchmod(
        &*file,
        Mode::from_raw_mode(mode & 0o7777),
    )?)
}

fn rewrite(folder: &OwnedFd, name: &std::ffi::OsStr, content: &[u8]) -> io::Result<()> {
    let flags =
        OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = regular(rustix::fs::openat(folder, name, flags, Mode::empty())?)?;
    file.set_len(0)?;
    file.write_all(content)
}
