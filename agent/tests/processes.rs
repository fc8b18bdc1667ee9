//! Commands: started, streamed, fed, signalled and ended.

mod common;

use common::*;
use microsandbox_agent::frame::FrameType;
use microsandbox_agent::wire::*;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[test]
fn a_command_gives_its_output_by_lane_and_its_exit_code() {
    let mut host = Host::start();
    let run = host.exec(shell("echo out; echo err >&2; exit 3"));
    assert_eq!((run.out().as_str(), run.err().as_str()), ("out\n", "err\n"));
    assert_eq!(
        (run.outcome(), run.finished().exit_code),
        (Outcome::Exited, 3)
    );
    assert_eq!(run.finished().output_end, 8);
    assert_eq!(run.order[..2], ["opened", "started"]);
    assert_eq!(run.order.last(), Some(&"finished"));
    assert!(run.started.unwrap().pid > 0);
}

#[test]
fn a_command_killed_by_a_signal_says_so() {
    let mut host = Host::start();
    let run = host.exec(shell("kill -SEGV $$"));
    assert_eq!(
        (run.outcome(), run.finished().signal),
        (Outcome::Signaled, libc::SIGSEGV)
    );
    let run = host.exec(shell("kill -KILL $$"));
    assert!(run.finished().oom_suspected);
}

#[test]
fn what_cannot_be_started_is_refused_with_its_reason() {
    let mut host = Host::start();
    let plain = host.path().join("plain");
    std::fs::write(&plain, "text").unwrap();
    let lost = host.path().join("lost");
    std::fs::write(&lost, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&lost, PermissionsExt::from_mode(0o755)).unwrap();
    let missing = StartProcess {
        working_directory: "/no/such/place".into(),
        ..command(&["true"])
    };
    let nul = StartProcess {
        environment: BTreeMap::from([("A=B".into(), "c".into())]),
        ..command(&["true"])
    };
    let cases = [
        (command(&["no-such-program"]), "command_not_found"),
        (command(&["/no/such/program"]), "command_not_found"),
        (
            command(&[plain.to_str().unwrap()]),
            "command_not_executable",
        ),
        (command(&[lost.to_str().unwrap()]), "command_not_executable"),
        (missing, "no_such_directory"),
        (command(&[]), "invalid_request"),
        (command(&[""]), "invalid_request"),
        (command(&["echo", "a\0b"]), "invalid_request"),
        (nul, "invalid_request"),
        (
            StartProcess {
                object_id: vec![1],
                ..command(&["true"])
            },
            "invalid_request",
        ),
    ];
    for (process, code) in cases {
        let what = format!("{process:?}");
        let run = host.exec(process);
        assert_eq!(run.code(), code, "{what}");
        assert_eq!(run.reset.unwrap().reason(), ResetReason::Failed);
    }
}

#[test]
fn a_script_without_an_interpreter_line_is_the_shells() {
    let mut host = Host::start();
    let script = host.path().join("script");
    std::fs::write(&script, "echo \"script $1\"\n").unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(
        host.exec(command(&[script.to_str().unwrap(), "x"])).out(),
        "script x\n"
    );
}

#[test]
fn environment_and_directory_are_those_asked_for_and_nothing_of_the_agents_is_there() {
    let mut host = Host::start_with(&[("FROM_IMAGE", "yes")]);
    let folder = host.path().to_str().unwrap().to_owned();
    let process = StartProcess {
        environment: BTreeMap::from([("ASKED".into(), "a b".into())]),
        working_directory: folder.clone(),
        ..shell("pwd; env")
    };
    let out = host.exec(process).out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[0],
        std::fs::canonicalize(&folder).unwrap().to_str().unwrap()
    );
    for wanted in [
        "ASKED=a b",
        "FROM_IMAGE=yes",
        "USER=sandbox",
        "LOGNAME=sandbox",
    ] {
        assert!(lines.contains(&wanted), "{wanted} in {out}");
    }
    assert!(!out.contains("MSB_"), "{out}");
}

#[test]
fn a_program_gets_no_descriptor_but_its_three_and_a_session_of_its_own() {
    let mut host = Host::start();
    let mut script = shell(
        "ls /proc/$$/fd; cut -d' ' -f6 /proc/$$/stat; echo $$; grep NoNewPrivs /proc/$$/status",
    );
    script.environment.insert("LC_ALL".into(), "C".into());
    let run = host.exec(script);
    let out = run.out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..3], ["0", "1", "2"], "{out}");
    assert_eq!(lines[3], lines[4], "the session is the process's own");
    assert_eq!(lines[5], "NoNewPrivs:\t1");
}

#[test]
fn programs_start_with_default_signals() {
    let mut host = Host::start();
    let out = host
        .exec(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"))
        .out();
    for line in out.lines() {
        assert!(line.ends_with("0000000000000000"), "{line}");
    }
}

#[test]
fn input_is_passed_on_and_its_end_too() {
    let mut host = Host::start();
    let process = StartProcess {
        stdin: true,
        ..command(&["cat"])
    };
    let stream = host.open(host_open::Target::StartProcess(process));
    let mut run = Run::default();
    while run.started.is_none() {
        host.step(stream, &mut run, PATIENCE);
    }
    assert_eq!(run.opened.unwrap().window, 65_536);
    host.send(stream, FrameType::Data, 0, b"one ");
    host.send(stream, FrameType::Data, 0, b"two");
    host.send(stream, FrameType::End, 0, b"");
    while !host.step(stream, &mut run, PATIENCE) {}
    assert_eq!(run.out(), "one two");
    assert_eq!(run.outcome(), Outcome::Exited);
}

/// Sends much more than any window, waiting for credit as a host does.
#[test]
fn a_megabyte_of_input_flows_with_credit() {
    let mut host = Host::start();
    let process = StartProcess {
        stdin: true,
        ..shell("sleep 0.2; wc -c")
    };
    let stream = host.open(host_open::Target::StartProcess(process));
    let mut credit = 0;
    let mut left = 1 << 20;
    let mut out = Vec::new();
    loop {
        while left > 0 && credit > 0 {
            let part = left.min(credit).min(32 << 10);
            host.send(stream, FrameType::Data, 0, &vec![b'x'; part]);
            left -= part;
            credit -= part;
            if left == 0 {
                host.send(stream, FrameType::End, 0, b"");
            }
        }
        let (header, payload) = host.next_of(stream, PATIENCE).expect("a frame");
        match header.kind {
            FrameType::Opened => {
                credit += <Opened as prost::Message>::decode(payload.as_slice())
                    .unwrap()
                    .window as usize
            }
            FrameType::Credit => {
                credit += <Credit as prost::Message>::decode(payload.as_slice())
                    .unwrap()
                    .bytes as usize
            }
            FrameType::Data => out.extend(payload),
            FrameType::End => break,
            _ => {}
        }
    }
    assert_eq!(String::from_utf8(out).unwrap().trim(), "1048576");
}

#[test]
fn input_that_nobody_reads_does_not_hold_anything() {
    let mut host = Host::start();
    let process = StartProcess {
        stdin: true,
        ..shell("exec 0<&-; sleep 0.3; echo done")
    };
    let stream = host.open(host_open::Target::StartProcess(process));
    let mut run = Run::default();
    while run.started.is_none() {
        host.step(stream, &mut run, PATIENCE);
    }
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..4 {
        host.send(stream, FrameType::Data, 0, &[b'x'; 16_384]);
    }
    while !host.step(stream, &mut run, PATIENCE) {}
    assert_eq!(run.out(), "done\n");
}

#[test]
fn a_program_without_input_reads_its_end_at_once() {
    let mut host = Host::start();
    assert_eq!(host.exec(shell("cat; echo over")).out(), "over\n");
}

#[test]
fn a_daemon_that_keeps_the_pipe_does_not_hold_the_end_of_its_parent() {
    let mut host = Host::start();
    let began = Instant::now();
    let run = host.exec(shell("(sleep 60; echo late) & echo now"));
    assert_eq!(run.out(), "now\n");
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_daemon_that_floods_the_pipe_does_not_hold_it_either() {
    let mut host = Host::start();
    let began = Instant::now();
    let run = host.exec(shell("yes & echo $! >&2; exit 5"));
    assert_eq!(run.finished().exit_code, 5);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    let _ = std::process::Command::new("kill")
        .arg(run.err().trim())
        .status();
}

#[test]
fn signals_reach_a_process_and_its_group() {
    let mut host = Host::start();
    let script = shell("trap 'echo got; exit 7' TERM; echo ready; while :; do sleep 0.05; done");
    let id = script.object_id.clone();
    let stream = host.open(host_open::Target::StartProcess(script));
    let mut run = Run::default();
    while run.out() != "ready\n" {
        host.step(stream, &mut run, PATIENCE);
    }
    let signal = Signal {
        object_id: id.clone(),
        number: libc::SIGTERM,
        group: false,
    };
    assert!(matches!(
        host.request(host_control::Body::Signal(signal)),
        agent_control::Body::Done(_)
    ));
    while !host.step(stream, &mut run, PATIENCE) {}
    assert_eq!(
        (run.out().as_str(), run.finished().exit_code),
        ("ready\ngot\n", 7)
    );

    let tree = shell("sleep 1000 & sleep 1000");
    let id = tree.object_id.clone();
    let stream = host.open(host_open::Target::StartProcess(tree));
    let mut run = Run::default();
    while run.started.is_none() {
        host.step(stream, &mut run, PATIENCE);
    }
    let signal = Signal {
        object_id: id,
        number: libc::SIGKILL,
        group: true,
    };
    host.request(host_control::Body::Signal(signal));
    while !host.step(stream, &mut run, PATIENCE) {}
    assert_eq!(run.finished().signal, libc::SIGKILL);
    assert!(!run.finished().oom_suspected, "the agent sent it");
}

#[test]
fn an_interrupt_is_a_sigint_to_the_group() {
    let mut host = Host::start();
    let script = shell("trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done");
    let id = script.object_id.clone();
    let stream = host.open(host_open::Target::StartProcess(script));
    let mut run = Run::default();
    while run.out() != "ready\n" {
        host.step(stream, &mut run, PATIENCE);
    }
    host.interrupt(&id, InterruptReason::Caller);
    while !host.step(stream, &mut run, PATIENCE) {}
    assert_eq!(run.finished().exit_code, 9);
}

#[test]
fn signals_to_nobody_and_of_no_number_are_refused() {
    let mut host = Host::start();
    for (number, code) in [
        (0, "invalid_request"),
        (65, "invalid_request"),
        (-9, "invalid_request"),
        (15, "run_not_found"),
    ] {
        let signal = Signal {
            object_id: object_id(),
            number,
            group: false,
        };
        match host.request(host_control::Body::Signal(signal)) {
            agent_control::Body::Failure(failure) => assert_eq!(failure.code, code),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn orphans_are_adopted_and_reaped() {
    let mut host = Host::start();
    let run = host.exec(shell("(sh -c 'sleep 0.2' &) ; exit 0"));
    assert_eq!(run.finished().exit_code, 0);
    let children = format!("/proc/{0}/task/{0}/children", host.agent.id());
    let end = Instant::now() + PATIENCE;
    while std::fs::read_to_string(&children).unwrap().trim() != "" {
        assert!(Instant::now() < end, "an orphan was not reaped");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hundred_commands_run_at_once() {
    let mut host = Host::start();
    let script = |number: usize| shell(&format!("sleep 0.1; echo {number}"));
    let streams: Vec<u32> = (0..100)
        .map(|number| host.open(host_open::Target::StartProcess(script(number))))
        .collect();
    for (number, stream) in streams.into_iter().enumerate() {
        assert_eq!(host.collect(stream).out(), format!("{number}\n"));
    }
}

#[test]
fn what_an_agent_starts_is_a_likelier_victim_of_the_oom_killer() {
    let mut host = Host::start();
    let run = host.exec(shell("cat /proc/self/oom_score_adj"));
    let own = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", host.agent.id())).unwrap();
    let (child, own): (i32, i32) = (
        run.out().trim().parse().unwrap(),
        own.trim().parse().unwrap(),
    );
    assert!(
        child >= own.saturating_add(500).min(1000),
        "{child} and {own}"
    );
}

#[test]
fn status_and_shutdown() {
    let mut host = Host::start();
    match host.request(host_control::Body::Status(StatusQuery {})) {
        agent_control::Body::Status(status) => {
            assert!(
                status.disk_total > 0
                    && status.disk_used <= status.disk_total
                    && status.processes > 1
            );
        }
        other => panic!("{other:?}"),
    }
    let stubborn = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
    let stream = host.open(host_open::Target::StartProcess(stubborn));
    let mut run = Run::default();
    while run.out() != "ready\n" {
        host.step(stream, &mut run, PATIENCE);
    }
    let began = Instant::now();
    let answer = host.request(host_control::Body::Shutdown(Shutdown { grace_ms: 300 }));
    assert!(matches!(answer, agent_control::Body::Done(_)));
    assert!(
        began.elapsed() >= Duration::from_millis(290) && began.elapsed() < Duration::from_secs(20)
    );
    assert!(host.agent.wait().unwrap().success());
}
