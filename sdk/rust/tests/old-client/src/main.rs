//! What a program of the original system's users looks like. Each line that it prints is a fact by its name.

use std::error::Error;

use microsandbox::{BaseSandbox, NodeSandbox, PythonSandbox, SandboxOptions, StartOptions};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn fact(sandbox: &str, name: &str, value: impl ToString) {
    println!("{sandbox} {name}: {}", value.to_string().replace('\n', "|"));
}

#[tokio::main]
async fn main() -> Outcome {
    python().await?;
    node().await
}

async fn python() -> Outcome {
    let options = SandboxOptions::builder().name("old-python").namespace("team").build();
    let mut sandbox = PythonSandbox::create_with_options(options).await?;
    fact("PythonSandbox", "is not started", sandbox.is_started().await);
    let early = sandbox.run("1").await.err().map(|error| error.to_string());
    fact("PythonSandbox", "run before start", early.unwrap_or_default());
    sandbox.start(Some(StartOptions { memory: 256, ..Default::default() })).await?;
    fact("PythonSandbox", "start", sandbox.is_started().await);

    sandbox.run("name = 'Python'").await?;
    let execution = sandbox.run("print(f'Hello from {name}!')").await?;
    fact("PythonSandbox", "state and output", execution.output().await?);
    fact("PythonSandbox", "has_error", execution.has_error());
    fact("PythonSandbox", "status and language", format!("{} {}", execution.status(), execution.language()));
    let failed = sandbox.run("undefined_name").await?;
    fact("PythonSandbox", "has_error of an exception", failed.has_error());
    let error = failed.error().await?;
    fact("PythonSandbox", "error of an exception", error.lines().last().unwrap_or_default());

    let command = sandbox.command().await?;
    let done = command.run("sh", Some(vec!["-c", "echo hi; echo bad >&2; exit 3"]), Some(30)).await?;
    fact("PythonSandbox", "command output", done.output().await?);
    fact("PythonSandbox", "command error", done.error().await?);
    fact("PythonSandbox", "command exit code", format!("{} {}", done.exit_code(), done.is_success()));
    let unknown = command.run("no-such-program", None, None).await.err().map(|error| error.to_string());
    fact("PythonSandbox", "command that is unknown", unknown.unwrap_or_default().contains("no-such-program"));

    let metrics = sandbox.metrics().await?;
    fact("PythonSandbox", "metrics is_running", metrics.is_running().await?);
    fact("PythonSandbox", "metrics cpu", metrics.cpu().await?.is_some());
    fact("PythonSandbox", "metrics memory", metrics.memory().await? > Some(0));
    fact("PythonSandbox", "metrics disk", metrics.disk().await?.is_some());
    let all = metrics.all().await?;
    fact("PythonSandbox", "metrics name", &all["name"]);
    fact("PythonSandbox", "namespace that it sent", &all["namespace"]);

    sandbox.stop().await?;
    fact("PythonSandbox", "stop", sandbox.is_started().await);
    let options = SandboxOptions::builder().name("old-python").namespace("team").build();
    let mut again = PythonSandbox::create_with_options(options).await?;
    fact("PythonSandbox", "run_or_start after stop", again.run_or_start("print(6 * 7)").await?.output().await?);
    again.stop().await
}

async fn node() -> Outcome {
    let mut sandbox = NodeSandbox::create("old-node").await?;
    sandbox.start(None).await?;
    fact("NodeSandbox", "start", sandbox.is_started().await);
    sandbox.run("const name = 'Node.js';").await?;
    let execution = sandbox.run("console.log(`Hello from ${name}!`);").await?;
    fact("NodeSandbox", "state and output", execution.output().await?);
    fact("NodeSandbox", "has_error", execution.has_error());
    fact("NodeSandbox", "status and language", format!("{} {}", execution.status(), execution.language()));
    let failed = sandbox.run("undefinedName").await?;
    fact("NodeSandbox", "has_error of an exception", failed.has_error());
    let error = failed.error().await?;
    fact("NodeSandbox", "error of an exception", error.contains("ReferenceError: undefinedName is not defined"));

    let done = sandbox.command().await?.run("node", Some(vec!["-p", "6 * 7"]), None).await?;
    fact("NodeSandbox", "command output", done.output().await?);
    fact("NodeSandbox", "command exit code", format!("{} {}", done.exit_code(), done.is_success()));
    let all = sandbox.metrics().await?.all().await?;
    fact("NodeSandbox", "metrics name", &all["name"]);
    fact("NodeSandbox", "namespace that it sent", &all["namespace"]);
    sandbox.stop().await?;
    fact("NodeSandbox", "stop", sandbox.is_started().await);
    Ok(())
}
