//! What programs of the original system's users look like. Each line that it prints is what one aspect of the client said.

use std::error::Error;

use microsandbox::{BaseSandbox, NodeSandbox, PythonSandbox, SandboxOptions, StartOptions};

type Failure = Box<dyn Error + Send + Sync>;

/// Prints what an aspect said, on one line.
fn say(aspect: &str, what: impl ToString) {
    println!("{aspect}: {}", what.to_string().replace('\n', "|"));
}

fn text<T>(outcome: Result<T, Failure>) -> String {
    outcome.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if std::env::args().nth(1).as_deref() == Some("refused") {
        let mut sandbox = PythonSandbox::create("old-refused").await?;
        let refused = text(sandbox.start(None).await);
        say("refused", format!("{} {}", !refused.is_empty(), refused.contains("\"code\":10")));
        return Ok(());
    }
    python().await?;
    namespaces().await?;
    node().await
}

async fn python() -> Result<(), Failure> {
    let mut sandbox = PythonSandbox::create("old-python").await?;
    say("starts", sandbox.is_started().await);
    say("starts", text(sandbox.run("1").await));
    sandbox.start(Some(StartOptions { memory: 256, ..Default::default() })).await?;
    sandbox.start(None).await?;
    say("starts", sandbox.is_started().await);

    sandbox.run("name = 'Python'").await?;
    let execution = sandbox.run("print(f'Hello from {name}!')").await?;
    say("state", execution.output().await?);
    say("state", format!("{} {} {}", execution.has_error(), execution.status(), execution.language()));

    let execution = sandbox.run("import sys\nprint('one\\n\\ntwo')\nprint('aside', file=sys.stderr)\n3 * 4").await?;
    say("apart", execution.output().await?);
    say("apart", execution.error().await?);

    let failed = sandbox.run("undefined_name").await?;
    let error = failed.error().await?;
    say("exceptions", format!("{} {}", failed.has_error(), failed.status()));
    say("exceptions", error.lines().last().unwrap_or_default());
    say("exceptions", sandbox.run("print('goes on')").await?.output().await?);

    let command = sandbox.command().await?;
    let done = command.run("sh", Some(vec!["-c", "echo out; echo err >&2; exit 3"]), Some(60)).await?;
    say("commands", format!("{} {}", done.output().await?, done.error().await?));
    say("commands", format!("{} {} {}", done.exit_code(), done.is_success(), done.command()));
    say("commands", command.run("true", None, None).await?.is_success());
    let unknown = text(command.run("no-such-program", None, None).await);
    say("commands", unknown.contains("no-such-program"));

    let metrics = sandbox.metrics().await?;
    let all = metrics.all().await?;
    say("metrics", format!("{} {} {}", all["name"], all["namespace"], all["running"]));
    say("metrics", metrics.is_running().await?);
    let (cpu, memory, disk) = (metrics.cpu().await?, metrics.memory().await?, metrics.disk().await?);
    say("metrics", format!("{} {} {}", cpu.is_some(), memory > Some(0), disk.is_some()));

    sandbox.stop().await?;
    sandbox.stop().await?;
    say("stops", sandbox.is_started().await);
    say("stops", text(sandbox.run("1").await));
    let mut again = PythonSandbox::create("old-python").await?;
    say("stops", again.run_or_start("'name' in globals()").await?.output().await?);
    again.stop().await
}

async fn namespaces() -> Result<(), Failure> {
    let of = |namespace: &str| SandboxOptions::builder().name("same").namespace(namespace).build();
    let mut one = PythonSandbox::create_with_options(of("one")).await?;
    let mut two = PythonSandbox::create_with_options(of("two")).await?;
    one.start(None).await?;
    two.start(None).await?;
    one.run("where = 'one'").await?;
    two.run("where = 'two'").await?;
    for sandbox in [&one, &two] {
        let namespace = sandbox.metrics().await?.all().await?["namespace"].clone();
        say("namespaces", format!("{} {namespace}", sandbox.run("where").await?.output().await?));
    }
    one.stop().await?;
    two.stop().await
}

async fn node() -> Result<(), Failure> {
    let mut sandbox = NodeSandbox::create("old-node").await?;
    sandbox.start(None).await?;
    say("node", sandbox.is_started().await);
    sandbox.run("const name = 'Node.js'").await?;
    let execution = sandbox.run("console.log(`Hello from ${name}!`)").await?;
    say("node", execution.output().await?);
    say("node", format!("{} {} {}", execution.has_error(), execution.status(), execution.language()));
    let failed = sandbox.run("undefinedName").await?;
    let error = failed.error().await?;
    say("node", format!("{} {}", failed.has_error(), error.contains("undefinedName is not defined")));
    let done = sandbox.command().await?.run("node", Some(vec!["-p", "6 * 7"]), None).await?;
    say("node", format!("{} {}", done.output().await?, done.is_success()));
    say("node", sandbox.metrics().await?.is_running().await?);
    sandbox.stop().await?;
    say("node", sandbox.is_started().await);
    Ok(())
}
