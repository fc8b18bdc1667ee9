//! The crate against a real server, real isolation and real interpreters.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use libtest_mimic::Trial;
use microsandbox::{
    AttachOptions, BaseSandbox, CommandOptions, CommandStreamOptions, Context, ContextOptions,
    Encoding, ListOptions, Network, NodeSandbox, Outcome, PythonSandbox, RunEvent, RunEvents,
    RunOptions, SandboxError, SandboxOptions, SandboxState, Server, ServerOptions, StartOptions,
    StreamOptions, WriteOptions,
};

use crate::support::server::{TestServer, shared};

pub fn trials() -> Vec<Trial> {
    crate::trials!("sandboxes":
        state_is_kept_between_runs_and_the_end_is_known,
        a_sandbox_may_be_started_with_sizes,
        a_disk_is_kept_over_stop_and_start_where_it_is_not_ephemeral,
        the_unix_socket_serves_too,
        all_options_arrive,
        many_at_once_are_apart,
        a_name_has_one_owner,
        what_cannot_be_is_refused_by_its_code,
        a_sandbox_is_found_by_name_and_id,
        a_sandbox_that_a_question_mark_drops_is_gone,
        a_life_can_be_extended,
        a_log_has_what_was_written_outside_of_cells,
        a_cell_that_raises_is_a_result,
        a_cell_streams_its_events_while_it_runs,
        a_cell_is_interrupted_when_its_events_are_dropped_and_state_is_kept,
        a_cell_is_interrupted_when_its_call_is_dropped_and_state_is_kept,
        a_cell_is_interrupted_by_its_id,
        a_cell_goes_on_without_its_client_and_is_attached_to,
        a_time_limit_interrupts_and_state_is_kept,
        a_cell_that_ends_its_interpreter_says_that_state_is_lost,
        endless_output_keeps_its_first_and_last_part,
        contexts_have_states_of_their_own,
        commands_have_streams_exit_codes_users_and_environment,
        commands_stream_and_take_signals,
        files_are_written_and_read_as_they_are,
        metrics_are_numbers,
        a_server_tells_what_it_has,
        a_key_is_asked_for_without_development_mode,
    )
}

async fn python() -> PythonSandbox {
    python_with(|options| options).await
}

async fn python_with(change: impl FnOnce(SandboxOptions) -> SandboxOptions) -> PythonSandbox {
    let options = change(shared().options());
    let mut sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("options that can be");
    sandbox.start(None).await.expect("a start");
    sandbox
}

async fn node() -> NodeSandbox {
    let mut sandbox = NodeSandbox::create_with_options(shared().options())
        .await
        .expect("options that can be");
    sandbox.start(None).await.expect("a start");
    sandbox
}

fn limit(seconds: f64) -> Option<RunOptions> {
    Some(RunOptions::default().timeout(Duration::from_secs_f64(seconds)))
}

/// What a cell puts out, which has no error.
async fn output(sandbox: &impl BaseSandbox, code: &str) -> String {
    let execution = sandbox.run(code, limit(60.0)).await.expect("a run");
    assert!(!execution.has_error(), "{execution:?}");
    execution.output().await.expect("output")
}

/// Reads until something was written to standard output.
async fn until_written(events: &mut RunEvents) {
    while let Some(event) = events.next().await {
        if matches!(event.expect("an event"), RunEvent::Stdout { .. }) {
            return;
        }
    }
    panic!("nothing was written");
}

/// All that was written to standard output, and the last event.
async fn written(events: RunEvents) -> (String, Option<RunEvent>) {
    let events: Vec<RunEvent> = events.map(|event| event.expect("an event")).collect().await;
    let text = events.iter().filter_map(|event| match event {
        RunEvent::Stdout { text, .. } => Some(text.as_str()),
        _ => None,
    });
    (text.collect(), events.last().cloned())
}

async fn state_is_kept_between_runs_and_the_end_is_known() {
    let mut sandbox = python().await;
    assert_eq!(output(&sandbox, "x = 42").await, "");
    assert_eq!(output(&sandbox, "x * 2").await, "84");
    assert_eq!(
        sandbox.info().await.expect("info").state,
        SandboxState::Running
    );
    sandbox.stop().await.expect("a stop");
    sandbox.stop().await.expect("nothing to do");
    assert!(!sandbox.is_started());
    let error = sandbox.run("x", None).await.expect_err("it is stopped");
    assert!(matches!(error, SandboxError::SandboxNotRunning(_)));
    let error = sandbox.info().await.expect_err("it is gone");
    assert!(matches!(error, SandboxError::SandboxNotRunning(_)));
}

async fn a_sandbox_may_be_started_with_sizes() {
    let options = shared().options().name("by-hand");
    let mut sandbox = NodeSandbox::create_with_options(options)
        .await
        .expect("options that can be");
    assert!(!sandbox.is_started());
    let sizes = StartOptions::default()
        .image("microsandbox/node")
        .memory(256)
        .cpus(1.0);
    sandbox.start(Some(sizes)).await.expect("a start");
    sandbox.start(None).await.expect("nothing to do");
    assert_eq!(output(&sandbox, "const a = 20; a + 1").await, "21");
    let info = sandbox.info().await.expect("info");
    assert_eq!((info.memory, info.cpus, info.ephemeral), (256, 1.0, true));
    assert_eq!(
        (info.languages[0].as_str(), info.name.as_str()),
        ("node", "by-hand")
    );
    sandbox.delete().await.expect("an end");
}

async fn a_disk_is_kept_over_stop_and_start_where_it_is_not_ephemeral() {
    let mut sandbox = python_with(|options| options.name("keeps").ephemeral(false)).await;
    output(
        &sandbox,
        "_ = open('kept.txt', 'w').write('still here')\nv = 1",
    )
    .await;
    sandbox.stop().await.expect("a stop");
    assert_eq!(
        sandbox.info().await.expect("info").state,
        SandboxState::Stopped
    );
    let mut other = PythonSandbox::connect("keeps", Some(shared().options()))
        .await
        .expect("it is there");
    assert!(!other.is_started());
    other.start(None).await.expect("a start");
    assert_eq!(
        other
            .files()
            .read_text("kept.txt", None)
            .await
            .expect("a file"),
        "still here"
    );
    assert!(other.run("v", None).await.expect("a run").has_error());
    other.delete().await.expect("an end");
    sandbox.delete().await.expect("nothing to do");
}

async fn the_unix_socket_serves_too() {
    let socket = format!("unix:{}", shared().socket().display());
    let mut sandbox = python_with(|options| options.server_url(socket)).await;
    assert_eq!(output(&sandbox, "'by socket'").await, "'by socket'");
    sandbox.stop().await.expect("a stop");
}

async fn all_options_arrive() {
    let mut sandbox = python_with(|options| {
        let options = options
            .namespace("team")
            .memory(200)
            .cpus(0.5)
            .processes(64)
            .disk(64)
            .network(Network::None);
        let options = options.env([("GREETING", "hello")]).labels([("team", "a")]);
        options
            .time_to_live(Duration::from_secs(600))
            .idle_timeout(Duration::ZERO)
    })
    .await;
    let info = sandbox.info().await.expect("info");
    assert_eq!(
        (
            info.namespace.as_str(),
            info.memory,
            info.cpus,
            info.processes,
            info.disk
        ),
        ("team", 200, 0.5, 64, 64)
    );
    assert_eq!(
        (info.labels["team"].as_str(), info.network.as_str()),
        ("a", "none")
    );
    assert_eq!(
        (info.time_to_live, info.idle_timeout),
        (Some(Duration::from_secs(600)), Duration::ZERO)
    );
    assert!(info.expires_at.is_some());
    assert_eq!(
        output(&sandbox, "import os; os.environ['GREETING']").await,
        "'hello'"
    );
    sandbox.stop().await.expect("a stop");
}

async fn many_at_once_are_apart() {
    let squares = join_all((0..4).map(|n| async move {
        let mut sandbox = python().await;
        output(&sandbox, &format!("n = {n}")).await;
        let square = output(&sandbox, "n * n").await;
        sandbox.stop().await.expect("a stop");
        square
    }));
    assert_eq!(squares.await, ["0", "1", "4", "9"]);
}

async fn a_name_has_one_owner() {
    let mut sandbox = python_with(|options| options.name("only-one")).await;
    let options = shared().options().name("only-one");
    let mut second = PythonSandbox::create_with_options(options)
        .await
        .expect("options that can be");
    let error = second.start(None).await.expect_err("the name is taken");
    assert!(matches!(error, SandboxError::NameTaken(_)), "{error:?}");
    drop(second);
    assert_eq!(output(&sandbox, "1").await, "1");
    sandbox.stop().await.expect("a stop");
}

async fn what_cannot_be_is_refused_by_its_code() {
    let options = || shared().options();
    for (options, code) in [
        (options().name("-bad"), "invalid_name"),
        (options().name("a".repeat(64)), "invalid_name"),
        (options().memory(1), "invalid_limits"),
        (options().image("no-such-image"), "image_not_found"),
    ] {
        let mut sandbox = PythonSandbox::create_with_options(options)
            .await
            .expect("a sandbox");
        assert_eq!(
            sandbox.start(None).await.expect_err("it cannot be").code(),
            code
        );
    }
}

async fn a_sandbox_is_found_by_name_and_id() {
    let mut sandbox = python().await;
    output(&sandbox, "shared = 5").await;
    let id = sandbox.info().await.expect("info").id;
    for name in [sandbox.name().to_owned(), id] {
        let same = PythonSandbox::connect(name, Some(shared().options()))
            .await
            .expect("it is there");
        assert!(same.is_started());
        assert_eq!(same.name(), sandbox.name());
        assert_eq!(output(&same, "shared").await, "5");
    }
    sandbox.stop().await.expect("a stop");
    let gone = PythonSandbox::connect(sandbox.name(), Some(shared().options())).await;
    assert!(matches!(gone, Err(SandboxError::SandboxNotFound(_))));
}

async fn a_sandbox_that_a_question_mark_drops_is_gone() {
    async fn failing() -> Result<(), SandboxError> {
        let sandbox = python_with(|options| options.name("dropped")).await;
        sandbox.files().read("nothing-here", None).await?;
        Ok(())
    }
    assert!(matches!(failing().await, Err(SandboxError::NoSuchFile(_))));
    let gone = PythonSandbox::connect("dropped", Some(shared().options())).await;
    assert!(matches!(gone, Err(SandboxError::SandboxNotFound(_))));
}

async fn a_life_can_be_extended() {
    let mut sandbox = python().await;
    let info = sandbox
        .extend(
            Some(Duration::from_secs(900)),
            Some(Duration::from_secs(60)),
        )
        .await
        .expect("more");
    assert!(info.expires_at.is_some());
    assert_eq!(info.idle_timeout, Duration::from_secs(60));
    let info = sandbox
        .extend(Some(Duration::ZERO), None)
        .await
        .expect("no limit");
    assert_eq!(
        (info.expires_at, info.idle_timeout),
        (None, Duration::from_secs(60))
    );
    sandbox.stop().await.expect("a stop");
}

async fn a_log_has_what_was_written_outside_of_cells() {
    let mut sandbox = python().await;
    let code = "import threading, time\ndef late():\n    time.sleep(0.3)\n    print('late words', flush=True)\n\
        threading.Thread(target=late).start()";
    output(&sandbox, code).await;
    loop {
        let log = sandbox.logs(None, None).await.expect("a log");
        if let Some(late) = log.iter().find(|entry| entry.text.contains("late words")) {
            assert_eq!(late.source, "stdout");
            let after = sandbox
                .logs(Some(late.sequence), Some(10))
                .await
                .expect("a log");
            assert!(after.iter().all(|entry| entry.sequence > late.sequence));
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sandbox.stop().await.expect("a stop");
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

async fn a_cell_is_interrupted_when_its_events_are_dropped_and_state_is_kept() {
    let mut sandbox = python().await;
    let code = "marker = 1\nprint('go', flush=True)\nwhile True: pass";
    let mut events = sandbox.stream(code, None).await.expect("a stream");
    until_written(&mut events).await;
    drop(events);
    assert_eq!(output(&sandbox, "marker").await, "1");
    sandbox.stop().await.expect("a stop");
}

async fn a_cell_is_interrupted_when_its_call_is_dropped_and_state_is_kept() {
    let mut sandbox = node().await;
    output(&sandbox, "const kept = 5").await;
    let endless = sandbox.run("while (true) {}", None);
    assert!(
        tokio::time::timeout(Duration::from_millis(500), endless)
            .await
            .is_err()
    );
    assert_eq!(output(&sandbox, "kept").await, "5");
    sandbox.stop().await.expect("a stop");
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
    async fn check(sandbox: &mut dyn BaseSandbox, endless: &str) {
        sandbox.run("kept = 5", None).await.expect("a run");
        let execution = sandbox.run(endless, limit(0.5)).await.expect("a run");
        assert!(
            execution.timed_out() && execution.has_error() && !execution.state_lost(),
            "{execution:?}"
        );
        let kept = sandbox.run("kept", limit(60.0)).await.expect("a run");
        assert_eq!(kept.output().await.expect("output"), "5");
        sandbox.stop().await.expect("a stop");
    }
    check(&mut python().await, "while True: pass").await;
    check(&mut node().await, "while (true) {}").await;
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

async fn contexts_have_states_of_their_own() {
    let mut sandbox = python().await;
    output(&sandbox, "x = 'first'").await;
    let options = ContextOptions::default()
        .id("second")
        .env([("OWN", "b")])
        .working_directory("/tmp");
    let second = sandbox
        .contexts()
        .open(Some(options))
        .await
        .expect("a context");
    assert_eq!((second.id(), second.language()), ("second", "python"));
    let code = "import os\n(os.environ['OWN'], os.getcwd(), 'x' in globals())";
    let execution = second.run(code, None).await.expect("a run");
    assert_eq!(
        execution.output().await.expect("output"),
        "('b', '/tmp', False)"
    );
    assert_eq!(execution.context(), Some("second"));
    let (text, _) = written(
        second
            .stream("x = 'second'; print(x)", None)
            .await
            .expect("a stream"),
    )
    .await;
    assert_eq!(
        (text.as_str(), output(&sandbox, "x").await.as_str()),
        ("second\n", "'first'")
    );
    let ids = |list: Vec<Context>| {
        list.iter()
            .map(|context| context.id().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(ids(sandbox.contexts().list().await.expect("a list")).contains(&"second".to_owned()));
    second.close().await.expect("an end");
    second.close().await.expect("nothing to do");
    assert!(!ids(sandbox.contexts().list().await.expect("a list")).contains(&"second".to_owned()));
    let error = sandbox
        .contexts()
        .close("second")
        .await
        .expect_err("it is closed");
    assert!(matches!(error, SandboxError::ContextNotFound(_)));
    let unknown = sandbox
        .contexts()
        .open(Some(ContextOptions::default().language("cobol")))
        .await;
    assert!(matches!(unknown, Err(SandboxError::UnknownLanguage(_))));
    sandbox.stop().await.expect("a stop");
}

async fn commands_have_streams_exit_codes_users_and_environment() {
    let mut sandbox = python_with(|options| options.env([("FROM_SANDBOX", "a")])).await;
    let command = sandbox.command();
    let options = CommandOptions::default()
        .env([("OWN", "b")])
        .working_directory("/tmp")
        .stdin("typed");
    let script = "echo $FROM_SANDBOX $OWN; id -un; pwd; cat; echo bad >&2; exit 3";
    let done = command
        .run("sh", ["-c", script], Some(options))
        .await
        .expect("a command");
    assert_eq!(done.stdout(), "a b\nsandbox\n/tmp\ntyped");
    assert_eq!(
        (
            done.error().await.expect("error").as_str(),
            done.exit_code(),
            done.success()
        ),
        ("bad", 3, false)
    );
    assert_eq!((done.command(), done.args()[0].as_str()), ("sh", "-c"));
    let root = CommandOptions::default().user("root");
    let id = command
        .run("id", ["-u"], Some(root))
        .await
        .expect("a command");
    assert_eq!(
        (id.output().await.expect("output").as_str(), id.success()),
        ("0", true)
    );
    let bytes = CommandOptions::default().stdin([0, 255]);
    let shown = command
        .run("od", ["-An", "-tu1"], Some(bytes))
        .await
        .expect("a command");
    assert_eq!(shown.output().await.expect("output").trim(), "0 255");
    let short = CommandOptions::default().timeout(Duration::from_millis(500));
    assert!(
        command
            .run("sleep", ["60"], Some(short))
            .await
            .expect("a command")
            .timed_out()
    );
    let missing = command.run("no-such-program", [""; 0], None).await;
    assert!(matches!(missing, Err(SandboxError::CommandNotFound(_))));
    sandbox.stop().await.expect("a stop");
}

async fn commands_stream_and_take_signals() {
    let mut sandbox = python().await;
    let command = sandbox.command();
    let (text, last) = written(
        command
            .stream("sh", ["-c", "echo a; exit 4"], None)
            .await
            .expect("a stream"),
    )
    .await;
    assert_eq!(text, "a\n");
    assert!(
        matches!(&last, Some(RunEvent::Finished(end)) if end.exit_code == Some(4)),
        "{last:?}"
    );
    let bytes = CommandStreamOptions::default()
        .encoding(Encoding::Base64)
        .stdin([255, 0]);
    let mut events = command
        .stream("cat", [""; 0], Some(bytes))
        .await
        .expect("a stream");
    let mut read = Vec::new();
    while let Some(event) = events.next().await {
        if let RunEvent::Stdout { content, .. } = event.expect("an event") {
            read.extend(content.expect("bytes"));
        }
    }
    assert_eq!(read, [255, 0]);
    let script = "trap 'echo caught; exit 5' USR1; echo ready; while :; do sleep 0.05; done";
    let mut events = command
        .stream("sh", ["-c", script], None)
        .await
        .expect("a stream");
    until_written(&mut events).await;
    let id = events.run_id().expect("an id").to_owned();
    command
        .signal(&id, 10, Some(false))
        .await
        .expect("a signal");
    let (text, last) = written(events).await;
    assert!(text.ends_with("caught\n"), "{text}");
    assert!(
        matches!(&last, Some(RunEvent::Finished(end)) if end.exit_code == Some(5)),
        "{last:?}"
    );
    sandbox.stop().await.expect("a stop");
}

async fn files_are_written_and_read_as_they_are() {
    let mut sandbox = python().await;
    let files = sandbox.files();
    let content: Vec<u8> = (0..100_000u32).map(|index| (index % 256) as u8).collect();
    files
        .write(
            "data/blob.bin",
            &content,
            Some(WriteOptions::default().mode(0o600)),
        )
        .await
        .expect("a file");
    assert_eq!(
        files.read("data/blob.bin", None).await.expect("a file"),
        content
    );
    let mode = sandbox
        .command()
        .run("stat", ["-c", "%a", "data/blob.bin"], None)
        .await
        .expect("a command");
    assert_eq!(mode.output().await.expect("output"), "600");
    files.write("text.txt", "ä\n", None).await.expect("a file");
    assert_eq!(
        files.read_text("text.txt", None).await.expect("a file"),
        "ä\n"
    );
    let missing = files.read("nothing-here", None).await;
    assert!(matches!(missing, Err(SandboxError::NoSuchFile(_))));
    let nowhere = WriteOptions::default().make_directories(false);
    files
        .write("no/such/folder", "", Some(nowhere))
        .await
        .expect_err("no folder");
    sandbox.stop().await.expect("a stop");
}

async fn metrics_are_numbers() {
    let mut sandbox = python().await;
    output(&sandbox, "1").await;
    let metrics = sandbox.metrics();
    assert!(metrics.is_running().await.expect("a fact"));
    assert!(metrics.memory().await.expect("a number") > Some(0));
    assert!(metrics.disk().await.expect("a number").is_some());
    assert!(metrics.cpu().await.expect("a number") >= Some(0.0));
    let all = metrics.all().await.expect("numbers");
    assert_eq!((all.name.as_str(), all.running), (sandbox.name(), true));
    assert!(all.processes > Some(0));
    sandbox.stop().await.expect("a stop");
}

async fn a_server_tells_what_it_has() {
    let mut sandbox =
        python_with(|options| options.namespace("told").labels([("kind", "told")])).await;
    let server = Server::new(Some(
        ServerOptions::default().server_url(shared().url.as_str()),
    ))
    .expect("a server");
    let of = |namespace: &str, kind: &str| {
        ListOptions::default()
            .namespace(namespace)
            .labels([("kind", kind)])
    };
    let found = server
        .sandboxes(Some(of("told", "told")))
        .await
        .expect("a list");
    assert_eq!(
        found
            .iter()
            .map(|info| info.name.as_str())
            .collect::<Vec<_>>(),
        [sandbox.name()]
    );
    assert!(
        server
            .sandboxes(Some(of("told", "other")))
            .await
            .expect("a list")
            .is_empty()
    );
    assert!(
        server
            .sandboxes(Some(of("other", "told")))
            .await
            .expect("a list")
            .is_empty()
    );
    let images = server.images().await.expect("a list");
    assert!(
        images
            .iter()
            .any(|image| image.name == "microsandbox/python" && image.languages == ["python"])
    );
    let info = server.info().await.expect("info");
    assert!(info.accepting && !info.keys_required && info.running >= 1 && !info.version.is_empty());
    sandbox.stop().await.expect("a stop");
}

async fn a_key_is_asked_for_without_development_mode() {
    let strict = TestServer::start(false, &[]);
    let mut refused = PythonSandbox::create_with_options(strict.options())
        .await
        .expect("a sandbox");
    let error = refused.start(None).await.expect_err("a key is needed");
    assert!(
        matches!(error, SandboxError::Unauthenticated(_)),
        "{error:?}"
    );
    let key = strict.msb(&["key", "create", "--name", "test"]);
    assert!(key.starts_with("msb_"));
    // With its line's end, as a file has it.
    let mut sandbox = PythonSandbox::create_with_options(strict.options().api_key(key))
        .await
        .expect("a sandbox");
    sandbox.start(None).await.expect("a start");
    assert_eq!(output(&sandbox, "1").await, "1");
    sandbox.stop().await.expect("a stop");
    strict.stop();
}
