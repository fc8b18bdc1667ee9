//! What is sent.

use crate::support::canned::{Answer, Canned, RUN, event, ok};
use futures_util::StreamExt;
use libtest_mimic::Trial;
use microsandbox::{
    AttachOptions, BaseSandbox, CommandOptions, ContextOptions, Encoding, Isolation, ListOptions,
    PythonSandbox, RunOptions, SandboxError, SandboxOptions, Server, ServerOptions, WriteOptions,
};
use serde_json::{Value, json};
use std::time::Duration;

use super::{FINISHED, stops};

pub fn trials() -> Vec<Trial> {
    crate::trials!("requests":
        a_creation_says_what_was_wished_and_nothing_else,
        a_run_says_what_was_wished_and_a_namespace_is_in_the_query,
        the_other_calls_are_those_of_the_contract,
        calls_one_after_the_other_share_connections,
        a_stop_that_is_refused_may_be_tried_again,
        a_number_that_is_none_is_refused_before_it_is_sent,
        a_key_that_no_header_can_hold_is_refused_and_not_shown,
        a_sandbox_that_is_not_started_says_so_in_the_original_words,
    )
}

fn body(server: &Canned) -> Value {
    serde_json::from_str(&server.last().body).expect("a body")
}

fn is_stream(seen: &crate::support::canned::Seen) -> bool {
    seen.head.contains("accept: text/event-stream")
}

async fn a_creation_says_what_was_wished_and_nothing_else() {
    let server = Canned::on_port(|_| ok("{}")).await;
    let options = server
        .options()
        .api_key("msb_k\n")
        .memory(128)
        .time_to_live(Duration::from_secs(60));
    let options = options.env([("aB", "c")]).isolation(Isolation::Gvisor);
    let mut sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("a sandbox");
    assert_eq!(
        server.connections(),
        0,
        "what is not started was not asked for"
    );
    sandbox.start(None).await.expect("a start");
    let expected = json!({
        "name": "x", "namespace": "default", "image": "microsandbox/python", "isolation": "gvisor", "memory": 128,
        "env": {"aB": "c"}, "time_to_live": 60.0, "ephemeral": true,
    });
    assert_eq!(body(&server), expected);
    let head = server.last().head;
    assert!(head.contains("authorization: bearer msb_k\n"), "{head}");
    assert!(head.contains("user-agent: microsandbox-rust/"), "{head}");
}

async fn a_run_says_what_was_wished_and_a_namespace_is_in_the_query() {
    let server = Canned::on_port(|_| ok(RUN)).await;
    let options = server.options().namespace("team");
    let mut sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("a sandbox");
    sandbox.start(None).await.expect("a start");
    let options = RunOptions::default()
        .timeout(Duration::from_secs(5))
        .context("second")
        .keep_running(true);
    let execution = sandbox
        .run("1", Some(options.output_limit(9)))
        .await
        .expect("a run");
    assert_eq!(execution.output().await.expect("output"), "1");
    assert_eq!(server.last().path, "/v1/sandboxes/x/runs?namespace=team");
    let expected = json!({
        "code": "1", "timeout": 5.0, "context": "second", "keep_running": true,
        "output_limit": 9,
    });
    assert_eq!(body(&server), expected);
    sandbox.run("1", None).await.expect("a run");
    assert_eq!(body(&server), json!({"language": "python", "code": "1"}));

    let options = CommandOptions::default()
        .stdin([255])
        .user("root")
        .timeout(Duration::ZERO);
    sandbox
        .command()
        .run("cat", ["-"], Some(options))
        .await
        .expect("a command");
    let expected =
        json!({"argv": ["cat", "-"], "timeout": 0.0, "user": "root", "stdin_base64": "/w=="});
    assert_eq!(body(&server), expected);

    let options = WriteOptions::default().mode(0o600).make_directories(false);
    sandbox
        .files()
        .write("a b/ü", "é", Some(options))
        .await
        .expect("a file");
    let path =
        "/v1/sandboxes/x/files?path=a%20b%2F%C3%BC&mode=0600&make_directories=false&namespace=team";
    assert_eq!(
        (server.last().path.as_str(), server.last().body.as_str()),
        (path, "é")
    );
}

async fn the_other_calls_are_those_of_the_contract() {
    let server = Canned::on_port(|seen| match seen.path.as_str() {
        "/v1/sandboxes/x/logs?after=3&limit=2" => ok(r#"{"entries": []}"#),
        "/v1/sandboxes/x/contexts" if seen.method == "POST" => {
            ok(r#"{"id": "c 1", "language": "node", "interpreter_version": null, "ready": false}"#)
        }
        "/v1/sandboxes?namespace=n&label=team%3Da%26b" => ok(r#"{"sandboxes": []}"#),
        _ => ok(RUN),
    })
    .await;
    let sandbox = server.started().await;
    assert!(
        sandbox
            .logs(Some(3), Some(2))
            .await
            .expect("a log")
            .is_empty()
    );
    sandbox.interrupt("r/1").await.expect("an interrupt");
    assert_eq!(server.last().path, "/v1/sandboxes/x/runs/r%2F1/interrupt");
    sandbox
        .command()
        .signal("r1", 9, Some(false))
        .await
        .expect("a signal");
    assert_eq!(server.last().path, "/v1/sandboxes/x/commands/r1/signal");
    assert_eq!(body(&server), json!({"signal": 9, "group": false}));
    let options = ContextOptions::default()
        .language("node")
        .id("c 1")
        .env([("A", "b")])
        .working_directory("/tmp")
        .user("root");
    let context = sandbox
        .contexts()
        .open(Some(options))
        .await
        .expect("a context");
    let expected = json!({"language": "node", "id": "c 1", "env": {"A": "b"}, "working_directory": "/tmp", "user": "root"});
    assert_eq!(body(&server), expected);
    context.run("1", None).await.expect("a run");
    assert_eq!(body(&server), json!({"code": "1", "context": "c 1"}));
    context.close().await.expect("an end");
    assert_eq!(
        (server.last().method.as_str(), server.last().path.as_str()),
        ("DELETE", "/v1/sandboxes/x/contexts/c%201")
    );
    // The answer is none of a sandbox, which is told; the question is looked at here.
    sandbox
        .extend(Some(Duration::from_millis(1500)), None)
        .await
        .expect_err("no sandbox");
    assert_eq!(
        (server.last().method.as_str(), body(&server)),
        ("PATCH", json!({"time_to_live": 1.5}))
    );
    drop(
        sandbox
            .attach(
                "r1",
                Some(
                    AttachOptions::default()
                        .offset(7)
                        .encoding(Encoding::Base64),
                ),
            )
            .await,
    );
    assert_eq!(
        server.last().path,
        "/v1/sandboxes/x/runs/r1?encoding=base64&offset=7"
    );
    let whole = Server::new(Some(
        ServerOptions::default().server_url(server.url.as_str()),
    ))
    .expect("a server");
    let options = ListOptions::default()
        .namespace("n")
        .labels([("team", "a&b")]);
    assert!(
        whole
            .sandboxes(Some(options))
            .await
            .expect("a list")
            .is_empty()
    );
}

async fn calls_one_after_the_other_share_connections() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    let events = || Answer::Events(vec![event("finished", FINISHED)], true);
    let answering = move |seen: &_| if is_stream(seen) { events() } else { ok(RUN) };
    let servers = [
        Canned::on_port(answering).await,
        Canned::on_socket(path.to_str().expect("a path"), answering).await,
    ];
    for server in servers {
        let sandbox = server.started().await;
        for _ in 0..50 {
            sandbox.run("1", None).await.expect("a run");
        }
        let events: Vec<_> = sandbox
            .stream("1", None)
            .await
            .expect("a stream")
            .collect()
            .await;
        assert_eq!(events.len(), 1);
        sandbox.files().read("x", None).await.expect("a file");
        // One that has just been used may not be back yet when the next call looks for it.
        assert!(server.connections() < 25, "{}", server.connections());
    }
}

async fn a_stop_that_is_refused_may_be_tried_again() {
    let server = Canned::on_port(|_| Answer::Silence).await;
    let mut sandbox = server.started().await;
    // A future that was dropped before it asked has changed nothing.
    drop(sandbox.stop());
    assert!(sandbox.is_started());
    sandbox.stop().await.expect("a stop");
    sandbox.stop().await.expect("nothing to do");
    assert_eq!(stops(&server), 1);
}

async fn a_number_that_is_none_is_refused_before_it_is_sent() {
    let server = Canned::on_port(|_| ok(RUN)).await;
    let options = server.options().cpus(f64::NAN);
    let mut sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("a sandbox");
    let error = sandbox.start(None).await.expect_err("not a number");
    assert!(
        matches!(error, SandboxError::InvalidRequest(_)),
        "{error:?}"
    );
    assert_eq!(
        (error.details()["field"].as_str(), server.connections()),
        ("cpus", 0)
    );
}

async fn a_key_that_no_header_can_hold_is_refused_and_not_shown() {
    let options = SandboxOptions::default()
        .server_url("http://127.0.0.1:1")
        .api_key("msb_secret\nX: y");
    let error = PythonSandbox::create_with_options(options)
        .await
        .expect_err("no such key");
    assert!(
        matches!(error, SandboxError::InvalidRequest(_)),
        "{error:?}"
    );
    assert!(!format!("{error:?} {error}").contains("secret"));
    let options = SandboxOptions::default()
        .server_url("http://127.0.0.1:1")
        .name("x")
        .api_key("msb_secret");
    let sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("a sandbox");
    assert_eq!(
        format!("{sandbox:?}"),
        r#"PythonSandbox { name: "x", is_started: false, .. }"#
    );
}

async fn a_sandbox_that_is_not_started_says_so_in_the_original_words() {
    let server = Canned::on_port(|_| ok(RUN)).await;
    let mut sandbox = PythonSandbox::create_with_options(server.options())
        .await
        .expect("a sandbox");
    let errors = [
        sandbox.run("1", None).await.map(drop),
        sandbox.stream("1", None).await.map(drop),
        sandbox.command().run("true", [""; 0], None).await.map(drop),
        sandbox.files().read("x", None).await.map(drop),
        sandbox.metrics().all().await.map(drop),
        sandbox.contexts().list().await.map(drop),
    ];
    for error in errors.map(|outcome| outcome.expect_err("it is not started")) {
        assert!(
            matches!(error, SandboxError::SandboxNotRunning(_)),
            "{error:?}"
        );
        assert_eq!(
            error.message(),
            "Sandbox is not started. Call start() first."
        );
    }
    sandbox.stop().await.expect("nothing to do");
    assert_eq!(server.connections(), 0);
    assert_eq!(
        sandbox
            .run_or_start("1", None)
            .await
            .expect("a run")
            .stdout(),
        "1\n"
    );
    let unnamed = PythonSandbox::create_with_options(server.options().name(""))
        .await
        .expect("a sandbox");
    let (begin, digits) = unnamed.name().split_at("sandbox-".len());
    assert!(
        begin == "sandbox-"
            && digits.len() == 8
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    );
}
