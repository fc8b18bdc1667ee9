//! Small files, read and written with a user's rights in a file system that the tenant owns.

mod common;

use common::*;
use microsandbox_agent::wire::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn read_at(host: &mut Host, path: &Path, offset: u64, limit: u32) -> Result<FileContent, String> {
    let path = path.to_str().unwrap().to_owned();
    match host.request(host_control::Body::ReadFile(ReadFile {
        path,
        offset,
        limit,
        user: String::new(),
    })) {
        agent_control::Body::FileContent(content) => Ok(content),
        agent_control::Body::Failure(failure) => Err(failure.code),
        other => panic!("{other:?}"),
    }
}

fn read(host: &mut Host, path: &Path) -> Result<FileContent, String> {
    read_at(host, path, 0, 0)
}

fn part(path: &Path, content: &[u8]) -> WriteFile {
    WriteFile {
        path: path.to_str().unwrap().to_owned(),
        content: content.to_vec(),
        last: true,
        write_id: vec![7; 16],
        ..WriteFile::default()
    }
}

fn write(host: &mut Host, part: WriteFile) -> Result<(), String> {
    match host.request(host_control::Body::WriteFile(part)) {
        agent_control::Body::Done(_) => Ok(()),
        agent_control::Body::Failure(failure) => Err(failure.code),
        other => panic!("{other:?}"),
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

#[test]
fn what_is_written_can_be_read() {
    let mut host = Host::start();
    let path = host.path().join("file");
    assert_eq!(write(&mut host, part(&path, b"some text")), Ok(()));
    let content = read(&mut host, &path).unwrap();
    assert_eq!(
        (content.content.as_slice(), content.size, content.end),
        (b"some text".as_slice(), 9, true)
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o644
    );
    let content = read_at(&mut host, &path, 5, 2).unwrap();
    assert_eq!(
        (content.content.as_slice(), content.end),
        (b"te".as_slice(), false)
    );
    let content = read_at(&mut host, &path, 100, 2).unwrap();
    assert_eq!((content.content.len(), content.end), (0, true));
    assert_eq!(names(host.path()), ["file"]);
}

#[test]
fn a_large_file_is_written_in_parts_and_appears_with_the_last() {
    let mut host = Host::start();
    let path = host.path().join("deep/er/file");
    let whole: Vec<u8> = (0..150_000u32).map(|number| number as u8).collect();
    for (number, bytes) in whole.chunks(61_440).enumerate() {
        assert!(!path.exists());
        let part = WriteFile {
            offset: number as u64 * 61_440,
            last: number == 2,
            mode: 0o600,
            make_directories: true,
            ..part(&path, bytes)
        };
        assert_eq!(write(&mut host, part.clone()), Ok(()));
        assert_eq!(write(&mut host, part), Ok(()), "sent twice, one effect");
    }
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    assert_eq!(names(path.parent().unwrap()), ["file"]);
    let mut got = Vec::new();
    loop {
        let content = read_at(&mut host, &path, got.len() as u64, u32::MAX).unwrap();
        assert!(content.content.len() <= 61_440);
        got.extend(content.content);
        if content.end {
            break;
        }
    }
    assert_eq!(got, whole);
}

#[test]
fn parts_that_do_not_follow_one_another_are_refused() {
    let mut host = Host::start();
    let path = host.path().join("file");
    assert_eq!(
        write(
            &mut host,
            WriteFile {
                offset: 10,
                ..part(&path, b"x")
            }
        ),
        Err("no_such_file".into())
    );
    assert_eq!(
        write(
            &mut host,
            WriteFile {
                last: false,
                ..part(&path, b"x")
            }
        ),
        Ok(())
    );
    assert_eq!(
        write(
            &mut host,
            WriteFile {
                offset: 10,
                ..part(&path, b"x")
            }
        ),
        Err("invalid_request".into())
    );
    assert_eq!(
        write(&mut host, part(&path, &[0; 61_441])),
        Err("body_too_large".into())
    );
    assert_eq!(names(host.path()), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_or_written_is_refused_with_its_reason() {
    let mut host = Host::start();
    let folder = host.path().to_owned();
    let missing = folder.join("no/such/file");
    assert_eq!(read(&mut host, &missing).unwrap_err(), "no_such_file");
    assert_eq!(
        write(&mut host, part(&missing, b"x")),
        Err("no_such_file".into())
    );
    assert_eq!(read(&mut host, &folder).unwrap_err(), "is_a_directory");
    assert_eq!(
        write(&mut host, part(&folder, b"x")),
        Err("is_a_directory".into())
    );
    let path = String::new();
    let empty = host.request(host_control::Body::ReadFile(ReadFile {
        path,
        ..ReadFile::default()
    }));
    assert!(
        matches!(empty, agent_control::Body::Failure(failure) if failure.code == "invalid_request")
    );
    assert_eq!(
        write(&mut host, part(Path::new("/dev/full/x"), b"x")),
        Err("no_such_file".into())
    );
}

#[test]
fn a_full_disk_is_said_to_be_full() {
    let mut host = Host::start();
    let folder = host.path().to_owned();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16k", "none"])
        .arg(&folder)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: mounting a small file system needs root");
        return;
    }
    let path = folder.join("file");
    let answer = write(&mut host, part(&path, &[1; 60_000]));
    let left = names(&folder);
    assert!(
        Command::new("umount")
            .arg(&folder)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!((answer, left), (Err("disk_full".into()), vec![]));
}

/// FIFOs, devices and sockets would hold a careless reader for ever.
#[test]
fn odd_files_neither_hold_the_agent_nor_are_read_or_written() {
    let mut host = Host::start();
    let folder = host.path().to_owned();
    let fifo = folder.join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let link = folder.join("link");
    symlink(&fifo, &link).unwrap();
    let began = Instant::now();
    for path in [
        fifo.as_path(),
        &link,
        Path::new("/dev/zero"),
        Path::new("/dev/tty"),
    ] {
        let code = read(&mut host, path).unwrap_err();
        assert!(code == "not_a_file", "{path:?} {code}");
        assert_eq!(
            write(&mut host, part(path, b"x")),
            Err("not_a_file".into()),
            "{path:?}"
        );
    }
    assert!(read(&mut host, &folder.join("agent.sock")).is_err());
    assert!(began.elapsed() < Duration::from_secs(4));
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_planted_temporary_file_is_not_written_through() {
    let mut host = Host::start();
    let folder = host.path().to_owned();
    let victim = folder.join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let planted = folder.join(".file.07070707070707070707070707070707");
    symlink(&victim, &planted).unwrap();
    assert_eq!(
        write(&mut host, part(&folder.join("file"), b"text")),
        Ok(())
    );
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    // In the middle of a write.
    assert_eq!(
        write(
            &mut host,
            WriteFile {
                last: false,
                ..part(&folder.join("file"), b"text")
            }
        ),
        Ok(())
    );
    std::fs::remove_file(&planted).unwrap();
    symlink(&victim, &planted).unwrap();
    assert!(
        write(
            &mut host,
            WriteFile {
                offset: 4,
                ..part(&folder.join("file"), b"more")
            }
        )
        .is_err()
    );
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn a_symlink_is_written_through_as_the_users_own_programs_would() {
    let mut host = Host::start();
    let folder = host.path().to_owned();
    std::fs::write(folder.join("target"), "old").unwrap();
    symlink("target", folder.join("link")).unwrap();
    assert_eq!(write(&mut host, part(&folder.join("link"), b"new")), Ok(()));
    assert_eq!(std::fs::read(folder.join("target")).unwrap(), b"new");
    assert!(
        std::fs::symlink_metadata(folder.join("link"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn many_requests_at_once_are_all_answered_in_bounded_steps() {
    let mut host = Host::start();
    let path = host.path().join("file");
    write(&mut host, part(&path, &[b'x'; 60_000])).unwrap();
    let read = ReadFile {
        path: path.to_str().unwrap().into(),
        ..ReadFile::default()
    };
    for id in 1_000..1_300 {
        host.control(id, host_control::Body::ReadFile(read.clone()));
    }
    let end = Instant::now() + PATIENCE;
    let mut bytes = 0;
    while bytes < 300 * 60_000 {
        let (_, payload) = host.next_frame(end).expect("an answer");
        match <AgentControl as prost::Message>::decode(payload.as_slice())
            .unwrap()
            .body
        {
            Some(agent_control::Body::FileContent(content)) => bytes += content.content.len(),
            other => panic!("{other:?}"),
        }
    }
}
