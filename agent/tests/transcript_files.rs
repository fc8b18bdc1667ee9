//! The recorded conversation about whole files, which every later agent must go on understanding:
//! spec/vectors/channel/v1-files.md says what is in it. `MSB_RECORD_TRANSCRIPT=1` records it anew, before a release only.

mod common;

use common::*;
use microsandbox_agent::frame::{self, Decoder, FrameType, Header};
use microsandbox_agent::wire::*;
use prost::Message;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

const GREETING: usize = 24;
const FOLDER: &str = "/tmp/msb-recorded-files";

fn vector(half: &str) -> PathBuf {
    let name = format!("../spec/vectors/channel/v1-files-{half}.bin");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn frame_of(stream: u32, kind: FrameType, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, stream, kind, 0, payload);
    bytes
}

fn open(stream: u32, target: host_open::Target) -> Vec<u8> {
    let open = HostOpen {
        window: 65_536,
        target: Some(target),
    };
    frame_of(stream, FrameType::Open, &open.encode_to_vec())
}

fn download(stream: u32, name: &str) -> Vec<u8> {
    let request = DownloadFile {
        path: format!("{FOLDER}/{name}"),
        user: String::new(),
    };
    open(stream, host_open::Target::DownloadFile(request))
}

/// What the host says at once, and the frame that it waits for then.
type Step = (Vec<u8>, Option<(u32, FrameType)>);

fn steps() -> Vec<Step> {
    let mut greeting = b"MSBCHAN1".to_vec();
    greeting.extend(1..=16u8);
    let welcome = HostControl {
        id: 0,
        body: Some(host_control::Body::Welcome(Welcome {
            version: 1,
            unix_nanos: 1_700_000_000_000_000_000,
        })),
    };
    let upload = UploadFile {
        path: format!("{FOLDER}/file"),
        mode: 0o640,
        make_directories: true,
        ..UploadFile::default()
    };
    let upload = open(1, host_open::Target::UploadFile(upload));
    let content = [
        frame_of(1, FrameType::Data, b"recorded"),
        frame_of(1, FrameType::End, b""),
    ];
    vec![
        (greeting, Some((0, FrameType::Control))),
        (
            frame_of(0, FrameType::Control, &welcome.encode_to_vec()),
            None,
        ),
        (upload, Some((1, FrameType::Opened))),
        (content.concat(), Some((1, FrameType::End))),
        (download(3, "file"), Some((3, FrameType::End))),
        (frame_of(3, FrameType::End, b""), None),
        (download(5, "none"), Some((5, FrameType::Reset))),
    ]
}

fn frames(said: &[u8]) -> Vec<(Header, Vec<u8>)> {
    let mut decoder = Decoder::default();
    decoder.push(said.get(GREETING..).unwrap_or_default());
    std::iter::from_fn(|| decoder.next_frame().unwrap()).collect()
}

fn payload(said: &[u8], stream: u32, kind: FrameType) -> Vec<u8> {
    let frames = frames(said);
    let found = frames
        .iter()
        .find(|(header, _)| (header.stream, header.kind) == (stream, kind));
    found
        .unwrap_or_else(|| panic!("no {kind:?} on {stream}"))
        .1
        .clone()
}

/// Checks that this is what v1-files.md describes.
fn check(said: &[u8]) {
    assert_eq!(said[..8], *b"MSBCHAN1");
    let event = payload(said, 1, FrameType::Event);
    match StreamEvent::decode(event.as_slice()).unwrap().body {
        Some(stream_event::Body::FileWritten(written)) => assert_eq!(written.size, 8),
        other => panic!("{other:?}"),
    }
    payload(said, 1, FrameType::End);
    let opened = payload(said, 3, FrameType::Opened);
    let opened = Opened::decode(opened.as_slice()).unwrap();
    assert_eq!(opened.size, Some(8));
    assert_eq!(payload(said, 3, FrameType::Data), b"recorded");
    payload(said, 3, FrameType::End);
    let reset = payload(said, 5, FrameType::Reset);
    let reset = Reset::decode(reset.as_slice()).unwrap();
    assert_eq!(
        (reset.reason(), reset.code.as_str()),
        (ResetReason::Failed, "no_such_file")
    );
}

/// Says everything to a fresh agent; gives both halves.
fn converse() -> (Vec<u8>, Vec<u8>) {
    let _ = std::fs::remove_dir_all(FOLDER);
    let host = Host::start();
    let _ = host.socket.shutdown(std::net::Shutdown::Both);
    let mut socket: UnixStream = accept(&host.listener);
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut heard, mut said) = (Vec::new(), Vec::new());
    for (bytes, awaited) in steps() {
        socket.write_all(&bytes).unwrap();
        heard.extend_from_slice(&bytes);
        while awaited.is_some_and(|(stream, kind)| {
            !frames(&said)
                .iter()
                .any(|(header, _)| (header.stream, header.kind) == (stream, kind))
        }) {
            let mut buffer = [0; 65_536];
            let length = socket.read(&mut buffer).expect("the agent's answer");
            assert_ne!(length, 0, "the agent closed the connection");
            said.extend_from_slice(&buffer[..length]);
        }
    }
    let _ = std::fs::remove_dir_all(FOLDER);
    (heard, said)
}

#[test]
fn a_conversation_about_files_is_the_recorded_one() {
    let (heard, said) = converse();
    check(&said);
    if std::env::var_os("MSB_RECORD_TRANSCRIPT").is_some() {
        std::fs::write(vector("host"), &heard).unwrap();
        std::fs::write(vector("agent"), &said).unwrap();
    }
    let recorded = std::fs::read(vector("host")).unwrap();
    assert_eq!(heard, recorded, "the host's half is made of the same bytes");
}

#[test]
fn what_an_agent_said_about_files_is_still_understood() {
    check(&std::fs::read(vector("agent")).unwrap());
}
