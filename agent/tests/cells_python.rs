//! Cells of a Python context, as far as agent and driver answer for them together.

mod common;

use common::*;
use microsandbox_agent::wire::*;

#[test]
fn a_cell_gives_output_and_the_value_of_its_last_expression() {
    if !installed("python3") {
        return;
    }
    let mut host = Host::start();
    let run = host.run("python", "print('hello')\n6 * 7");
    assert_eq!(run.out(), "hello\n");
    assert_eq!(run.value(), "42");
    assert_eq!(run.outcome(), Outcome::Ok);
    assert_eq!(
        run.order,
        ["opened", "started", "stdout", "result", "finished"]
    );
}
