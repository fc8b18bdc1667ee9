//! Files of the sandbox that the agent itself reads and writes. The tenant owns the file system, so nothing here waits
//! on a FIFO or device, follows a symlink at the end of a path when writing, or reads more than it was asked to.

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

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
