//! The client's side of HTTP, against small servers that behave well and badly.

use std::time::Duration;

use futures_util::StreamExt;
use libtest_mimic::Trial;
use microsandbox::{
    AttachOptions, BaseSandbox, CommandOptions, ContextOptions, Encoding, Isolation, ListOptions,
    PythonSandbox, RunEvent, RunOptions, SandboxError, SandboxOptions, Server, ServerOptions,
    WriteOptions,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::canned::{Answer, Canned, RUN, event, ok};

pub fn trials() -> Vec<Trial> {
    crate::trials!("transport":
        a_creation_says_what_was_wished_and_nothing_else,
        a_run_says_what_was_wished_and_a_namespace_is_in_the_query,
        the_other_calls_are_those_of_the_contract,
        calls_one_after_the_other_share_connections,
        a_stop_that_is_refused_may_be_tried_again,
        a_number_that_is_none_is_refused_before_it_is_sent,
        a_key_that_no_header_can_hold_is_refused_and_not_shown,
        a_sandbox_that_is_not_started_says_so_in_the_original_words,
        a_named_server_that_does_not_answer_is_an_error_and_none_is_started,
        a_server_that_does_not_answer_in_time_is_an_error,
        an_answer_that_is_cut_off_is_an_error,
        an_answer_that_is_not_json_or_not_a_run_is_an_error,
        an_answer_that_is_no_http_is_an_error,
        an_endless_head_is_an_error,
        an_endless_answer_is_an_error,
        an_endless_event_is_an_error,
        events_come_in_order_and_what_is_not_known_is_left_out,
        events_that_fail_or_end_too_early_are_errors,
        what_follows_the_end_of_a_run_is_not_read,
        dropping_events_closes_their_connection,
        dropping_a_call_closes_its_connection,
        dropping_a_started_sandbox_stops_it,
        dropping_a_sandbox_that_is_to_stay_leaves_it,
        a_sandbox_that_is_connected_to_is_left_by_its_drop,
    )
}

const FINISHED: &str = r#"{"outcome": "ok", "exit_code": null, "has_error": false}"#;

fn body(server: &Canned) -> Value {
    serde_json::from_str(&server.last().body).expect("a body")
}

fn stops(server: &Canned) -> usize {
    server
        .seen()
        .iter()
        .filter(|seen| seen.path.ends_with("/stop"))
        .count()
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

fn is_stream(seen: &crate::support::canned::Seen) -> bool {
    seen.head.contains("accept: text/event-stream")
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

async fn a_named_server_that_does_not_answer_is_an_error_and_none_is_started() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    for url in [free.as_str(), "unix:/nonexistent/socket"] {
        let options = SandboxOptions::default().server_url(url);
        let mut sandbox = PythonSandbox::create_with_options(options)
            .await
            .expect("a sandbox");
        let error = sandbox.start(None).await.expect_err("nobody answers");
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
        assert!(
            error.retryable() && error.message().contains("msb server start"),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
}

async fn a_server_that_does_not_answer_in_time_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let options = SandboxOptions::default()
        .server_url(url)
        .start_timeout(Duration::from_millis(200));
    let mut sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("a sandbox");
    let error = sandbox.start(None).await.expect_err("it is silent");
    assert!(error.message().contains("nothing within 0.2 s"), "{error}");
}

async fn refused(answer: Answer) -> SandboxError {
    let server = Canned::on_port(move |_| answer.clone()).await;
    server
        .started()
        .await
        .run("1", None)
        .await
        .expect_err("no answer that can be")
}

async fn an_answer_that_is_cut_off_is_an_error() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"outcome\": ";
    for answer in ["", "HTTP/1.1 200", cut] {
        let error = refused(Answer::Cut(answer.into())).await;
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
    }
}

async fn an_answer_that_is_not_json_or_not_a_run_is_an_error() {
    let html = refused(ok("<html>hello</html>")).await;
    assert!(html.message().contains("'<html>hello"), "{html}");
    let deep = "[".repeat(100_000);
    for answer in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"outcome": 1}"#,
        r#"{"outcome": "ok", "stdout": null}"#,
        &deep,
    ] {
        let error = refused(ok(answer)).await;
        assert!(matches!(error, SandboxError::Internal(_)), "{error:?}");
        assert!(error.message().len() < 500, "{error}");
    }
}

async fn an_answer_that_is_no_http_is_an_error() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\0\0\0\0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ] {
        let error = refused(Answer::Cut(answer.into())).await;
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
    }
}

async fn an_endless_head_is_an_error() {
    let begin = b"HTTP/1.1 200 OK\r\n".to_vec();
    let many = refused(Answer::Endless(begin.clone(), b"a: b\r\n".repeat(1000))).await;
    let long = refused(Answer::Endless(
        [&begin, b"a: ".as_slice()].concat(),
        vec![b'x'; 10_000],
    ))
    .await;
    for error in [many, long] {
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
    }
}

async fn an_endless_answer_is_an_error() {
    let block = [b"100000\r\n".as_slice(), &vec![b' '; 0x10_0000], b"\r\n"].concat();
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let error = refused(Answer::Endless(begin, block)).await;
    assert!(matches!(error, SandboxError::Internal(_)), "{error:?}");
    assert!(error.message().contains("more than"), "{error}");
}

async fn an_endless_event_is_an_error() {
    let block = [b"100000\r\n".as_slice(), &vec![b'x'; 0x10_0000], b"\r\n"].concat();
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let answer = Answer::Endless(begin, block);
    let server = Canned::on_port(move |_| answer.clone()).await;
    let mut events = server
        .started()
        .await
        .stream("1", None)
        .await
        .expect("a stream");
    let error = events
        .next()
        .await
        .expect("an end")
        .expect_err("an endless event");
    assert!(error.message().contains("endless"), "{error}");
    assert!(events.next().await.is_none());
}

async fn events_come_in_order_and_what_is_not_known_is_left_out() {
    let sent = vec![
        ": comment\n\n".to_owned(),
        event("started", r#"{"id": "r1"}"#) + &event("unknown", "{}"),
        "id: 2\n".to_owned() + &event("stdout", r#"{"text": "a\n"}"#),
        event("stderr", r#"{"text": "b"}"#),
        event(
            "result",
            r#"{"data": {"text/plain": "7"}, "omitted": ["image/png"]}"#,
        ),
        event(
            "error",
            r#"{"name": "n", "message": "m", "traceback": "t"}"#,
        ),
        event(
            "finished",
            r#"{"outcome": "timed_out", "has_error": true, "signal": 9, "duration": 0.5}"#,
        ),
    ];
    let answer = Answer::Events(sent, true);
    let server = Canned::on_port(move |_| answer.clone()).await;
    let events = server
        .started()
        .await
        .stream("1", None)
        .await
        .expect("a stream");
    assert_eq!(events.run_id(), Some("r1"));
    let events: Vec<RunEvent> = events.map(|event| event.expect("an event")).collect().await;
    let [started, stdout, stderr, result, error, finished] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*started, RunEvent::Started { id: "r1".into() });
    assert_eq!(
        *stdout,
        RunEvent::Stdout {
            text: "a\n".into(),
            content: None,
            offset: Some(2)
        }
    );
    assert_eq!(
        *stderr,
        RunEvent::Stderr {
            text: "b".into(),
            content: None,
            offset: None
        }
    );
    assert!(
        matches!(result, RunEvent::Result { data, omitted } if data["text/plain"] == "7" && omitted.len() == 1)
    );
    assert!(matches!(error, RunEvent::Error(raised) if raised.name == "n"));
    let RunEvent::Finished(finished) = finished else {
        panic!("{finished:?}")
    };
    assert_eq!(
        (finished.outcome.to_string().as_str(), finished.has_error),
        ("timed_out", true)
    );
    assert_eq!(
        (finished.exit_code, finished.signal, finished.state_lost),
        (None, Some(9), false)
    );
    assert_eq!(finished.duration, Duration::from_millis(500));
}

async fn events_that_fail_or_end_too_early_are_errors() {
    let output = || event("stdout", r#"{"text": "a"}"#);
    let failed = event(
        "failed",
        r#"{"error": {"code": "invalid_name", "message": "no"}}"#,
    );
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nda";
    for (answer, code) in [
        (Answer::Events(vec![output(), failed], true), "invalid_name"),
        (Answer::Events(vec![output()], true), "server_unreachable"),
        (
            Answer::Events(vec![event("stdout", "<html>")], true),
            "internal",
        ),
        (Answer::Cut(cut.into()), "server_unreachable"),
        (
            Answer::Whole(404, r#"{"error": {"code": "sandbox_not_found"}}"#.into()),
            "sandbox_not_found",
        ),
    ] {
        let server = Canned::on_port(move |_| answer.clone()).await;
        let sandbox = server.started().await;
        let error = match sandbox.stream("1", None).await {
            Err(error) => error,
            Ok(mut events) => loop {
                match events.next().await.expect("an error before the end") {
                    Ok(event) => assert!(matches!(event, RunEvent::Stdout { .. })),
                    Err(error) => {
                        assert!(events.next().await.is_none());
                        break error;
                    }
                }
            },
        };
        assert_eq!(error.code(), code, "{error}");
    }
}

async fn what_follows_the_end_of_a_run_is_not_read() {
    let more = event("finished", FINISHED) + &event("stdout", r#"{"text": "more"}"#);
    let block = b"5\r\n: ab\n\r\n".to_vec();
    let begin = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{more}\r\n",
        more.len()
    );
    let answer = Answer::Endless(begin.into(), block);
    let server = Canned::on_port(move |_| answer.clone()).await;
    let events: Vec<_> = server
        .started()
        .await
        .stream("1", None)
        .await
        .expect("a stream")
        .collect()
        .await;
    assert_eq!(events.len(), 1);
}

async fn dropping_events_closes_their_connection() {
    let answer = Answer::Events(vec![event("stdout", r#"{"text": "a"}"#)], false);
    let server = Canned::on_port(move |_| answer.clone()).await;
    let sandbox = server.started().await;
    let mut events = sandbox.stream("1", None).await.expect("a stream");
    assert!(matches!(
        events.next().await,
        Some(Ok(RunEvent::Stdout { .. }))
    ));
    drop(events);
    server.closed(1).await;
}

async fn dropping_a_call_closes_its_connection() {
    let server = Canned::on_port(|_| Answer::Silence).await;
    let sandbox = server.started().await;
    let waiting = tokio::time::timeout(Duration::from_millis(50), sandbox.run("1", None));
    assert!(waiting.await.is_err());
    server.closed(1).await;
}

async fn dropping_a_started_sandbox_stops_it() {
    let server = Canned::on_port(|_| ok(RUN)).await;
    let stopped = tokio::task::spawn_blocking({
        let server = server.clone();
        let sandbox = server.started().await;
        let parts = sandbox.command();
        move || {
            drop(sandbox);
            drop(parts);
            stops(&server)
        }
    });
    assert_eq!(stopped.await.expect("a drop"), 1);
    let mut stopped = server.started().await;
    stopped.stop().await.expect("a stop");
    drop(stopped);
    drop(
        PythonSandbox::create_with_options(server.options())
            .await
            .expect("one that was never started"),
    );
    assert_eq!(stops(&server), 2);
}

async fn dropping_a_sandbox_that_is_to_stay_leaves_it() {
    let server = Canned::on_port(|_| ok(RUN)).await;
    let options = server.options().ephemeral(false);
    let mut sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("a sandbox");
    sandbox.start(None).await.expect("a start");
    tokio::task::spawn_blocking(move || drop(sandbox))
        .await
        .expect("a drop");
    assert_eq!(stops(&server), 0);
}

async fn a_sandbox_that_is_connected_to_is_left_by_its_drop() {
    let info = json!({
        "id": "sb0123456789abcdef", "name": "theirs", "namespace": "team", "state": "running", "image": "i",
        "isolation": "container", "languages": ["python"], "memory": 512, "cpus": 0.5, "processes": 64, "disk": 64,
        "labels": {}, "network": "none", "time_to_live": null, "idle_timeout": 3600, "ephemeral": true,
        "created_at": "2026-01-01T00:00:00Z", "started_at": null, "stopped_at": null, "expires_at": null,
        "end_reason": null, "from_the_future": 1,
    });
    let server = Canned::on_port(move |seen| {
        ok(if seen.method == "GET" {
            info.to_string()
        } else {
            RUN.into()
        })
    })
    .await;
    let options = SandboxOptions::default().server_url(server.url.as_str());
    let sandbox = PythonSandbox::connect("sb0123456789abcdef", Some(options))
        .await
        .expect("a sandbox");
    assert_eq!(
        (sandbox.name(), sandbox.namespace(), sandbox.is_started()),
        ("theirs", "team", true)
    );
    sandbox.run("1", None).await.expect("a run");
    assert_eq!(server.last().path, "/v1/sandboxes/sb0123456789abcdef/runs");
    tokio::task::spawn_blocking(move || drop(sandbox))
        .await
        .expect("a drop");
    assert_eq!(stops(&server), 0);
}
