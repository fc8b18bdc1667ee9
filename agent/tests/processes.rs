//! Commands: started, streamed, fed, signalled and ended.

mod common;

use common::*;
use microsandbox_agent::wire::*;

#[test]
fn a_command_gives_its_output_by_lane_and_its_exit_code() {
    let mut host = Host::start();
    let run = host.exec(shell("echo out; echo err >&2; exit 3"));
    assert_eq!((run.out().as_str(), run.err().as_str()), ("out\n", "err\n"));
    assert_eq!(
        (run.outcome(), run.finished().exit_code),
        (Outcome::Exited, 3)
    );
    assert_eq!(run.finished().output_end, 8);
    assert_eq!(run.order.first(), Some(&"opened"));
    assert!(run.started.unwrap().pid > 0);
}
