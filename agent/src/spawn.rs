//! Starting a program as a user of the sandbox. What can fail fails in the child and is told through a pipe that exec closes.

use crate::error::{Error, Result};
use crate::not_started::Stage;
use crate::sys::{self, Forked};
use crate::users::{Switching, User};
use rustix::pipe::PipeFlags;
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

/// Descriptors are moved out of the way of the fixed numbers before they are put there.
const OUT_OF_THE_WAY: i32 = 64;
const VICTIM: i32 = 500;

/// A program to start.
#[derive(Debug)]
pub struct Launch<'a> {
    pub argv: Vec<CString>,
    pub environment: Vec<CString>,
    /// Where `argv[0]` without a slash is looked for.
    pub path: String,
    pub directory: CString,
    pub user: &'a User,
    pub switching: Switching,
    /// Become the child's descriptors from 0 up; it gets no others.
    pub descriptors: Vec<&'a OwnedFd>,
}

/// Starts the program and gives its pid and the reading end of its report.
pub fn start(launch: &Launch<'_>) -> Result<(i32, OwnedFd)> {
    let flags = PipeFlags::CLOEXEC;
    let (report, writer) =
        rustix::pipe::pipe_with(flags).map_err(|error| Error::system("make a pipe", error))?;
    rustix::io::ioctl_fionbio(&report, true)
        .map_err(|error| Error::system("prepare a pipe", error))?;
    match sys::fork() {
        Ok(Forked::Parent(pid)) => Ok((pid, report)),
        Ok(Forked::Child) => run(launch, &writer),
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
            let message =
                "the sandbox has reached its limit of processes; end some, or give it more";
            Err(Error::refused("too_many_processes", message))
        }
        Err(error) => Err(Error::system("start a process", error)),
    }
}

fn run(launch: &Launch<'_>, writer: &OwnedFd) -> ! {
    let (stage, errno) = match become_program(launch, writer) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    let mut report = vec![stage as u8];
    report.extend_from_slice(&errno.to_be_bytes());
    if let Ok(pipe) = sys::adopt(report_number(launch)) {
        let _ = File::from(pipe).write_all(&report);
    }
    sys::exit_now(127)
}

type Failure = (Stage, i32);

fn at(stage: Stage) -> impl Fn(std::io::Error) -> Failure {
    move |error| (stage, error.raw_os_error().unwrap_or(0))
}

fn become_program(
    launch: &Launch<'_>,
    writer: &OwnedFd,
) -> std::result::Result<std::convert::Infallible, Failure> {
    place_descriptors(launch, writer).map_err(at(Stage::Prepare))?;
    let _ = rustix::process::setsid();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    prefer_as_victim();
    sys::default_signals();
    assume(launch.user, launch.switching).map_err(at(Stage::User))?;
    let directory = launch.directory.as_c_str();
    rustix::process::chdir(directory).map_err(|error| (Stage::Directory, error.raw_os_error()))?;
    Err((Stage::Exec, search(launch)))
}

/// The report's number, one past those that the program is given.
fn report_number(launch: &Launch<'_>) -> i32 {
    launch.descriptors.len() as i32
}

fn place_descriptors(launch: &Launch<'_>, writer: &OwnedFd) -> std::io::Result<()> {
    let mut aside = Vec::with_capacity(launch.descriptors.len() + 1);
    for &fd in &launch.descriptors {
        aside.push(sys::duplicate_above(sys::number(fd), OUT_OF_THE_WAY)?);
    }
    aside.push(sys::duplicate_above(sys::number(writer), OUT_OF_THE_WAY)?);
    for (to, from) in (0..).zip(aside) {
        sys::duplicate_to(from, to)?;
    }
    sys::close_on_exec(report_number(launch))?;
    sys::close_from(report_number(launch) + 1)
}

/// Makes this process a likelier victim of the OOM killer than the agent, as far as that is allowed.
pub fn prefer_as_victim() {
    let path = "/proc/self/oom_score_adj";
    let own = std::fs::read_to_string(path)
        .ok()
        .and_then(|text| text.trim().parse::<i32>().ok());
    let score = own.unwrap_or(0).saturating_add(VICTIM).clamp(VICTIM, 1000);
    let _ = std::fs::write(path, score.to_string());
}

/// Gives up what the user may not have, for good.
pub fn assume(user: &User, switching: Switching) -> std::io::Result<()> {
    if switching == Switching::ByName {
        let kept = if user.uid == 0 {
            kept_by_root()
        } else {
            CapabilitySet::empty()
        };
        for capability in CapabilitySet::all().iter() {
            if !kept.contains(capability) {
                // Where this is refused, no-new-privileges below keeps exec from regaining anything.
                let _ = rustix::thread::remove_capability_from_bounding_set(capability);
            }
        }
        let _ = rustix::thread::clear_ambient_capability_set();
        sys::become_user(user.uid, user.gid, &user.groups)?;
        let held = rustix::thread::capabilities(None)?.permitted;
        let sets = CapabilitySets {
            effective: kept & held,
            permitted: kept & held,
            inheritable: CapabilitySet::empty(),
        };
        rustix::thread::set_capabilities(None, sets)?;
    }
    Ok(rustix::thread::set_no_new_privs(true)?)
}

/// What apt and the like need as root; NET_ADMIN above all is not among it.
fn kept_by_root() -> CapabilitySet {
    CapabilitySet::CHOWN
        | CapabilitySet::DAC_OVERRIDE
        | CapabilitySet::FOWNER
        | CapabilitySet::FSETID
        | CapabilitySet::SETUID
        | CapabilitySet::SETGID
        | CapabilitySet::KILL
}

/// Tries every place that the program may be at, as a shell does; gives the error that says most.
fn search(launch: &Launch<'_>) -> i32 {
    let Some(program) = launch.argv.first() else {
        return libc::ENOENT;
    };
    if program.as_bytes().contains(&b'/') {
        return attempt(launch, program);
    }
    let mut worst = libc::ENOENT;
    for folder in launch.path.split(':') {
        let folder = if folder.is_empty() { "." } else { folder };
        let mut candidate = folder.as_bytes().to_vec();
        candidate.push(b'/');
        candidate.extend_from_slice(program.as_bytes());
        let Ok(candidate) = CString::new(candidate) else {
            continue;
        };
        match attempt(launch, &candidate) {
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES => worst = libc::EACCES,
            other => return other,
        }
    }
    worst
}

fn attempt(launch: &Launch<'_>, path: &CStr) -> i32 {
    let errno = |error: std::io::Error| error.raw_os_error().unwrap_or(0);
    match errno(sys::exec(path, &launch.argv, &launch.environment)) {
        libc::ENOEXEC => errno(as_script(launch, path)),
        // The file is there, so it is its interpreter or loader that is missing.
        libc::ENOENT if rustix::fs::access(path, rustix::fs::Access::EXISTS).is_ok() => {
            libc::ENOEXEC
        }
        other => other,
    }
}

/// A text file without `#!` is the shell's.
fn as_script(launch: &Launch<'_>, path: &CStr) -> std::io::Error {
    let mut argv = vec![c"sh".to_owned(), path.to_owned()];
    argv.extend(launch.argv.iter().skip(1).cloned());
    sys::exec(c"/bin/sh", &argv, &launch.environment)
}
