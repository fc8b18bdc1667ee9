//! The crate of the original system as it was published, against our server: with a key and in development mode.

use std::fs;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use libtest_mimic::Trial;

use crate::support::project::{cargo, target};
use crate::support::server::TestServer;
use crate::support::{package, trial};

/// Tests, each with the aspect of the program that it is about, and what that says.
const ASPECTS: &[(&str, &str, &[&str])] = &[
    (
        "starts",
        "starts",
        &[
            "false",
            "Sandbox is not started. Call start() first.",
            "true",
        ],
    ),
    (
        "runs_cells_that_keep_their_state",
        "state",
        &["Hello from Python!", "false success python"],
    ),
    (
        "gives_output_without_errors_and_errors_apart",
        "apart",
        &["one||two|12", "aside"],
    ),
    (
        "learns_of_exceptions",
        "exceptions",
        &[
            "true error",
            "NameError: name 'undefined_name' is not defined",
            "goes on",
        ],
    ),
    (
        "runs_commands",
        "commands",
        &["out err", "3 false sh", "true", "true"],
    ),
    (
        "reads_metrics",
        "metrics",
        &["\"old-python\" \"default\" true", "true", "true true true"],
    ),
    (
        "stops",
        "stops",
        &[
            "false",
            "Sandbox is not started. Call start() first.",
            "False",
        ],
    ),
    (
        "keeps_namespaces_apart",
        "namespaces",
        &["'one' \"one\"", "'two' \"two\""],
    ),
    (
        "runs_node",
        "node",
        &[
            "true",
            "Hello from Node.js!",
            "false success javascript",
            "true true",
            "42 true",
            "true",
            "false",
        ],
    ),
];

/// Sandboxes that the program makes; those of the original outlive their stop.
const SANDBOXES: usize = 4;

/// What one run of the program said, line by line.
type Said = Arc<LazyLock<Vec<String>, Box<dyn FnOnce() -> Vec<String> + Send>>>;

pub fn trials() -> Vec<Trial> {
    let compiled = Arc::new(LazyLock::new(compile));
    let said = |is_dev: bool| -> Said {
        let compiled = compiled.clone();
        Arc::new(LazyLock::new(Box::new(move || {
            LazyLock::force(&compiled);
            run(is_dev)
        })))
    };
    let mut trials = Vec::new();
    for (mode, claim, said) in [
        ("with a key", "brings_its_key", said(false)),
        (
            "in development mode",
            "needs_no_key_in_development_mode",
            said(true),
        ),
    ] {
        for (name, aspect, expected) in ASPECTS {
            let said = said.clone();
            trials.push(trial(title(&format!("{name}[{mode}]")), move || {
                let begin = format!("{aspect}: ");
                let lines: Vec<&str> = said
                    .iter()
                    .filter_map(|line| line.strip_prefix(&begin))
                    .collect();
                assert_eq!(&lines, expected);
            }));
        }
        trials.push(trial(title(claim), move || {
            let expected: usize = ASPECTS.iter().map(|(_, _, lines)| lines.len()).sum();
            assert_eq!(said.len(), expected, "{said:?}");
        }));
    }
    for (mode, key) in [("no key", None), ("wrong key", Some("msb_wrong"))] {
        let compiled = compiled.clone();
        trials.push(trial(
            title(&format!("is_refused_without_a_good_key[{mode}]")),
            move || {
                LazyLock::force(&compiled);
                let server = TestServer::start(false, &[]);
                assert_eq!(program(&server, key, &["refused"]), ["refused: true true"]);
                assert_eq!(server.end(), 0);
            },
        ));
    }
    trials
}

fn title(name: &str) -> String {
    format!("crate microsandbox 0.1.2: old_client_{name}")
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

fn run(is_dev: bool) -> Vec<String> {
    let server = TestServer::start(is_dev, &[]);
    let key = (!is_dev).then(|| server.msb(&["key", "create", "--name", "old"]));
    let said = program(&server, key.as_deref().map(str::trim), &[]);
    assert_eq!(server.end(), SANDBOXES);
    said
}

fn program(server: &TestServer, key: Option<&str>, arguments: &[&str]) -> Vec<String> {
    let done = Command::new(target().join("debug/old-client"))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("MSB_SERVER_URL", &server.url)
        .envs(key.map(|key| ("MSB_API_KEY", key)))
        .current_dir("/")
        .output()
        .expect("the program runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout)
        .expect("text")
        .lines()
        .map(str::to_owned)
        .collect()
}
