//! Events, and what being dropped does.

use crate::support::canned::{Answer, Canned, RUN, event, ok};
use futures_util::StreamExt;
use libtest_mimic::Trial;
use microsandbox::{BaseSandbox, PythonSandbox, RunEvent, SandboxOptions};
use serde_json::json;
use std::time::Duration;

use super::{FINISHED, stops};

pub fn trials() -> Vec<Trial> {
    crate::trials!("streams":
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
    tokio::select! {
        ended = sandbox.run("1", None) => panic!("{ended:?}"),
        // Its creation, and the run.
        () = server.asked(2) => {}
    }
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
