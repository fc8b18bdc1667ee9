//! An agent on a socket that it was passed: for tests, and for transports that connect to the agent.

mod common;

use common::*;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

#[test]
fn an_agent_with_a_passed_socket_ends_with_it() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
    command
        .args(["--fd", "0"])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .env("MSB_SANDBOX_ID", "passed");
    let mut agent = command.spawn().unwrap();
    drop(command);
    let (socket, hello, _) = greet(ours, b"noise");
    assert_eq!(hello.sandbox_id, "passed");
    drop(socket);
    assert!(agent.wait().unwrap().success());
}

#[test]
fn nonsense_on_the_command_line_is_refused() {
    for arguments in [
        vec!["--fd"],
        vec!["--fd", "x"],
        vec!["--fd", "77"],
        vec!["--what", "1"],
        vec!["--socket"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_agent"))
            .args(&arguments)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}
