//! What a cell does, and how it ends.

use libtest_mimic::Trial;
use microsandbox::{
    AttachOptions, BaseSandbox, Outcome, RunEvent, RunOptions, SandboxError, StreamOptions,
};
use std::time::Duration;

use super::{limit, node, output, python, there_is_a_server, until_written, written};

pub fn trials() -> Vec<Trial> {
    crate::trials!("cells" after there_is_a_server:
        a_cell_that_raises_is_a_result,
        a_cell_streams_its_events_while_it_runs,
        a_cell_is_interrupted_when_its_events_are_dropped_and_state_is_kept,
        a_cell_is_interrupted_when_its_call_is_dropped_and_state_is_kept,
        a_cell_is_interrupted_by_its_id,
        a_cell_goes_on_without_its_client_and_is_attached_to,
        a_time_limit_interrupts_and_state_is_kept,
        a_cell_that_ends_its_interpreter_says_that_state_is_lost,
        endless_output_keeps_its_first_and_last_part,
    )
}

async fn a_cell_that_raises_is_a_result() {
    let mut sandbox = python().await;
    let execution = sandbox
        .run("y = 1\ninvalid_code_here\ny = 2", None)
        .await
        .expect("a run");
    assert!(execution.has_error());
    assert_eq!(
        (execution.status(), execution.outcome()),
        ("error", Outcome::Error)
    );
    assert_eq!(execution.raised().expect("an exception").name, "NameError");
    assert!(execution.error().await.expect("error").contains("<cell"));
    assert_eq!(output(&sandbox, "y").await, "1");
    sandbox.stop().await.expect("a stop");
}

async fn a_cell_streams_its_events_while_it_runs() {
    let mut sandbox = python().await;
    // It ends only once the test has seen what it printed before.
    let code = "import os, time\nprint('first', flush=True)\n\
        while not os.path.exists('seen'): time.sleep(0.01)\nprint('second')\n7";
    let mut events = sandbox
        .stream(
            code,
            Some(StreamOptions::default().timeout(Duration::from_secs(60))),
        )
        .await
        .expect("a stream");
    let mut seen = Vec::new();
    let mut is_told = false;
    while let Some(event) = events.next().await {
        let event = event.expect("an event");
        if matches!(event, RunEvent::Stdout { .. }) && !is_told {
            is_told = true;
            sandbox
                .files()
                .write("seen", "", None)
                .await
                .expect("a file");
        }
        seen.push(event);
    }
    assert!(
        matches!(seen.first(), Some(RunEvent::Started { id }) if Some(id.as_str()) == events.run_id())
    );
    let text: String = seen
        .iter()
        .filter_map(|event| {
            if let RunEvent::Stdout { text, .. } = event {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(text, "first\nsecond\n");
    let [
        ..,
        RunEvent::Result { data, .. },
        RunEvent::Finished(finished),
    ] = &seen[..]
    else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (
            data["text/plain"].as_str(),
            finished.outcome,
            finished.has_error
        ),
        ("7", Outcome::Ok, false)
    );
    sandbox.stop().await.expect("a stop");
}

/// Makes an attempt again where state was lost: what does not yield within a second, on a busy machine even what would, loses
/// its interpreter.
async fn state_is_kept_in_one_of_some(attempt: impl AsyncFn() -> bool) {
    for _ in 0..5 {
        if attempt().await {
            return;
        }
    }
    panic!("state was lost each time");
}

async fn a_cell_is_interrupted_when_its_events_are_dropped_and_state_is_kept() {
    state_is_kept_in_one_of_some(async || {
        let mut sandbox = python().await;
        let code = "marker = 1\nprint('go', flush=True)\nwhile True: pass";
        let mut events = sandbox.stream(code, None).await.expect("a stream");
        until_written(&mut events).await;
        drop(events);
        let marker = sandbox.run("marker", limit(60.0)).await.expect("a run");
        sandbox.stop().await.expect("a stop");
        marker.output().await.expect("output") == "1"
    })
    .await;
}

async fn a_cell_is_interrupted_when_its_call_is_dropped_and_state_is_kept() {
    state_is_kept_in_one_of_some(async || {
        let mut sandbox = node().await;
        output(&sandbox, "const kept = 5").await;
        let endless = sandbox.run("while (true) {}", None);
        assert!(
            tokio::time::timeout(Duration::from_millis(500), endless)
                .await
                .is_err()
        );
        let kept = sandbox.run("kept", limit(60.0)).await.expect("a run");
        sandbox.stop().await.expect("a stop");
        kept.output().await.expect("output") == "5"
    })
    .await;
}

async fn a_cell_is_interrupted_by_its_id() {
    let mut sandbox = python().await;
    let mut events = sandbox
        .stream("print('go', flush=True)\nwhile True: pass", None)
        .await
        .expect("a stream");
    until_written(&mut events).await;
    let id = events.run_id().expect("an id").to_owned();
    sandbox.interrupt(&id).await.expect("an interrupt");
    let (_, last) = written(events).await;
    assert!(
        matches!(&last, Some(RunEvent::Finished(end)) if end.outcome == Outcome::Interrupted),
        "{last:?}"
    );
    sandbox.interrupt(&id).await.expect("nothing to do");
    sandbox.stop().await.expect("a stop");
}

async fn a_cell_goes_on_without_its_client_and_is_attached_to() {
    let mut sandbox = python().await;
    let code = "import os, time\nprint('before', flush=True)\n\
        while not os.path.exists('go-on'): time.sleep(0.01)\nprint('after')";
    let options = StreamOptions::default().keep_running(true);
    let mut events = sandbox.stream(code, Some(options)).await.expect("a stream");
    let id = events.run_id().expect("an id").to_owned();
    let (mut seen, mut offset) = (String::new(), 0);
    while seen != "before\n" {
        if let RunEvent::Stdout {
            text, offset: end, ..
        } = events.next().await.expect("more").expect("an event")
        {
            seen += &text;
            offset = end.expect("where it ends");
        }
    }
    drop(events);
    let rest = sandbox
        .attach(&id, Some(AttachOptions::default().offset(offset)))
        .await
        .expect("the rest");
    let whole = sandbox.attach(&id, None).await.expect("the whole");
    sandbox
        .files()
        .write("go-on", "", None)
        .await
        .expect("a file");
    let (text, last) = written(rest).await;
    assert_eq!(text, "after\n");
    assert!(
        matches!(&last, Some(RunEvent::Finished(end)) if end.outcome == Outcome::Ok),
        "{last:?}"
    );
    assert_eq!(written(whole).await.0, "before\nafter\n");
    let unknown = sandbox.attach(&"0".repeat(32), None).await;
    assert!(matches!(unknown, Err(SandboxError::RunNotFound(_))));
    sandbox.stop().await.expect("a stop");
}

async fn a_time_limit_interrupts_and_state_is_kept() {
    async fn is_kept(sandbox: &mut dyn BaseSandbox, endless: &str) -> bool {
        sandbox.run("kept = 5", None).await.expect("a run");
        let execution = sandbox.run(endless, limit(0.5)).await.expect("a run");
        assert!(
            execution.timed_out() && execution.has_error(),
            "{execution:?}"
        );
        let kept = sandbox.run("kept", limit(60.0)).await.expect("a run");
        assert_eq!(kept.has_error(), execution.state_lost());
        sandbox.stop().await.expect("a stop");
        kept.output().await.expect("output") == "5"
    }
    state_is_kept_in_one_of_some(async || is_kept(&mut python().await, "while True: pass").await)
        .await;
    state_is_kept_in_one_of_some(async || is_kept(&mut node().await, "while (true) {}").await)
        .await;
}

async fn a_cell_that_ends_its_interpreter_says_that_state_is_lost() {
    let mut sandbox = python().await;
    let execution = sandbox
        .run("import os; os._exit(7)", None)
        .await
        .expect("a run");
    assert_eq!(
        (
            execution.outcome(),
            execution.exit_code(),
            execution.state_lost()
        ),
        (Outcome::Exited, Some(7), true)
    );
    assert_eq!(output(&sandbox, "1").await, "1");
    sandbox.stop().await.expect("a stop");
}

async fn endless_output_keeps_its_first_and_last_part() {
    let mut sandbox = python().await;
    let options = RunOptions::default().output_limit(10_000);
    let code = "for i in range(300000): print('line', i)";
    let execution = sandbox.run(code, Some(options)).await.expect("a run");
    let stdout = execution.stdout();
    assert!(stdout.starts_with("line 0\n") && stdout.ends_with("line 299999\n"));
    assert!(stdout.len() < 12_000 && execution.left_out() > 3_000_000);
    sandbox.stop().await.expect("a stop");
}
