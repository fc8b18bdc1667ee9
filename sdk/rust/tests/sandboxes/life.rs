//! From a sandbox's making to its end.

use crate::support::server::shared;
use futures_util::future::join_all;
use libtest_mimic::Trial;
use microsandbox::{
    BaseSandbox, Network, NodeSandbox, PythonSandbox, SandboxError, SandboxState, StartOptions,
};
use std::time::Duration;

use super::{output, python, python_with, there_is_a_server};

pub fn trials() -> Vec<Trial> {
    crate::trials!("sandboxes" after there_is_a_server:
        state_is_kept_between_runs_and_the_end_is_known,
        a_sandbox_may_be_started_with_sizes,
        a_disk_is_kept_over_stop_and_start_where_it_is_not_ephemeral,
        the_unix_socket_serves_too,
        all_options_arrive,
        many_at_once_are_apart,
        a_name_has_one_owner,
        what_cannot_be_is_refused_by_its_code,
        a_sandbox_is_found_by_name_and_id,
        a_sandbox_that_a_question_mark_drops_is_gone,
        a_life_can_be_extended,
        a_log_has_what_was_written_outside_of_cells,
    )
}

async fn state_is_kept_between_runs_and_the_end_is_known() {
    let mut sandbox = python().await;
    assert_eq!(output(&sandbox, "x = 42").await, "");
    assert_eq!(output(&sandbox, "x * 2").await, "84");
    assert_eq!(
        sandbox.info().await.expect("info").state,
        SandboxState::Running
    );
    sandbox.stop().await.expect("a stop");
    sandbox.stop().await.expect("nothing to do");
    assert!(!sandbox.is_started());
    let error = sandbox.run("x", None).await.expect_err("it is stopped");
    assert!(matches!(error, SandboxError::SandboxNotRunning(_)));
    let error = sandbox.info().await.expect_err("it is gone");
    assert!(matches!(error, SandboxError::SandboxNotRunning(_)));
}

async fn a_sandbox_may_be_started_with_sizes() {
    let options = shared().options().name("by-hand");
    let mut sandbox = NodeSandbox::create_with_options(options)
        .await
        .expect("options that can be");
    assert!(!sandbox.is_started());
    let sizes = StartOptions::default()
        .image("microsandbox/node")
        .memory(256)
        .cpus(1.0);
    sandbox.start(Some(sizes)).await.expect("a start");
    sandbox.start(None).await.expect("nothing to do");
    assert_eq!(output(&sandbox, "const a = 20; a + 1").await, "21");
    let info = sandbox.info().await.expect("info");
    assert_eq!((info.memory, info.cpus, info.ephemeral), (256, 1.0, true));
    assert_eq!(
        (info.languages[0].as_str(), info.name.as_str()),
        ("node", "by-hand")
    );
    sandbox.delete().await.expect("an end");
}

async fn a_disk_is_kept_over_stop_and_start_where_it_is_not_ephemeral() {
    let mut sandbox = python_with(|options| options.name("keeps").ephemeral(false)).await;
    output(
        &sandbox,
        "_ = open('kept.txt', 'w').write('still here')\nv = 1",
    )
    .await;
    sandbox.stop().await.expect("a stop");
    assert_eq!(
        sandbox.info().await.expect("info").state,
        SandboxState::Stopped
    );
    let mut other = PythonSandbox::connect("keeps", Some(shared().options()))
        .await
        .expect("it is there");
    assert!(!other.is_started());
    other.start(None).await.expect("a start");
    assert_eq!(
        other
            .files()
            .read_text("kept.txt", None)
            .await
            .expect("a file"),
        "still here"
    );
    assert!(other.run("v", None).await.expect("a run").has_error());
    other.delete().await.expect("an end");
    sandbox.delete().await.expect("nothing to do");
}

async fn the_unix_socket_serves_too() {
    let socket = format!("unix:{}", shared().socket().display());
    let mut sandbox = python_with(|options| options.server_url(socket)).await;
    assert_eq!(output(&sandbox, "'by socket'").await, "'by socket'");
    sandbox.stop().await.expect("a stop");
}

async fn all_options_arrive() {
    let mut sandbox = python_with(|options| {
        let options = options
            .namespace("team")
            .memory(200)
            .cpus(0.5)
            .processes(64)
            .disk(64)
            .network(Network::None);
        let options = options.env([("GREETING", "hello")]).labels([("team", "a")]);
        options
            .time_to_live(Duration::from_secs(600))
            .idle_timeout(Duration::ZERO)
    })
    .await;
    let info = sandbox.info().await.expect("info");
    assert_eq!(
        (
            info.namespace.as_str(),
            info.memory,
            info.cpus,
            info.processes,
            info.disk
        ),
        ("team", 200, 0.5, 64, 64)
    );
    assert_eq!(
        (info.labels["team"].as_str(), info.network.as_str()),
        ("a", "none")
    );
    assert_eq!(
        (info.time_to_live, info.idle_timeout),
        (Some(Duration::from_secs(600)), Duration::ZERO)
    );
    assert!(info.expires_at.is_some());
    assert_eq!(
        output(&sandbox, "import os; os.environ['GREETING']").await,
        "'hello'"
    );
    sandbox.stop().await.expect("a stop");
}

async fn many_at_once_are_apart() {
    let squares = join_all((0..4).map(|n| async move {
        let mut sandbox = python().await;
        output(&sandbox, &format!("n = {n}")).await;
        let square = output(&sandbox, "n * n").await;
        sandbox.stop().await.expect("a stop");
        square
    }));
    assert_eq!(squares.await, ["0", "1", "4", "9"]);
}

async fn a_name_has_one_owner() {
    let mut sandbox = python_with(|options| options.name("only-one")).await;
    let options = shared().options().name("only-one");
    let mut second = PythonSandbox::create_with_options(options)
        .await
        .expect("options that can be");
    let error = second.start(None).await.expect_err("the name is taken");
    assert!(matches!(error, SandboxError::NameTaken(_)), "{error:?}");
    drop(second);
    assert_eq!(output(&sandbox, "1").await, "1");
    sandbox.stop().await.expect("a stop");
}

async fn what_cannot_be_is_refused_by_its_code() {
    let options = || shared().options();
    for (options, code) in [
        (options().name("-bad"), "invalid_name"),
        (options().name("a".repeat(64)), "invalid_name"),
        (options().memory(1), "invalid_limits"),
        (options().image("no-such-image"), "image_not_found"),
    ] {
        let mut sandbox = PythonSandbox::create_with_options(options)
            .await
            .expect("a sandbox");
        assert_eq!(
            sandbox.start(None).await.expect_err("it cannot be").code(),
            code
        );
    }
}

async fn a_sandbox_is_found_by_name_and_id() {
    let mut sandbox = python().await;
    output(&sandbox, "shared = 5").await;
    let id = sandbox.info().await.expect("info").id;
    for name in [sandbox.name().to_owned(), id] {
        let same = PythonSandbox::connect(name, Some(shared().options()))
            .await
            .expect("it is there");
        assert!(same.is_started());
        assert_eq!(same.name(), sandbox.name());
        assert_eq!(output(&same, "shared").await, "5");
    }
    sandbox.stop().await.expect("a stop");
    let gone = PythonSandbox::connect(sandbox.name(), Some(shared().options())).await;
    assert!(matches!(gone, Err(SandboxError::SandboxNotFound(_))));
}

async fn a_sandbox_that_a_question_mark_drops_is_gone() {
    async fn failing() -> Result<(), SandboxError> {
        let sandbox = python_with(|options| options.name("dropped")).await;
        sandbox.files().read("nothing-here", None).await?;
        Ok(())
    }
    assert!(matches!(failing().await, Err(SandboxError::NoSuchFile(_))));
    // On a busy machine its end takes longer than the drop waits.
    while PythonSandbox::connect("dropped", Some(shared().options()))
        .await
        .is_ok()
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let gone = PythonSandbox::connect("dropped", Some(shared().options())).await;
    assert!(
        matches!(gone, Err(SandboxError::SandboxNotFound(_))),
        "{gone:?}"
    );
}

async fn a_life_can_be_extended() {
    let mut sandbox = python().await;
    let info = sandbox
        .extend(
            Some(Duration::from_secs(900)),
            Some(Duration::from_secs(60)),
        )
        .await
        .expect("more");
    assert!(info.expires_at.is_some());
    assert_eq!(info.idle_timeout, Duration::from_secs(60));
    let info = sandbox
        .extend(Some(Duration::ZERO), None)
        .await
        .expect("no limit");
    assert_eq!(
        (info.expires_at, info.idle_timeout),
        (None, Duration::from_secs(60))
    );
    sandbox.stop().await.expect("a stop");
}

async fn a_log_has_what_was_written_outside_of_cells() {
    let mut sandbox = python().await;
    let code = "import threading, time\ndef late():\n    time.sleep(0.3)\n    print('late words', flush=True)\n\
        threading.Thread(target=late).start()";
    output(&sandbox, code).await;
    loop {
        let log = sandbox.logs(None, None).await.expect("a log");
        if let Some(late) = log.iter().find(|entry| entry.text.contains("late words")) {
            assert_eq!(late.source, "stdout");
            let after = sandbox
                .logs(Some(late.sequence), Some(10))
                .await
                .expect("a log");
            assert!(after.iter().all(|entry| entry.sequence > late.sequence));
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sandbox.stop().await.expect("a stop");
}
