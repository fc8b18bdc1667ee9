//! The crate against a real server, real isolation and real interpreters.

mod cells;
mod life;
mod parts;

use std::time::Duration;

use futures_util::StreamExt;
use libtest_mimic::Trial;
use microsandbox::{
    BaseSandbox, NodeSandbox, PythonSandbox, RunEvent, RunEvents, RunOptions, SandboxOptions,
};

use crate::support::server::shared;

pub fn trials() -> Vec<Trial> {
    [life::trials(), cells::trials(), parts::trials()]
        .into_iter()
        .flatten()
        .collect()
}

fn there_is_a_server() {
    shared();
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
