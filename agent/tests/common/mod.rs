//! A host's end of the channel, as plain as can be, and the real agent at the other.
#![allow(dead_code)]

use microsandbox_agent::frame::{self, Decoder, FrameType, Header};
use microsandbox_agent::wire::*;
use prost::Message;
use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub mod claims;
mod host;
mod reading;

#[allow(unused_imports)]
pub use host::{Host, accept, greet};
#[allow(unused_imports)]
pub use reading::Run;

/// Long enough for the slowest machine, short enough to end a hanging test.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const WINDOW: u32 = 256 << 10;

/// A folder of the test's own, removed with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "msb-agent-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What a killed agent started may take a moment to be gone, and its mounts with it.
        for _ in 0..100 {
            match std::fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    std::thread::sleep(Duration::from_millis(10))
                }
                _ => return,
            }
        }
    }
}

/// Whether a program is there; says so loudly where it is not.
pub fn installed(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed on this machine");
    }
    found
}

pub fn object_id() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = vec![0; 8];
    id.extend_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    id
}

pub fn cell(context: &str, code: &str) -> RunCell {
    RunCell {
        object_id: object_id(),
        context_id: context.into(),
        code: code.into(),
        ..RunCell::default()
    }
}

pub fn command(argv: &[&str]) -> StartProcess {
    StartProcess {
        object_id: object_id(),
        argv: argv.iter().map(|argument| argument.to_string()).collect(),
        ..StartProcess::default()
    }
}

pub fn shell(script: &str) -> StartProcess {
    command(&["sh", "-c", script])
}
