//! A file that is being written and has no name yet: whatever ends its writer, nothing is left of it.

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Draft {
    file: File,
    target: PathBuf,
    temporary: PathBuf,
    /// Whether the temporary name exists: from the beginning where the file system has no files without a name.
    named: bool,
}

impl Draft {
    /// Begins the file that is to be at `target`, in its folder, which must be there.
    pub fn open(target: &Path, id: u64) -> io::Result<Draft> {
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(Errno::ISDIR.into());
        };
        // Of a relative path this is the present folder; of a name alone the parent is empty.
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".msb-{id}"));
        let temporary = parent.join(temporary);
        let (fd, named) = match unnamed(parent) {
            Ok(fd) => (fd, false),
            // What the system says where the folder cannot have one; other reasons would come again below.
            Err(_) => (begin_named(&temporary)?, true),
        };
        Ok(Draft {
            file: File::from(fd),
            target: target.to_owned(),
            temporary,
            named,
        })
    }

    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it its permissions and puts it into its place, at once as far as others can see.
    pub fn publish(mut self, mode: u32) -> io::Result<()> {
        rustix::fs::fchmod(&self.file, Mode::from_raw_mode(mode & 0o7777))?;
        if !self.named {
            remove(&self.temporary)?;
            self.link()?;
            self.named = true;
        }
        std::fs::rename(&self.temporary, &self.target)?;
        self.named = false;
        Ok(())
    }

    fn link(&self) -> io::Result<()> {
        let open = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Ok(rustix::fs::linkat(
            CWD,
            open,
            CWD,
            &self.temporary,
            AtFlags::SYMLINK_FOLLOW,
        )?)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.named {
            let _ = remove(&self.temporary);
        }
    }
}

fn unnamed(parent: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
    rustix::fs::open(parent, flags, Mode::from_raw_mode(0o600))
}

fn begin_named(temporary: &Path) -> io::Result<OwnedFd> {
    remove(temporary)?;
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::EXCL
        | OFlags::NOFOLLOW
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    Ok(rustix::fs::open(
        temporary,
        flags,
        Mode::from_raw_mode(0o600),
    )?)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("msb-draft-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn a_named_draft_is_removed_with_its_writer_and_replaces_when_published() {
        let folder = folder();
        let (target, temporary) = (folder.join("file"), folder.join(".file.msb-1"));
        let draft = |file: OwnedFd| Draft {
            file: File::from(file),
            target: target.clone(),
            temporary: temporary.clone(),
            named: true,
        };
        drop(draft(begin_named(&temporary).unwrap()));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::write(&target, "old").unwrap();
        let mut named = draft(begin_named(&temporary).unwrap());
        named.file().write_all(b"new").unwrap();
        named.publish(0o640).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
