//! How long a small cell takes through agent and driver, and in how many writes its answer comes.

mod common;

use common::*;
use microsandbox_agent::wire::*;
use std::time::{Duration, Instant};

/// The promise is half a millisecond through the whole server; this is the agent's part, on a machine that may be busy.
const MOST: Duration = Duration::from_millis(5);

fn best(context: &str, code: &str) -> Duration {
    let mut host = Host::start();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(host.run(context, code).outcome(), Outcome::Ok);
            began.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "{context}: best {:?}, median {:?}, 99th percentile {:?}",
        times[0], times[100], times[198]
    );
    times[20]
}

#[test]
fn a_small_python_cell_answers_at_once() {
    if installed("python3") {
        assert!(best("python", "print(1)") < MOST);
    }
}

#[test]
fn a_small_node_cell_answers_at_once() {
    if installed("node") {
        assert!(best("node", "console.log(1)") < MOST);
    }
}
