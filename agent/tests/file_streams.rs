//! Whole files by one stream each: all of the content or nothing, whatever ends the stream.

mod common;

use common::*;
use microsandbox_agent::frame::{FrameType, MAX_PAYLOAD};
use microsandbox_agent::wire::*;
use prost::Message;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn upload_to(path: &Path) -> UploadFile {
    UploadFile {
        path: text(path),
        ..UploadFile::default()
    }
}

fn open_upload(host: &mut Host, request: UploadFile) -> u32 {
    host.open_with(host_open::Target::UploadFile(request), 0)
}

fn open_download(host: &mut Host, path: &Path, window: u32) -> u32 {
    let request = DownloadFile {
        path: text(path),
        user: String::new(),
    };
    host.open_with(host_open::Target::DownloadFile(request), window)
}

/// How a stream ended: the size of what was written, or a code.
type Outcome = Result<u64, String>;

/// The sending half of an upload, as far as the agent lets it go.
struct Sending {
    stream: u32,
    credit: u64,
    outcome: Option<Outcome>,
}

impl Sending {
    fn begin(host: &mut Host, request: UploadFile) -> Self {
        let stream = open_upload(host, request);
        Sending {
            stream,
            credit: 0,
            outcome: None,
        }
    }

    /// Takes one frame of the agent's.
    fn step(&mut self, host: &mut Host) {
        let (header, payload) = host.next_of(self.stream, PATIENCE).expect("a frame");
        let payload = payload.as_slice();
        match header.kind {
            FrameType::Opened => self.credit += u64::from(Opened::decode(payload).unwrap().window),
            FrameType::Credit => self.credit += u64::from(Credit::decode(payload).unwrap().bytes),
            FrameType::Event => match StreamEvent::decode(payload).unwrap().body.unwrap() {
                stream_event::Body::FileWritten(written) => self.outcome = Some(Ok(written.size)),
                other => panic!("{other:?}"),
            },
            FrameType::Reset => self.outcome = Some(Err(Reset::decode(payload).unwrap().code)),
            other => panic!("unexpected {other:?}"),
        }
    }

    fn send(&mut self, host: &mut Host, mut content: &[u8]) {
        while !content.is_empty() && self.outcome.is_none() {
            if self.credit == 0 {
                self.step(host);
                continue;
            }
            let most = content.len().min(self.credit as usize).min(MAX_PAYLOAD);
            let (part, rest) = content.split_at(most);
            host.send(self.stream, FrameType::Data, 0, part);
            self.credit -= most as u64;
            content = rest;
        }
    }

    fn finish(mut self, host: &mut Host) -> Outcome {
        if self.outcome.is_none() {
            host.send(self.stream, FrameType::End, 0, &[]);
        }
        loop {
            match self.outcome.take() {
                Some(Ok(size)) => {
                    let (header, _) = host.next_of(self.stream, PATIENCE).unwrap();
                    assert_eq!(header.kind, FrameType::End);
                    return Ok(size);
                }
                Some(failed) => return failed,
                None => self.step(host),
            }
        }
    }
}

fn upload(host: &mut Host, request: UploadFile, content: &[u8]) -> Outcome {
    let mut sending = Sending::begin(host, request);
    sending.send(host, content);
    sending.finish(host)
}

/// What came of a download: its announced size and its content, or a code.
fn download(host: &mut Host, path: &Path) -> Result<(Option<u64>, Vec<u8>), String> {
    let stream = open_download(host, path, WINDOW);
    let run = host.collect(stream);
    match run.reset {
        Some(reset) => Err(reset.code),
        None => Ok((run.opened.unwrap().size, run.stdout)),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != "agent.sock");
    names.sort();
    names
}

/// Waits for what comes soon after.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn children_of(host: &Host) -> usize {
    let pid = host.agent.id();
    let path = format!("/proc/{pid}/task/{pid}/children");
    std::fs::read_to_string(path)
        .unwrap()
        .split_whitespace()
        .count()
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at ^ at >> 9 ^ at >> 17) as u8)
        .collect()
}

#[test]
fn a_large_file_goes_in_and_comes_out_as_it_was() {
    let mut host = Host::start();
    let path = host.path().join("deep/er/file");
    let content = pattern(40_000_001);
    let request = UploadFile {
        mode: 0o640,
        make_directories: true,
        ..upload_to(&path)
    };
    assert_eq!(upload(&mut host, request, &content), Ok(40_000_001));
    assert!(std::fs::read(&path).unwrap() == content);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert_eq!(names(path.parent().unwrap()), ["file"]);
    let (size, got) = download(&mut host, &path).unwrap();
    assert_eq!(size, Some(40_000_001));
    assert!(got == content);
    eventually("the carriers are gone", || children_of(&host) == 0);
}

#[test]
fn empty_files_and_files_that_do_not_know_their_size_are_read_to_their_end() {
    let mut host = Host::start();
    let path = host.path().join("empty");
    assert_eq!(upload(&mut host, upload_to(&path), b""), Ok(0));
    assert_eq!(download(&mut host, &path), Ok((Some(0), Vec::new())));
    let (size, content) = download(&mut host, Path::new("/proc/self/status")).unwrap();
    assert_eq!(size, None);
    assert!(content.starts_with(b"Name:"));
}

#[test]
fn an_upload_that_is_broken_off_leaves_nothing() {
    let mut host = Host::start();
    let path = host.path().join("file");
    std::fs::write(&path, "old").unwrap();
    let mut sending = Sending::begin(&mut host, upload_to(&path));
    sending.send(&mut host, &pattern(3_000_000));
    assert_eq!(names(host.path()), ["file"], "no name shows a part of it");
    let reset = Reset {
        reason: ResetReason::Cancelled.into(),
        ..Reset::default()
    };
    let stream = sending.stream;
    host.send(stream, FrameType::Reset, 0, &reset.encode_to_vec());
    eventually("the carrier is gone", || children_of(&host) == 0);
    assert_eq!(names(host.path()), ["file"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
}

#[test]
fn a_channel_that_is_cut_ends_all_transfers_and_leaves_nothing() {
    let mut host = Host::start();
    let (path, large) = (host.path().join("file"), host.path().join("large"));
    std::fs::write(&large, pattern(5_000_000)).unwrap();
    let mut sending = Sending::begin(&mut host, upload_to(&path));
    sending.send(&mut host, &pattern(1_000_000));
    let stream = open_download(&mut host, &large, 100_000);
    let _ = host.next_of(stream, PATIENCE).unwrap();
    assert_eq!(children_of(&host), 2);
    host.reconnect();
    eventually("the carriers are gone", || children_of(&host) == 0);
    assert_eq!(names(host.path()), ["large"]);
    assert_eq!(upload(&mut host, upload_to(&path), b"again"), Ok(5));
    assert_eq!(std::fs::read(&path).unwrap(), b"again");
}

#[test]
fn a_carrier_that_is_killed_is_an_error_and_leaves_nothing() {
    let mut host = Host::start();
    let path = host.path().join("file");
    let mut sending = Sending::begin(&mut host, upload_to(&path));
    sending.send(&mut host, &pattern(1_000_000));
    let pid = host.agent.id().to_string();
    let killed = Command::new("pkill").args(["-KILL", "-P", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(sending.finish(&mut host), Err("internal".into()));
    assert_eq!(names(host.path()), [""; 0]);
}

#[test]
fn what_is_no_plain_file_is_refused_and_a_symlink_is_followed() {
    let mut host = Host::start();
    let at = |name: &str| host.folder.0.join(name);
    let (fifo, link, file, loose) = (at("fifo"), at("link"), at("file"), at("loose"));
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    std::fs::write(&file, "old").unwrap();
    symlink(&file, &link).unwrap();
    symlink("/dev/null", &loose).unwrap();
    let folder = host.path().to_owned();
    for (path, code) in [
        (fifo.as_path(), "not_a_file"),
        (loose.as_path(), "not_a_file"),
        (Path::new("/dev/zero"), "not_a_file"),
        (folder.as_path(), "is_a_directory"),
    ] {
        assert_eq!(download(&mut host, path), Err(code.into()), "{path:?}");
        let outcome = upload(&mut host, upload_to(path), b"new");
        assert_eq!(outcome, Err(code.into()), "{path:?}");
    }
    let missing = folder.join("missing/file");
    assert_eq!(download(&mut host, &missing), Err("no_such_file".into()));
    let outcome = upload(&mut host, upload_to(&missing), b"new");
    assert_eq!(outcome, Err("no_such_file".into()));
    assert_eq!(upload(&mut host, upload_to(&link), b"new"), Ok(3));
    assert_eq!(std::fs::read(&file).unwrap(), b"new");
    assert!(link.is_symlink());
    assert_eq!(download(&mut host, &link).unwrap().1, b"new");
}

#[test]
fn a_full_disk_refuses_an_upload_midway_and_keeps_the_old_file() {
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "SKIPPED a_full_disk_refuses_an_upload_midway_and_keeps_the_old_file: needs root to mount a small disk"
        );
        return;
    }
    let mut host = Host::start();
    let disk = host.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", "size=1m", "none"])
        .arg(&disk);
    assert!(mount.status().unwrap().success());
    let path = disk.join("file");
    std::fs::write(&path, "old").unwrap();
    let outcome = upload(&mut host, upload_to(&path), &pattern(4_000_000));
    for _ in 0..20 {
        // Here the end comes with what is too much, while the carrier is still failing.
        let again = upload(&mut host, upload_to(&path), &pattern(1_200_000));
        assert_eq!(again, Err("disk_full".into()));
    }
    let left = (names(&disk), std::fs::read(&path).unwrap());
    assert_eq!(
        upload(&mut host, upload_to(&path), &pattern(500_000)),
        Ok(500_000)
    );
    assert!(
        Command::new("umount")
            .arg(&disk)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(outcome, Err("disk_full".into()));
    assert_eq!(left, (vec!["file".to_owned()], b"old".to_vec()));
}

#[test]
fn several_files_go_both_ways_at_once_beside_other_streams() {
    let mut host = Host::start();
    let content = pattern(2_000_000);
    let source = host.path().join("source");
    std::fs::write(&source, &content).unwrap();
    let downloads: Vec<u32> = (0..3)
        .map(|_| open_download(&mut host, &source, WINDOW))
        .collect();
    let mut uploads: Vec<Sending> = (0..6)
        .map(|number| {
            let path = host.path().join(format!("copy-{number}"));
            Sending::begin(&mut host, upload_to(&path))
        })
        .collect();
    for part in content.chunks(100_000) {
        for sending in &mut uploads {
            sending.send(&mut host, part);
        }
    }
    let run = host.exec(command(&["echo", "beside"]));
    assert_eq!(run.out(), "beside\n");
    for stream in downloads {
        assert!(host.collect(stream).stdout == content);
    }
    for (number, sending) in uploads.into_iter().enumerate() {
        assert_eq!(sending.finish(&mut host), Ok(2_000_000));
        let copy = host.path().join(format!("copy-{number}"));
        assert!(std::fs::read(copy).unwrap() == content);
    }
}

#[test]
fn a_download_waits_for_credit_and_a_host_that_wants_no_more_ends_it() {
    let mut host = Host::start();
    let path = host.path().join("file");
    std::fs::write(&path, pattern(3_000_000)).unwrap();
    let stream = open_download(&mut host, &path, 1_000);
    let mut run = Run::default();
    let mut got = 0;
    while got < 1_000 {
        let (header, payload) = host.next_of(stream, PATIENCE).unwrap();
        got += if header.kind == FrameType::Data {
            payload.len()
        } else {
            0
        };
    }
    assert_eq!(got, 1_000);
    assert_eq!(host.exec(command(&["true"])).finished().exit_code, 0);
    assert!(host.next_of(stream, Duration::from_millis(50)).is_none());
    host.credit(stream, 500);
    assert!(!host.step(stream, &mut run, PATIENCE));
    assert_eq!(run.stdout.len(), 500);
    let reset = Reset::default().encode_to_vec();
    host.send(stream, FrameType::Reset, 0, &reset);
    eventually("the carrier is gone", || children_of(&host) == 0);
}

#[test]
fn a_file_that_becomes_shorter_is_an_error_and_no_shorter_content() {
    let mut host = Host::start();
    let path = host.path().join("file");
    std::fs::write(&path, pattern(8_000_000)).unwrap();
    let stream = open_download(&mut host, &path, 100_000);
    let (header, _) = host.next_of(stream, PATIENCE).unwrap();
    assert_eq!(header.kind, FrameType::Opened);
    std::fs::write(&path, "short").unwrap();
    assert_eq!(host.collect(stream).code(), "invalid_request");
}

#[test]
fn the_thirty_third_file_at_once_is_refused() {
    let mut host = Host::start();
    let paths: Vec<_> = (0..33)
        .map(|number| host.path().join(format!("{number}")))
        .collect();
    let mut open: Vec<Sending> = paths[..32]
        .iter()
        .map(|path| Sending::begin(&mut host, upload_to(path)))
        .collect();
    let outcome = upload(&mut host, upload_to(&paths[32]), b"x");
    assert_eq!(outcome, Err("too_many_requests".into()));
    let first = open.remove(0);
    assert_eq!(first.finish(&mut host), Ok(0));
    assert_eq!(upload(&mut host, upload_to(&paths[32]), b"x"), Ok(1));
}

#[test]
fn a_users_rights_apply() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED a_users_rights_apply: needs root for namespaces and other users");
        return;
    }
    let mut host = Host::start_as_pid_one();
    let as_user = |path: &str, user: &str| UploadFile {
        path: path.into(),
        user: user.into(),
        ..UploadFile::default()
    };
    assert_eq!(upload(&mut host, as_user("own", "sandbox"), b"mine"), Ok(4));
    let denied = Err("permission_denied".to_owned());
    assert_eq!(
        upload(&mut host, as_user("/etc/own", "sandbox"), b"x"),
        denied
    );
    assert_eq!(upload(&mut host, as_user("/etc/own", "root"), b"x"), Ok(1));
    assert_eq!(
        download(&mut host, Path::new("/etc/shadow")).unwrap_err(),
        "permission_denied"
    );
    let run = host.exec(command(&["stat", "-c", "%u %a", "/home/sandbox/own"]));
    assert_eq!(run.out(), "1000 644\n");
}
