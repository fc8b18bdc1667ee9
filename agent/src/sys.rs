//! The system calls that no safe wrapper exists for. The only file with `unsafe`.
//!
//! The agent has one thread, so a forked child may go on running ordinary code until it execs or exits.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

const LAST_SIGNAL: libc::c_long = 64;

/// Which side of a fork this is.
pub enum Forked {
    Child,
    Parent(i32),
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Makes a copy of this process.
pub fn fork() -> io::Result<Forked> {
    // SAFETY: the process has a single thread, so the child's copy of every lock and of the heap is whole.
    match checked(unsafe { libc::fork() })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// Ends this process without running anything more of it: for forked children only.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit takes any number and does not return.
    unsafe { libc::_exit(code) }
}

/// Replaces this program; returns only why it could not.
pub fn exec(path: &CStr, argv: &[CString], environment: &[CString]) -> io::Error {
    let argv = pointers(argv);
    let environment = pointers(environment);
    // SAFETY: both arrays end in a null pointer and their strings outlive the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    let ends = std::iter::once(std::ptr::null());
    strings
        .iter()
        .map(|text| text.as_ptr())
        .chain(ends)
        .collect()
}

/// Makes `to` a copy of `from`, kept over exec.
pub fn duplicate_to(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: numbers only; forked children call this, and own none of their descriptors by a Rust type any more.
    checked(unsafe { libc::dup2(from, to) }).map(drop)
}

/// A copy of `from` at `least` or above, closed by exec.
pub fn duplicate_above(from: RawFd, least: RawFd) -> io::Result<RawFd> {
    // SAFETY: numbers only; a new descriptor cannot disturb an owned one.
    checked(unsafe { libc::fcntl(from, libc::F_DUPFD_CLOEXEC, least) })
}

/// Has exec close a descriptor.
pub fn close_on_exec(fd: RawFd) -> io::Result<()> {
    // SAFETY: numbers only; no descriptor is closed now.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) }).map(drop)
}

/// Closes every descriptor from `first` up: for forked children only, whose copies nobody uses any more.
pub fn close_from(first: RawFd) -> io::Result<()> {
    let (first, last, flags) = (
        first as libc::c_long,
        libc::c_long::from(u32::MAX),
        0 as libc::c_long,
    );
    // SAFETY: numbers only; the caller execs or exits without dropping what owned the descriptors.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    checked(result as libc::c_int).map(drop)
}

/// Takes a descriptor that this process inherited under a number.
pub fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: asks whether the number is open, no more.
    checked(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    // SAFETY: it is open, was passed for us to own, and is adopted once, at start.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Blocks every signal and gives the descriptor that reports those which the agent acts on.
pub fn signal_descriptor(signals: &[i32]) -> io::Result<OwnedFd> {
    let mut all = empty_set();
    let mut wanted = empty_set();
    // SAFETY: both sets are initialised and live for the calls.
    unsafe { libc::sigfillset(&mut all) };
    for &signal in signals {
        // SAFETY: as above; an invalid number is refused with an error.
        checked(unsafe { libc::sigaddset(&mut wanted, signal) })?;
    }
    // SAFETY: as above; the old mask is not asked for.
    checked(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &all, std::ptr::null_mut()) })?;
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    // SAFETY: as above; -1 asks for a new descriptor.
    let fd = checked(unsafe { libc::signalfd(-1, &wanted, flags) })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn empty_set() -> libc::sigset_t {
    // SAFETY: a set of zeros is a valid set, the empty one.
    unsafe { std::mem::zeroed() }
}

/// Gives a forked child the signal state that programs expect: nothing blocked, nothing ignored.
pub fn default_signals() {
    // The kernel's own form of an action, all zeros: the default one. The C library would refuse the numbers it keeps for
    // itself, which a careless parent may have ignored.
    let action = [0u64; 4];
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: the action is as large as the kernel reads for a set of eight bytes; the old one is not asked for.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                action.as_ptr(),
                std::ptr::null_mut::<u64>(),
                8usize,
            )
        };
    }
    // SAFETY: the set is initialised; the old mask is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &empty_set(), std::ptr::null_mut()) };
}

/// Sends a signal to a process, or to a group where the number is negative.
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: numbers only.
    checked(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Becomes another user for good. Groups first, while that is still allowed.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    // SAFETY: the pointer and length are one slice's.
    checked(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })?;
    // SAFETY: numbers only.
    checked(unsafe { libc::setresgid(gid, gid, gid) })?;
    // SAFETY: numbers only.
    checked(unsafe { libc::setresuid(uid, uid, uid) }).map(drop)
}

/// Tells the allocator to give large blocks back at once and to keep little, for the agent idles most of its life.
pub fn trim_allocator() {
    // SAFETY: sets tunables of the allocator, before any other thread could exist.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 * 1024);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 * 1024);
    }
}

/// The number behind a descriptor, for a forked child's arrangements.
pub fn number(fd: &impl AsRawFd) -> RawFd {
    fd.as_raw_fd()
}
