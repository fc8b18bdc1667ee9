//! Cells of a Node context, as far as agent and driver answer for them together.

mod common;

use common::claims::Words;
use microsandbox_agent::wire::*;
use std::time::Duration;

const WORDS: Words = Words {
    context: "node",
    program: "node",
    set: "x = 7; undefined",
    get: "x",
    hello: "console.log(\"hello\")",
    sleep: "await new Promise(() => setInterval(() => {}, 1000))",
    spin: "while (true) {}",
    resist: "require(\"child_process\").execFileSync(\"sh\", [\"-c\", \"trap '' INT; echo ready; sleep 1000\"], { stdio: \"inherit\" })",
    exit: "process.exit(3)",
    kill: "process.kill(process.pid, \"SIGKILL\"); while (true) {}",
    raise: "throw new Error(\"oops\")",
    lots: "for (let i = 0; i < 20000; i++) console.log(i + \" \" + \"x\".repeat(95))",
    endless: "while (true) console.log(\"x\".repeat(100))",
    sever: "for (let fd = 3; fd < 64; fd++) { try { require(\"fs\").closeSync(fd) } catch {} }; while (true) {}",
    late: "setTimeout(() => console.log(\"late\"), 500); undefined",
    late_child: "require(\"child_process\").spawn(\"sh\", [\"-c\", \"sleep 0.5; echo child\"], { stdio: \"inherit\" }); undefined",
    directory: "process.cwd()",
    configured: "console.log(process.env.CONFIGURED ?? \"None\")",
    start: (
        "NODE_PATH",
        "console.log(require(\"module\").globalPaths.find((path) => /^\\/(first|second|third)$/.test(path)))",
    ),
};

macro_rules! claims {
    ($($claim:ident),* $(,)?) => { $(#[test] fn $claim() { WORDS.$claim(); })* };
}

claims!(
    state_is_kept,
    an_error_ends_the_cell_and_keeps_the_state,
    a_sleep_is_interrupted_and_state_kept,
    a_loop_is_interrupted_and_state_kept,
    code_that_resists_is_killed_after_its_grace,
    endless_output_is_interrupted,
    a_process_that_exits_loses_its_state_and_is_replaced,
    a_lost_control_socket_is_a_dead_interpreter,
    cells_wait_in_their_order_and_can_be_taken_out_of_it,
    a_full_queue_refuses,
    a_slow_reader_makes_the_program_wait_and_loses_nothing,
    output_is_complete_before_the_end_however_large,
    a_cell_outlives_the_connection_and_is_attached_to_again,
    a_cell_sent_twice_runs_once,
    a_result_is_sent_again_to_who_attaches_before_it,
    a_detached_cell_goes_on,
    output_after_a_cell_is_background_output,
    a_childs_output_after_a_cell_is_background_output,
    an_interpreter_started_ahead_is_told_the_environment,
    an_interpreter_started_ahead_follows_a_change_of_directory,
    a_variable_of_the_start_renews_an_interpreter_started_ahead,
    further_contexts_are_opened_and_closed,
    a_missing_interpreter_is_said_to_be_missing,
    an_interpreter_that_dies_at_its_start_fails_its_cells_and_does_not_spin,
);

#[test]
fn source_longer_than_a_frame_comes_in_pieces() {
    WORDS.source_longer_than_a_frame_comes_in_pieces("//");
}

#[test]
fn a_cell_gives_output_then_the_value_of_its_last_expression() {
    let Some(mut host) = WORDS.host() else { return };
    let run = host.run("node", "console.log('hello')\n6 * 7");
    assert_eq!(
        (run.out().as_str(), run.value().as_str()),
        ("hello\n", "42")
    );
    assert_eq!(
        run.order,
        ["opened", "started", "stdout", "result", "finished"]
    );
}

#[test]
fn a_process_killed_by_an_abort_is_replaced() {
    let Some(mut host) = WORDS.host() else { return };
    let run = host.run("node", "process.abort()");
    assert_eq!(
        (run.outcome(), run.finished().state_lost),
        (Outcome::Signaled, true)
    );
    host.listen(Duration::from_millis(10));
    assert_eq!(host.run("node", "1 + 1").value(), "2");
}
