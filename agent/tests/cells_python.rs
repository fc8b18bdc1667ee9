//! Cells of a Python context, as far as agent and driver answer for them together.

mod common;

use common::claims::Words;
use common::*;
use microsandbox_agent::wire::*;
use std::time::Duration;

const WORDS: Words = Words {
    context: "python",
    program: "python3",
    set: "x = 7",
    get: "x",
    hello: "print(\"hello\")",
    sleep: "import time; time.sleep(1000)",
    spin: "while True: pass",
    resist: "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\nprint('ready', flush=True)\nwhile True: time.sleep(1)",
    exit: "import os; os._exit(3)",
    kill: "import os; os.kill(os.getpid(), 9)",
    raise: "raise ValueError(\"oops\")",
    lots: "for i in range(20000): print(i, \"x\" * 95)",
    endless: "while True: print(\"x\" * 100)",
    sever: "import os, time; os.closerange(3, 1024); time.sleep(1000)",
    late: "import threading; threading.Timer(0.5, print, [\"late\"]).start()",
    late_child: "import subprocess; p = subprocess.Popen([\"sh\", \"-c\", \"sleep 0.5; echo child\"])",
    directory: "import os; os.getcwd()",
    configured: "import os; print(os.environ.get(\"CONFIGURED\"))",
    start: (
        "PYTHONPATH",
        "import sys; print([p for p in sys.path if p in (\"/first\", \"/second\", \"/third\")][0])",
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
    WORDS.source_longer_than_a_frame_comes_in_pieces("#");
}

#[test]
fn a_cell_gives_output_then_the_value_of_its_last_expression() {
    let Some(mut host) = WORDS.host() else { return };
    let run = host.run("python", "print('hello')\n6 * 7");
    assert_eq!(
        (run.out().as_str(), run.value().as_str()),
        ("hello\n", "42")
    );
    assert_eq!(
        run.order,
        ["opened", "started", "stdout", "result", "finished"]
    );
    assert_eq!(run.finished().output_end, 6);
}

#[test]
fn sys_exit_ends_the_cell_and_keeps_the_interpreter() {
    let Some(mut host) = WORDS.host() else { return };
    host.run("python", "x = 7");
    let run = host.run("python", "import sys; sys.exit(3)");
    assert_eq!(
        (
            run.outcome(),
            run.finished().exit_code,
            run.finished().state_lost
        ),
        (Outcome::Exited, 3, false)
    );
    assert_eq!(host.run("python", "x").value(), "7");
}

#[test]
fn what_is_blocked_in_a_child_is_interrupted() {
    let Some(mut host) = WORDS.host() else { return };
    let (stream, id) = host.open_cell(
        "python",
        "import subprocess; subprocess.run(['sleep', '1000'])",
    );
    let mut run = Run::default();
    while run.started.is_none() {
        host.step(stream, &mut run, PATIENCE);
    }
    host.listen(Duration::from_millis(300));
    host.interrupt(&id, InterruptReason::Caller);
    while !host.step(stream, &mut run, PATIENCE) {}
    assert_eq!(
        (run.outcome(), run.finished().state_lost),
        (Outcome::Interrupted, false)
    );
    assert!(run.error.unwrap().name.contains("KeyboardInterrupt"));
}

#[test]
fn a_value_too_large_for_a_message_is_shortened_and_says_so() {
    let Some(mut host) = WORDS.host() else { return };
    let run = host.run("python", "'x' * 900000");
    let result = run.result.unwrap();
    let text = &result.data["text/plain"];
    assert!(
        text.len() <= 48 << 10 && text.contains("bytes left out"),
        "{}",
        text.len()
    );
    assert!(result.omitted.contains(&"text/plain".to_owned()));
    let run = host.run("python", "raise ValueError('y' * 900000)");
    assert!(run.error.unwrap().traceback.contains("bytes left out"));
}

#[test]
fn a_flood_of_background_output_is_bounded_and_counted() {
    let Some(mut host) = WORDS.host() else { return };
    let flood = "import subprocess; p = subprocess.Popen(['sh', '-c', 'sleep 0.3; head -c 5000000 /dev/zero; echo over'])";
    host.run("python", flood);
    // Nobody reads for a while: what the agent cannot keep is dropped.
    std::thread::sleep(Duration::from_millis(1500));
    let (text, dropped) = host.background("python", "over");
    assert_eq!(text.len() as u64 + dropped, 5_000_005);
    assert!(dropped > 0);
}

#[test]
fn a_forged_or_broken_message_is_no_more_than_a_dead_interpreter() {
    let Some(mut host) = WORDS.host() else { return };
    let find = "import os, socket, stat\nfds = [fd for fd in range(3, 4096) if os.path.exists(f'/proc/self/fd/{fd}') \
                and stat.S_ISSOCK(os.stat(fd).st_mode)]\n";
    let forge = |body: &str| {
        format!(
            "{find}for fd in fds:\n    try: os.write(fd, {body})\n    except OSError: pass\nimport time; time.sleep(1000)"
        )
    };
    for body in [
        "b'\\xff' * 12",
        "b'\\0\\0\\0\\3abc'",
        "b'\\0\\0\\0\\2[]'",
        "(b'\\0\\0\\0\\x05' + b'[[[[[') * 3",
    ] {
        let run = host.run("python", &forge(body));
        assert!(run.finished().state_lost, "{body}: {run:?}");
        assert_eq!(run.outcome(), Outcome::Signaled);
    }
    // Of a cell that never was: ignored.
    let frame = r#"(lambda t: len(t).to_bytes(4, 'big') + t)(b'{"type":"finished","id":999,"status":"ok"}')"#;
    let run = host.run(
        "python",
        &format!("{find}for fd in fds: os.write(fd, {frame})\nprint('on')"),
    );
    assert_eq!((run.out().as_str(), run.outcome()), ("on\n", Outcome::Ok));
}
