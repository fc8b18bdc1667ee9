//! The recorded conversation of version 1 of the channel, which every later agent must go on understanding:
//! spec/vectors/channel/v1.md says what is in it. `MSB_RECORD_TRANSCRIPT=1` records it anew, for a new version only.

mod common;

use common::*;
use microsandbox_agent::frame::{self, Decoder, FrameType, Header};
use microsandbox_agent::wire::*;
use prost::Message;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

const GREETING: usize = 24;

fn vector(half: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../spec/vectors/channel/v1-{half}.bin"))
}

fn frame_of(stream: u32, kind: FrameType, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, stream, kind, 0, payload);
    bytes
}

fn control(id: u64, body: host_control::Body) -> Vec<u8> {
    frame_of(
        0,
        FrameType::Control,
        &HostControl {
            id,
            body: Some(body),
        }
        .encode_to_vec(),
    )
}

fn open(stream: u32, target: host_open::Target) -> Vec<u8> {
    let open = HostOpen {
        window: 65_536,
        target: Some(target),
    };
    frame_of(stream, FrameType::Open, &open.encode_to_vec())
}

/// What the host says at once, and when it has its answer.
type Step = (Vec<u8>, fn(&Conversation) -> bool);

fn steps() -> Vec<Step> {
    let mut greeting = b"MSBCHAN1".to_vec();
    greeting.extend(1..=16u8);
    let configure = Configure {
        hostname: "recorded".into(),
        environment: [("GREETING".to_owned(), "hello".to_owned())].into(),
        prestart: vec!["python".into()],
        ..Configure::default()
    };
    let cell = RunCell {
        object_id: vec![1; 16],
        context_id: "python".into(),
        code: "import os\nprint(os.environ['GREETING'])\n6 * 7".into(),
        ..RunCell::default()
    };
    let process = StartProcess {
        object_id: vec![2; 16],
        argv: ["sh", "-c", "cat; echo $GREETING >&2; exit 3"]
            .map(str::to_owned)
            .into(),
        stdin: true,
        ..StartProcess::default()
    };
    let refused = StartProcess {
        object_id: vec![3; 16],
        argv: vec!["no-such-program".into()],
        ..StartProcess::default()
    };
    let object_ids = vec![vec![1; 16], vec![2; 16]];
    vec![
        (greeting, |said| said.greeted),
        (
            control(
                0,
                host_control::Body::Welcome(Welcome {
                    version: 1,
                    unix_nanos: 1_700_000_000_000_000_000,
                }),
            ),
            |_| true,
        ),
        (
            control(1, host_control::Body::Configure(configure)),
            |said| said.answered(1),
        ),
        (open(1, host_open::Target::RunCell(cell)), |said| {
            said.ended(1)
        }),
        (open(3, host_open::Target::StartProcess(process)), |said| {
            said.has(3, FrameType::Event)
        }),
        (frame_of(3, FrameType::Data, b"typed"), |_| true),
        (frame_of(3, FrameType::End, b""), |said| said.ended(3)),
        (open(5, host_open::Target::StartProcess(refused)), |said| {
            said.has(5, FrameType::Reset)
        }),
        (
            control(
                2,
                host_control::Body::Acknowledge(Acknowledge { object_ids }),
            ),
            |said| said.answered(2),
        ),
        (control(3, host_control::Body::Ping(Ping {})), |said| {
            said.answered(3)
        }),
    ]
}

/// What the agent has said.
#[derive(Default)]
struct Conversation {
    greeted: bool,
    bytes: Vec<u8>,
    decoder: Decoder,
    frames: Vec<(Header, Vec<u8>)>,
}

impl Conversation {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if !self.greeted && self.bytes.len() >= GREETING {
            self.greeted = true;
            self.decoder.push(&self.bytes[GREETING..]);
        } else if self.greeted {
            self.decoder.push(bytes);
        }
        while let Some(frame) = self
            .greeted
            .then(|| self.decoder.next_frame().unwrap())
            .flatten()
        {
            self.frames.push(frame);
        }
    }

    fn has(&self, stream: u32, kind: FrameType) -> bool {
        self.frames
            .iter()
            .any(|(header, _)| header.stream == stream && header.kind == kind)
    }

    fn ended(&self, stream: u32) -> bool {
        self.has(stream, FrameType::End)
    }

    fn controls(&self) -> impl Iterator<Item = AgentControl> + '_ {
        let control = self
            .frames
            .iter()
            .filter(|(header, _)| header.kind == FrameType::Control);
        control.map(|(_, payload)| AgentControl::decode(payload.as_slice()).unwrap())
    }

    fn answered(&self, id: u64) -> bool {
        self.controls().any(|message| message.id == id)
    }

    fn read_until(&mut self, socket: &mut UnixStream, done: impl Fn(&Self) -> bool) {
        let mut buffer = [0; 65_536];
        while !done(self) {
            let length = socket.read(&mut buffer).expect("the agent's answer");
            assert_ne!(length, 0, "the agent closed the connection");
            self.take(&buffer[..length]);
        }
    }

    fn data(&self, stream: u32, lane: u8) -> Vec<u8> {
        let data = self.frames.iter().filter(|(header, _)| {
            (header.stream, header.kind, header.lane) == (stream, FrameType::Data, lane)
        });
        data.flat_map(|(_, payload)| payload.clone()).collect()
    }

    fn events(&self, stream: u32) -> Vec<stream_event::Body> {
        let events = self
            .frames
            .iter()
            .filter(|(header, _)| (header.stream, header.kind) == (stream, FrameType::Event));
        events
            .map(|(_, payload)| {
                StreamEvent::decode(payload.as_slice())
                    .unwrap()
                    .body
                    .unwrap()
            })
            .collect()
    }

    /// Checks that this is the conversation that v1.md describes.
    fn check(&self) {
        assert_eq!(self.bytes[..8], *b"MSBCHAN1");
        assert_eq!(self.bytes[8..24], (1..=16).collect::<Vec<u8>>());
        match self.controls().next().unwrap().body.unwrap() {
            agent_control::Body::Hello(hello) => {
                assert_eq!((hello.version, hello.boot_id.len()), (1, 16))
            }
            other => panic!("{other:?}"),
        }
        for id in 1..=3 {
            assert!(self.controls().any(|message| message.id == id
                && matches!(message.body, Some(agent_control::Body::Done(_)))));
        }
        assert_eq!(
            (self.data(1, 0), self.data(3, 0), self.data(3, 1)),
            (b"hello\n".into(), b"typed".into(), b"hello\n".into())
        );
        match self.events(1).as_slice() {
            [
                stream_event::Body::Started(started),
                stream_event::Body::Result(result),
                stream_event::Body::Finished(finished),
            ] => {
                assert_eq!(
                    (started.cell_number, result.data["text/plain"].as_str()),
                    (1, "42")
                );
                assert_eq!((finished.outcome(), finished.output_end), (Outcome::Ok, 6));
            }
            other => panic!("{other:?}"),
        }
        match self.events(3).as_slice() {
            [
                stream_event::Body::Started(_),
                stream_event::Body::Finished(finished),
            ] => {
                assert_eq!(
                    (finished.outcome(), finished.exit_code),
                    (Outcome::Exited, 3)
                );
            }
            other => panic!("{other:?}"),
        }
        let refused = self
            .frames
            .iter()
            .find(|(header, _)| (header.stream, header.kind) == (5, FrameType::Reset))
            .unwrap();
        assert_eq!(
            Reset::decode(refused.1.as_slice()).unwrap().code,
            "command_not_found"
        );
    }
}

/// An agent and the connection that it dials, ungreeted.
fn agent() -> (Host, UnixStream) {
    let host = Host::start();
    let _ = host.socket.shutdown(std::net::Shutdown::Both);
    let socket = accept(&host.listener);
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    (host, socket)
}

/// Where the first DATA frame of the host's half begins.
fn first_data(host: &[u8]) -> usize {
    let mut at = GREETING;
    loop {
        let header = Header::parse(host[at..].first_chunk().unwrap()).unwrap();
        if header.kind == FrameType::Data {
            return at;
        }
        at += frame::HEADER + header.length;
    }
}

#[test]
fn an_agent_understands_what_a_host_of_version_1_says() {
    if !installed("python3") {
        return;
    }
    let (_host, mut socket) = agent();
    let mut said = Conversation::default();
    let host = std::fs::read(vector("host")).unwrap();
    // Data may follow only once its stream has been opened; all else may come in one piece.
    let (before, after) = host.split_at(first_data(&host));
    socket.write_all(before).unwrap();
    said.read_until(&mut socket, |said| said.has(3, FrameType::Opened));
    socket.write_all(after).unwrap();
    said.read_until(&mut socket, |said| {
        said.answered(3) && said.ended(1) && said.ended(3) && said.has(5, FrameType::Reset)
    });
    said.check();
}

#[test]
fn what_an_agent_of_version_1_said_is_still_understood() {
    let mut said = Conversation::default();
    said.take(&std::fs::read(vector("agent")).unwrap());
    assert_eq!(said.decoder.rest(), 0);
    said.check();
}

#[test]
fn a_conversation_step_by_step_is_the_recorded_one() {
    if !installed("python3") {
        return;
    }
    let (_host, mut socket) = agent();
    let (mut heard, mut said) = (Vec::new(), Conversation::default());
    for (bytes, done) in steps() {
        socket.write_all(&bytes).unwrap();
        heard.extend_from_slice(&bytes);
        said.read_until(&mut socket, done);
    }
    said.check();
    if std::env::var_os("MSB_RECORD_TRANSCRIPT").is_some() {
        std::fs::create_dir_all(vector("host").parent().unwrap()).unwrap();
        std::fs::write(vector("host"), &heard).unwrap();
        std::fs::write(vector("agent"), &said.bytes).unwrap();
    }
    assert_eq!(
        heard,
        std::fs::read(vector("host")).unwrap(),
        "the host's half is made of the same bytes"
    );
}
