//! The crate and the contracts in `spec/` agree.

use std::collections::BTreeSet;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use microsandbox::{
    BaseSandbox, Command as SandboxCommand, Context, Contexts, Execution, Files, Metrics,
    NodeSandbox, PythonSandbox, RunEvent, RunEvents, SandboxError, Server,
};
use serde_json::{Value, json};

use crate::support::canned::{Answer, Canned, ok};
use crate::support::{package, text, trial, trial_async};

pub fn trials() -> Vec<Trial> {
    let vectors = list("spec/vectors/executions.json", "executions");
    let streams = list("spec/vectors/event-streams.json", "streams");
    let catalogue = list("spec/errors.json", "errors");
    let codes: BTreeSet<String> = catalogue
        .iter()
        .map(|entry| word(entry, "code").to_owned())
        .collect();
    let mut trials = vec![
        trial(
            "contracts: the enum has the codes of the catalogue and no others",
            move || {
                let known: BTreeSet<String> = SandboxError::CODES
                    .iter()
                    .map(|(code, _)| (*code).to_owned())
                    .collect();
                assert_eq!(known, codes);
            },
        ),
        trial(
            "contracts: the enum is what the generator makes",
            the_enum_is_what_the_generator_makes,
        ),
        trial(
            "contracts: all futures are Send, and a sandbox may be an object",
            futures_are_send,
        ),
    ];
    trials.extend(vectors.into_iter().map(|vector| {
        let name = format!(
            "an execution says what the vectors say: {}",
            word(&vector, "name")
        );
        trial_async(name, || {}, || an_execution_says(vector))
    }));
    trials.extend(streams.into_iter().map(|vector| {
        let name = format!("events are what the vectors say: {}", word(&vector, "name"));
        trial_async(name, || {}, || events_are(vector))
    }));
    trials.extend(catalogue.into_iter().map(|entry| {
        let name = format!(
            "a code has a variant that the server's answer becomes: {}",
            word(&entry, "code")
        );
        trial_async(name, || {}, || an_answer_becomes(entry))
    }));
    trials
}

fn list(path: &str, name: &str) -> Vec<Value> {
    let contract: Value = serde_json::from_str(&text(path)).expect("a contract");
    contract[name].as_array().expect("a list").clone()
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

async fn an_execution_says(vector: Value) {
    let answer = vector["run"].to_string();
    let server = Canned::on_port(move |_| ok(answer.clone())).await;
    let execution = server
        .started()
        .await
        .run("1", None)
        .await
        .expect("an execution");
    assert_eq!(
        execution.output().await.expect("output"),
        word(&vector, "output")
    );
    assert_eq!(
        execution.error().await.expect("error"),
        word(&vector, "error")
    );
    assert_eq!(execution.has_error(), vector["has_error"]);
    assert_eq!(
        execution.status(),
        if execution.has_error() {
            "error"
        } else {
            "success"
        }
    );
}

async fn events_are(vector: Value) {
    let expected = vector["events"].as_array().expect("a list").clone();
    let text = word(&vector, "stream").to_owned();
    // However the bytes are cut: a byte at a time, and all at once.
    for size in [1, text.len()] {
        let pieces: Vec<Vec<u8>> = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        let server = Canned::on_port(move |_| Answer::Pieces(pieces.clone())).await;
        let mut events = server
            .started()
            .await
            .stream("1", None)
            .await
            .expect("a stream");
        let mut seen = Vec::new();
        // A vector need not hold the end of a run, whose lack is an error.
        while let Some(Ok(event)) = events.next().await {
            seen.push(described(&event));
        }
        assert_eq!(seen, expected);
    }
}

fn described(event: &RunEvent) -> Value {
    let (kind, text, offset, content) = match event {
        RunEvent::Started { .. } => ("started", None, None, None),
        RunEvent::Stdout {
            text,
            content,
            offset,
        } => ("stdout", Some(text), *offset, content.as_ref()),
        RunEvent::Stderr {
            text,
            content,
            offset,
        } => ("stderr", Some(text), *offset, content.as_ref()),
        RunEvent::Result { .. } => ("result", None, None, None),
        RunEvent::Error(_) => ("error", None, None, None),
        RunEvent::Finished(_) => ("finished", None, None, None),
        other => panic!("{other:?}"),
    };
    let base64 = content.map(|bytes| STANDARD.encode(bytes));
    json!({"type": kind, "text": text, "offset": offset, "base64": base64})
}

async fn an_answer_becomes(entry: Value) {
    let code = word(&entry, "code").to_owned();
    let status = entry["http_status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok())
        .expect("a status");
    let body =
        json!({"error": {"code": code, "message": "m", "details": {"a": 1, "b": "c"}}}).to_string();
    // What only clients say has no status of its own.
    let status = if status < 300 { 500 } else { status };
    let server = Canned::on_port(move |_| Answer::Whole(status, body.clone())).await;
    let error = server
        .started()
        .await
        .run("1", None)
        .await
        .expect_err("the server refused");
    assert_eq!((error.code(), error.message()), (code.as_str(), "m"));
    assert_eq!(error.retryable(), entry["retry"]);
    assert_eq!(
        (error.details()["a"].as_str(), error.details()["b"].as_str()),
        ("1", "c")
    );
    let variant: String = code
        .split('_')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    assert_eq!(format!("{error:?}"), format!("{variant}({code}: m)"));
}

fn the_enum_is_what_the_generator_makes() {
    let generator = package().join("scripts/generate_errors.py");
    let done = Command::new("python3")
        .arg(generator)
        .arg("--print")
        .output()
        .expect("python3");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let made = String::from_utf8(done.stdout).expect("text");
    assert_eq!(
        made,
        text("sdk/rust/src/error.rs"),
        "run scripts/generate_errors.py"
    );
}

/// Compiled, which is the test, and never run.
fn futures_are_send() {
    fn sent<T: Send>(_: T) {}
    fn shared<T: Send + Sync + 'static>() {}
    #[allow(dead_code)]
    fn of(
        mut sandbox: Box<dyn BaseSandbox>,
        context: Context,
        execution: Execution,
        mut events: RunEvents,
        server: Server,
    ) {
        sent(PythonSandbox::create("x"));
        sent(NodeSandbox::connect("x", None));
        sent(sandbox.start(None));
        sent(sandbox.stop());
        sent(sandbox.delete());
        sent(sandbox.run_or_start("1", None));
        sent(sandbox.run("1", None));
        sent(sandbox.stream("1", None));
        sent(sandbox.attach("1", None));
        sent(sandbox.interrupt("1"));
        sent(sandbox.info());
        sent(sandbox.extend(None, None));
        sent(sandbox.logs(None, None));
        sent(sandbox.command().run("ls", ["-a"], None));
        sent(sandbox.command().stream("ls", ["-a"], None));
        sent(sandbox.command().signal("1", 2, None));
        sent(sandbox.files().read("x", None));
        sent(sandbox.files().read_text("x", None));
        sent(sandbox.files().write("x", "y", None));
        sent(sandbox.metrics().all());
        sent(sandbox.metrics().cpu());
        sent(sandbox.contexts().open(None));
        sent(sandbox.contexts().list());
        sent(sandbox.contexts().close("x"));
        sent(context.run("1", None));
        sent(context.stream("1", None));
        sent(context.close());
        sent(execution.output());
        sent(execution.error());
        sent(events.next());
        sent(server.sandboxes(None));
        sent(server.images());
        sent(server.info());
    }
    shared::<PythonSandbox>();
    shared::<NodeSandbox>();
    shared::<Server>();
    shared::<SandboxError>();
    shared::<(SandboxCommand, Contexts, Files, Metrics, Context)>();
    sent(of);
}
