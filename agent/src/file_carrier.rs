//! The child that carries a file, as the agent sees it: a pipe for the content and a socket for what is said about it.

use crate::error::{Error, Result};
use crate::file_pump::FilePump;
use crate::inflow::Inflow;
use crate::lane;
use crate::sys::{self, Forked};
use crate::users::{Switching, User};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::os::fd::OwnedFd;

/// Of a pipe; where the system grants less it stays as it is.
const PIPE: usize = 512 << 10;

/// Where a file goes.
#[derive(Debug)]
pub enum Way {
    /// Out; the pipe's end until OPENED, from when on the stream has it.
    Out(Option<OwnedFd>),
    In(Inflow),
}

/// A child at work on one file.
#[derive(Debug)]
pub struct Carrier {
    /// None once nobody wants the file any more.
    pub stream: Option<u32>,
    pub pid: i32,
    pub control: OwnedFd,
    pub way: Way,
    pub opened: bool,
    pub overdue: bool,
    /// How far it was when that was last looked at, and whether it was its turn.
    pub seen: (u64, bool),
}

impl Carrier {
    /// Starts a child for a stream; the handle is by which the loop knows the pipe.
    pub fn start(
        pump: &FilePump,
        user: &User,
        switching: Switching,
        (stream, handle): (u32, u64),
    ) -> Result<Self> {
        let (read, write) = lane::pipe()?;
        let _ = rustix::pipe::fcntl_setpipe_size(&read, PIPE);
        let (control, childs) = report_sockets()?;
        let out = matches!(pump, FilePump::Out { .. });
        let (ours, data) = if out { (read, write) } else { (write, read) };
        rustix::io::ioctl_fionbio(&ours, true)
            .map_err(|error| Error::system("prepare a pipe", error))?;
        let pid = match sys::fork() {
            Ok(Forked::Parent(pid)) => pid,
            Ok(Forked::Child) => pump.run(user, switching, &data, &childs),
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
                let message =
                    "the sandbox has reached its limit of processes; end some, or give it more";
                return Err(Error::refused("too_many_processes", message));
            }
            Err(error) => return Err(Error::system("start a process for a file", error)),
        };
        Ok(Carrier {
            stream: Some(stream),
            pid,
            control,
            way: if out {
                Way::Out(Some(ours))
            } else {
                Way::In(Inflow::new(ours, handle))
            },
            opened: false,
            overdue: false,
            seen: (0, false),
        })
    }
}

/// Whether nothing was done in between by one whose turn it was then and still is.
pub fn is_stalled(before: (u64, bool), now: (u64, bool)) -> bool {
    before.1 && now.1 && before.0 == now.0
}

fn report_sockets() -> Result<(OwnedFd, OwnedFd)> {
    let pair = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    );
    let (ours, childs) = pair.map_err(|error| Error::system("make a socket", error))?;
    rustix::io::ioctl_fionbio(&ours, true)
        .map_err(|error| Error::system("prepare a socket", error))?;
    Ok((ours, childs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_had_the_turn_all_the_time_and_did_nothing_is_stalled() {
        assert!(is_stalled((5, true), (5, true)));
        assert!(!is_stalled((5, true), (6, true)), "it got further");
        assert!(!is_stalled((5, false), (5, true)), "its turn has only come");
        assert!(!is_stalled((5, true), (5, false)), "its turn is over");
    }
}
