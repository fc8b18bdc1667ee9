//! The crate of the original system as it was published, against our server: with a key and in development mode.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, LazyLock};

use libtest_mimic::Trial;

use crate::support::project::{cargo, target};
use crate::support::server::TestServer;
use crate::support::{package, trial};

/// What the program says, by sandbox and name.
const FACTS: &[(&str, &str, &str)] = &[
    ("PythonSandbox", "is not started", "false"),
    (
        "PythonSandbox",
        "run before start",
        "Sandbox is not started. Call start() first.",
    ),
    ("PythonSandbox", "start", "true"),
    ("PythonSandbox", "state and output", "Hello from Python!"),
    ("PythonSandbox", "has_error", "false"),
    ("PythonSandbox", "status and language", "success python"),
    ("PythonSandbox", "has_error of an exception", "true"),
    (
        "PythonSandbox",
        "error of an exception",
        "NameError: name 'undefined_name' is not defined",
    ),
    ("PythonSandbox", "command output", "hi"),
    ("PythonSandbox", "command error", "bad"),
    ("PythonSandbox", "command exit code", "3 false"),
    ("PythonSandbox", "command that is unknown", "true"),
    ("PythonSandbox", "metrics is_running", "true"),
    ("PythonSandbox", "metrics cpu", "true"),
    ("PythonSandbox", "metrics memory", "true"),
    ("PythonSandbox", "metrics disk", "true"),
    ("PythonSandbox", "metrics name", "\"old-python\""),
    ("PythonSandbox", "namespace that it sent", "\"team\""),
    ("PythonSandbox", "stop", "false"),
    ("PythonSandbox", "run_or_start after stop", "42"),
    ("NodeSandbox", "start", "true"),
    ("NodeSandbox", "state and output", "Hello from Node.js!"),
    ("NodeSandbox", "has_error", "false"),
    ("NodeSandbox", "status and language", "success javascript"),
    ("NodeSandbox", "has_error of an exception", "true"),
    ("NodeSandbox", "error of an exception", "true"),
    ("NodeSandbox", "command output", "42"),
    ("NodeSandbox", "command exit code", "0 true"),
    ("NodeSandbox", "metrics name", "\"old-node\""),
    ("NodeSandbox", "namespace that it sent", "\"default\""),
    ("NodeSandbox", "stop", "false"),
];

/// What one run of the program said.
type Said = BTreeMap<String, String>;

pub fn trials() -> Vec<Trial> {
    let program = Arc::new(LazyLock::new(compile));
    let mut trials = Vec::new();
    for (mode, is_dev) in [("with a key", false), ("in development mode", true)] {
        let program = program.clone();
        let said = Arc::new(LazyLock::new(move || {
            LazyLock::force(&program);
            run(is_dev)
        }));
        for (sandbox, name, expected) in FACTS {
            let said = said.clone();
            let title = format!("crate microsandbox 0.1.2, {mode}: {sandbox}: {name}");
            trials.push(trial(title, move || {
                assert_eq!(
                    said.get(&format!("{sandbox} {name}")).map(String::as_str),
                    Some(*expected)
                );
            }));
        }
        let said = said.clone();
        trials.push(trial(
            format!("crate microsandbox 0.1.2, {mode}: nothing else is said"),
            move || {
                assert_eq!(said.len(), FACTS.len());
            },
        ));
    }
    trials
}

/// Installs the crate from its registry into an empty project, with the program.
fn compile() {
    let folder = tempfile::Builder::new()
        .prefix("msb-")
        .tempdir_in("/tmp")
        .expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
        fs::copy(
            package().join("tests/old-client").join(file),
            folder.path().join(file),
        )
        .expect("a file");
    }
    let done = cargo()
        .args(["build", "--quiet", "--locked"])
        .current_dir(folder.path())
        .output()
        .expect("cargo runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn run(is_dev: bool) -> Said {
    let server = TestServer::start(is_dev, &[]);
    let mut program = std::process::Command::new(target().join("debug/old-client"));
    program
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("MSB_SERVER_URL", &server.url)
        .current_dir("/");
    if !is_dev {
        let key = server.msb(&["key", "create", "--name", "old"]);
        program.env("MSB_API_KEY", key.trim());
    }
    let done = program.output().expect("the program runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    // The original's sandboxes outlive their stop: the two are stored until the server's home goes.
    assert_eq!(server.end(), 2);
    let said = String::from_utf8(done.stdout).expect("text");
    let facts = said.lines().filter_map(|line| line.split_once(": "));
    facts
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
