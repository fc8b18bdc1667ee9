//! What the host says about a sandbox ends up where programs look for it.

mod common;

use common::*;
use microsandbox_agent::wire::*;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

fn configured(host: &mut Host, configure: Configure) -> Result<(), String> {
    match host.request(host_control::Body::Configure(configure)) {
        agent_control::Body::Done(_) => Ok(()),
        agent_control::Body::Failure(failure) => Err(failure.code),
        other => panic!("{other:?}"),
    }
}

fn text(host: &Host, path: &str) -> String {
    std::fs::read_to_string(host.path().join("root").join(path)).unwrap_or_default()
}

fn host() -> Host {
    Host::start_in_root()
}

#[test]
fn hosts_hostname_and_resolver_are_written() {
    let mut host = host();
    let hosts = vec![HostName {
        address: "10.1.2.3".into(),
        names: vec!["a.test".into(), "b".into()],
    }];
    let configure = Configure {
        hostname: "box".into(),
        hosts,
        ..Configure::default()
    };
    assert_eq!(configured(&mut host, configure), Ok(()));
    assert_eq!(text(&host, "etc/hostname"), "box\n");
    let hosts = text(&host, "etc/hosts");
    for line in ["127.0.0.1 localhost", "127.0.1.1 box", "10.1.2.3 a.test b"] {
        assert!(hosts.lines().any(|one| one == line), "{hosts}");
    }
    let egress = Some(Egress { enabled: false });
    configured(
        &mut host,
        Configure {
            egress,
            hostname: "other".into(),
            ..Configure::default()
        },
    )
    .unwrap();
    assert!(text(&host, "etc/resolv.conf").contains("nameserver "));
    assert_eq!(text(&host, "etc/hostname"), "other\n");
    let hosts = text(&host, "etc/hosts");
    assert!(
        hosts.contains("127.0.1.1 other") && hosts.contains("a.test"),
        "{hosts}"
    );
    let shorter = Configure {
        hostname: "b".into(),
        ..Configure::default()
    };
    configured(&mut host, shorter).unwrap();
    assert_eq!(text(&host, "etc/hostname"), "b\n");
}

#[test]
fn a_name_that_would_add_lines_is_refused() {
    let mut host = host();
    for name in ["a\nb", "a b", "", "a#"] {
        let hosts = vec![HostName {
            address: "10.1.2.3".into(),
            names: vec![name.into()],
        }];
        assert_eq!(
            configured(
                &mut host,
                Configure {
                    hosts,
                    ..Configure::default()
                }
            ),
            Err("invalid_request".into())
        );
    }
}

#[test]
fn authorities_are_added_once() {
    let mut host = host();
    let bundle = host.path().join("root/etc/ssl/certs/ca-certificates.crt");
    std::fs::create_dir_all(bundle.parent().unwrap()).unwrap();
    std::fs::write(&bundle, "SYSTEM\n").unwrap();
    let with = |pem: &str| Configure {
        ca_bundle: pem.into(),
        ..Configure::default()
    };
    for pem in ["ONE\n", "TWO\n", "TWO\n"] {
        assert_eq!(configured(&mut host, with(pem)), Ok(()));
        let now = std::fs::read_to_string(&bundle).unwrap();
        assert!(now.starts_with("SYSTEM\n") && now.ends_with(pem), "{now}");
        assert_eq!(now.matches("microsandbox").count(), 1);
    }
    let out = host.exec(shell("env")).out();
    for name in [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "PIP_CERT",
        "NODE_EXTRA_CA_CERTS",
    ] {
        assert!(
            out.contains(&format!("{name}=/etc/ssl/certs/ca-certificates.crt\n")),
            "{out}"
        );
    }
    let environment = BTreeMap::from([("PIP_CERT".to_owned(), "/mine".to_owned())]);
    configured(
        &mut host,
        Configure {
            environment,
            ..with("TWO\n")
        },
    )
    .unwrap();
    assert!(host.exec(shell("env")).out().contains("PIP_CERT=/mine\n"));
    configured(&mut host, Configure::default()).unwrap();
    assert!(
        std::fs::read_to_string(&bundle).unwrap().ends_with("TWO\n"),
        "what is not set stays"
    );
    assert_eq!(
        configured(&mut host, with(&"x".repeat(50_000))),
        Err("invalid_request".into())
    );
}

#[test]
fn environment_and_directory_hold_for_what_is_started_later() {
    let mut host = Host::start_with(&[("FROM_IMAGE", "1"), ("UNWANTED", "1")]);
    let configure = Configure {
        environment: BTreeMap::from([
            ("FROM_IMAGE".into(), "2".into()),
            ("MORE".into(), "3".into()),
        ]),
        unset_environment: vec!["UNWANTED".into()],
        working_directory: "/usr".into(),
        ..Configure::default()
    };
    configured(&mut host, configure).unwrap();
    assert_eq!(
        host.exec(shell("pwd; echo $FROM_IMAGE $MORE $UNWANTED"))
            .out(),
        "/usr\n2 3\n"
    );
}

#[test]
fn files_are_written_with_their_folders_and_mode_before_the_answer() {
    let mut host = host();
    let file = |path: &str, mode| SmallFile {
        path: path.into(),
        content: b"text".to_vec(),
        mode,
        owner: "root".into(),
    };
    let files = vec![file("/etc/pip.conf", 0), file("/etc/deep/er/npmrc", 0o600)];
    configured(
        &mut host,
        Configure {
            files,
            ..Configure::default()
        },
    )
    .unwrap();
    assert_eq!(text(&host, "etc/pip.conf"), "text");
    assert_eq!(text(&host, "etc/deep/er/npmrc"), "text");
    let bad = vec![
        SmallFile {
            path: "/etc".into(),
            ..file("/etc", 0)
        },
        file("/etc/other", 0),
    ];
    assert_eq!(
        configured(
            &mut host,
            Configure {
                files: bad,
                ..Configure::default()
            }
        ),
        Err("is_a_directory".into())
    );
}

/// The tenant may have put anything in the place of a file that the agent writes.
#[test]
fn what_a_tenant_planted_is_replaced_and_neither_followed_nor_waited_for() {
    let mut host = host();
    let root = host.path().join("root");
    std::fs::create_dir_all(root.join("etc/ssl/certs")).unwrap();
    std::fs::write(root.join("victim"), "precious").unwrap();
    symlink(root.join("victim"), root.join("etc/hosts")).unwrap();
    std::fs::write(root.join("linked"), "precious").unwrap();
    std::fs::hard_link(root.join("linked"), root.join("etc/hostname")).unwrap();
    let fifo = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    fifo(&root.join("etc/resolv.conf"));
    fifo(&root.join("etc/.msb-hostname"));
    fifo(&root.join("etc/ssl/certs/ca-certificates.crt"));
    let configure = Configure {
        hostname: "box".into(),
        ca_bundle: b"PEM\n".to_vec(),
        ..Configure::default()
    };
    configured(&mut host, configure).unwrap();
    assert_eq!(text(&host, "victim"), "precious");
    assert_eq!(text(&host, "linked"), "precious");
    assert!(text(&host, "etc/hosts").contains("box"));
    assert_eq!(text(&host, "etc/hostname"), "box\n");
    assert!(text(&host, "etc/ssl/certs/ca-certificates.crt").ends_with("PEM\n"));
}

#[test]
fn a_variable_that_no_program_can_be_given_is_refused() {
    let mut host = host();
    for (name, value) in [("", "x"), ("a=b", "x"), ("a", "x\0y")] {
        let environment = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(
            configured(
                &mut host,
                Configure {
                    environment,
                    ..Configure::default()
                }
            ),
            Err("invalid_request".into())
        );
    }
}
