//! Contexts, commands, files, metrics, and the server.

use crate::support::server::{TestServer, shared};
use libtest_mimic::Trial;
use microsandbox::{
    BaseSandbox, CommandOptions, CommandStreamOptions, Context, ContextOptions, Encoding,
    ListOptions, PythonSandbox, RunEvent, SandboxError, Server, ServerOptions, WriteOptions,
};
use std::time::Duration;

use super::{output, python, python_with, there_is_a_server, until_written, written};

pub fn trials() -> Vec<Trial> {
    crate::trials!("parts" after there_is_a_server:
        contexts_have_states_of_their_own,
        commands_have_streams_exit_codes_users_and_environment,
        commands_stream_and_take_signals,
        files_are_written_and_read_as_they_are,
        metrics_are_numbers,
        a_server_tells_what_it_has,
        a_key_is_asked_for_without_development_mode,
    )
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
