//! Starts the agent: as PID 1 of a sandbox from its environment, or by hand on a given socket.

#![deny(unsafe_code)]

use microsandbox_agent::agent::{Agent, Identity};
use microsandbox_agent::error::{Error, Result};
use microsandbox_agent::link::Dial;
use microsandbox_agent::sys;
use microsandbox_agent::users::Switching;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const CHANNEL: &str = "/.msb/channel/agent.sock";
const TUN: &str = "/dev/net/tun";
const USAGE: &str = "usage: agent [--fd N | --socket PATH] [--system-root FOLDER] [--tun NODE]; without any it is PID 1 of a sandbox";
/// After so many caught panics something is wrong for good, and the sandbox's end is the better answer.
const MAX_PANICS: u32 = 100;

fn main() -> ExitCode {
    sys::trim_allocator();
    match Options::parse().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How the agent was started.
struct Options {
    dial: Dial,
    /// Where /etc/hosts and the like are written, if anywhere.
    system_root: Option<PathBuf>,
    /// The TUN node to capture outbound connections with, if they are to be.
    tun: Option<PathBuf>,
}

impl Options {
    fn parse() -> Result<Self> {
        let channel = std::env::var_os("MSB_CHANNEL").map_or(CHANNEL.into(), PathBuf::from);
        let first = rustix::process::getpid().is_init();
        let mut options = Options {
            dial: Dial::Path(channel),
            system_root: first.then(|| PathBuf::from("/")),
            // A sandbox that is to reach nothing is given no node.
            tun: (first && Path::new(TUN).exists()).then(|| PathBuf::from(TUN)),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(usage)?;
            match name.as_str() {
                "--socket" => options.dial = Dial::Path(PathBuf::from(value)),
                "--fd" => options.dial = Dial::Once(Some(passed(&value)?)),
                "--tun" => options.tun = Some(PathBuf::from(value)),
                "--system-root" => options.system_root = Some(PathBuf::from(value)),
                _ => return Err(usage()),
            }
        }
        Ok(options)
    }
}

fn usage() -> Error {
    Error::refused("invalid_request", USAGE)
}

fn passed(number: &str) -> Result<UnixStream> {
    let number = number.parse().map_err(|_| usage())?;
    let socket = sys::adopt(number).map(UnixStream::from);
    let socket = socket.map_err(|error| Error::system("take the socket that was passed", error))?;
    let prepared = socket
        .set_nonblocking(true)
        .and_then(|()| sys::close_on_exec(number));
    prepared.map_err(|error| Error::system("prepare the socket that was passed", error))?;
    Ok(socket)
}

fn run(options: Options) -> Result<()> {
    let mut boot_id = [0; 16];
    rustix::rand::getrandom(&mut boot_id, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| Error::system("get random bytes", error))?;
    let identity = Identity {
        sandbox_id: std::env::var("MSB_SANDBOX_ID").unwrap_or_default(),
        boot_id,
    };
    let first = rustix::process::getpid().is_init();
    let switching = if first {
        Switching::ByName
    } else {
        Switching::Never
    };
    // So that nobody inside, root included, may trace this process or read its memory and descriptors.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    if !first {
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
    let mut agent = Agent::new(options.dial, identity, switching, options.system_root)?;
    if let Some(node) = options.tun {
        if let Err(error) = agent.capture(&node) {
            agent.diagnose(
                "error",
                &format!("this sandbox has no outbound network: {error}"),
            );
        }
    }
    serve(agent)
}

fn serve(mut agent: Agent) -> Result<()> {
    let mut panics = 0;
    agent.dial_now();
    while !agent.over {
        match catch_unwind(AssertUnwindSafe(|| agent.turn())) {
            Ok(done) => done?,
            Err(_) if panics < MAX_PANICS => {
                panics += 1;
                agent.diagnose(
                    "error",
                    "a bug of the agent's: it dropped its connection and goes on",
                );
                agent.hang_up();
            }
            Err(_) => return Err(Error::Broken("the agent failed too often")),
        }
    }
    Ok(())
}
