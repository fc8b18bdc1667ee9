//! The agent as PID 1 with root's rights, in namespaces of its own: users, capabilities, and what is kept from tenants.

mod common;

use common::*;
use microsandbox_agent::wire::*;
use std::time::Duration;

/// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID.
const ROOTS: &str = "00000000000000fb";
const NONE: &str = "0000000000000000";

fn host() -> Option<Host> {
    let root = std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .contains("\nUid:\t0\t");
    let unshare = || {
        std::process::Command::new("unshare")
            .args(["-m", "-u", "-p", "-f", "--mount-proc", "true"])
            .status()
    };
    if !root || !unshare().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: namespaces of our own need root");
        return None;
    }
    Some(Host::start_as_pid_one())
}

fn as_user(user: &str, script: &str) -> StartProcess {
    StartProcess {
        user: user.into(),
        ..shell(script)
    }
}

#[test]
fn the_sandbox_user_has_no_capability_and_its_own_groups() {
    let Some(mut host) = host() else { return };
    let out = host
        .exec(as_user(
            "",
            "id -u; id -g; id -G; grep ^Cap /proc/self/status; grep NoNew /proc/self/status",
        ))
        .out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..3], ["1000", "1000", "1000 44"], "{out}");
    for line in &lines[3..8] {
        assert!(line.ends_with(NONE), "{line}");
    }
    assert!(lines[8].ends_with('1'));
    let out = host
        .exec(as_user(
            "",
            "pwd; echo $HOME $USER $LOGNAME $SHELL; echo $PATH",
        ))
        .out();
    assert_eq!(
        out.lines().take(2).collect::<Vec<_>>(),
        ["/home/sandbox", "/home/sandbox sandbox sandbox /bin/sh"]
    );
}

#[test]
fn root_has_the_seven_capabilities_and_no_more() {
    let Some(mut host) = host() else { return };
    let out = host
        .exec(as_user("root", "id -u; grep ^Cap /proc/self/status"))
        .out();
    for (name, wanted) in [
        ("CapInh", NONE),
        ("CapPrm", ROOTS),
        ("CapEff", ROOTS),
        ("CapBnd", ROOTS),
        ("CapAmb", NONE),
    ] {
        assert!(
            out.contains(&format!("{name}:\t{wanted}")),
            "{name} in {out}"
        );
    }
}

#[test]
fn root_inside_can_neither_read_nor_trace_nor_end_the_agent() {
    let Some(mut host) = host() else { return };
    let script = "for f in environ mem maps; do head -c 1 /proc/1/$f && echo READ $f; done; \
                  ls /proc/1/fd/0 && echo READ fd; readlink /proc/1/exe && echo READ exe; \
                  kill -TERM 1; kill -KILL 1; kill -STOP 1; kill -INT 1; sleep 0.3; echo alive";
    let run = host.exec(as_user("root", script));
    assert_eq!(run.out(), "alive\n", "{}", run.err());
    assert!(matches!(
        host.request(host_control::Body::Ping(Ping {})),
        agent_control::Body::Done(_)
    ));
    let out = host
        .exec(as_user(
            "",
            "cat /proc/1/environ; kill -KILL 1; kill -KILL -1; echo on",
        ))
        .out();
    assert!(!out.contains("MSB_"), "{out}");
    assert_eq!(host.exec(as_user("", "echo alive")).out(), "alive\n");
}

#[test]
fn an_unknown_user_is_refused() {
    let Some(mut host) = host() else { return };
    assert_eq!(
        host.exec(as_user("nobody-such", "true")).code(),
        "unknown_user"
    );
    assert_eq!(host.exec(as_user("daemon", "id -u")).out(), "1\n");
}

#[test]
fn files_are_read_and_written_with_the_rights_of_their_user() {
    let Some(mut host) = host() else { return };
    host.exec(as_user(
        "root",
        "echo secret > /home/secret; chmod 600 /home/secret",
    ));
    let read = |user: &str| {
        host_control::Body::ReadFile(ReadFile {
            path: "/home/secret".into(),
            user: user.into(),
            ..ReadFile::default()
        })
    };
    assert!(
        matches!(host.request(read("")), agent_control::Body::Failure(failure) if failure.code == "permission_denied")
    );
    assert!(
        matches!(host.request(read("root")), agent_control::Body::FileContent(content) if content.content == b"secret\n")
    );
    let write = |path: &str, user: &str| {
        let (content, last, user) = (b"x".to_vec(), true, user.to_owned());
        host_control::Body::WriteFile(WriteFile {
            path: path.into(),
            content,
            last,
            user,
            make_directories: true,
            ..WriteFile::default()
        })
    };
    assert!(
        matches!(host.request(write("/etc/file", "")), agent_control::Body::Failure(failure) if failure.code == "permission_denied")
    );
    assert!(matches!(
        host.request(write("of/mine", "")),
        agent_control::Body::Done(_)
    ));
    assert!(matches!(
        host.request(write("/etc/file", "root")),
        agent_control::Body::Done(_)
    ));
    let out = host
        .exec(as_user(
            "",
            "stat -c '%u %a' /home/sandbox/of /home/sandbox/of/mine /etc/file",
        ))
        .out();
    assert_eq!(out, "1000 755\n1000 644\n0 644\n");
}

#[test]
fn configuration_reaches_the_system() {
    let Some(mut host) = host() else { return };
    let files = vec![SmallFile {
        path: ".config/pip.conf".into(),
        content: b"[x]".to_vec(),
        mode: 0,
        owner: "sandbox".into(),
    }];
    let configure = Configure {
        hostname: "box".into(),
        files,
        ..Configure::default()
    };
    assert!(matches!(
        host.request(host_control::Body::Configure(configure)),
        agent_control::Body::Done(_)
    ));
    let out = host.exec(as_user("", "uname -n; cat /etc/hostname; stat -c %u .config .config/pip.conf; cat .config/pip.conf")).out();
    assert_eq!(out, "box\nbox\n1000\n1000\n[x]");
}

#[test]
fn cells_run_as_the_sandbox_user() {
    let Some(mut host) = host() else { return };
    if installed("python3") {
        let run = host.run(
            "python",
            "import os; print(os.getuid(), os.getcwd(), os.getpid() == os.getsid(0))",
        );
        assert_eq!(run.out(), "1000 /home/sandbox True\n");
    }
}

#[test]
fn nothing_survives_a_shutdown() {
    let Some(mut host) = host() else { return };
    let daemon = "setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 1; done' >/dev/null 2>&1 & \
                  nohup sleep 1000 >/dev/null 2>&1 & sleep 0.2; echo started";
    assert_eq!(host.exec(as_user("", daemon)).out(), "started\n");
    let answer = host.request(host_control::Body::Shutdown(Shutdown { grace_ms: 200 }));
    assert!(
        matches!(answer, agent_control::Body::Done(_)),
        "said after the last process has ended"
    );
    host.listen(Duration::from_millis(200));
    assert!(host.agent.wait().unwrap().success());
}

#[test]
fn an_agent_that_never_started_anything_ends_without_waiting_for_the_grace() {
    let Some(mut host) = host() else { return };
    let answer = host.request(host_control::Body::Shutdown(Shutdown { grace_ms: 600_000 }));
    assert!(matches!(answer, agent_control::Body::Done(_)));
    assert!(host.agent.wait().unwrap().success());
}
