//! The rules of the channel: greeting, broken rules, redialling, and what survives them.

mod common;

use common::*;
use microsandbox_agent::frame::FrameType;
use microsandbox_agent::wire::*;
use prost::Message;
use std::io::Write;
use std::time::{Duration, Instant};

/// A raw frame, rules or no rules.
fn raw(stream: u32, kind: u8, flags: u8, reserved: u16, length: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = stream.to_be_bytes().to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&reserved.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn open_frame(stream: u32, window: u32) -> Vec<u8> {
    let target = Some(host_open::Target::StartProcess(command(&["cat"])));
    let payload = HostOpen { window, target }.encode_to_vec();
    raw(stream, 2, 0, 0, payload.len() as u32, &payload)
}

#[test]
fn hello_says_who_the_agent_is() {
    let host = Host::start();
    assert_eq!(
        (host.hello.version, host.hello.sandbox_id.as_str()),
        (1, "test")
    );
    assert_eq!(host.hello.boot_id.len(), 16);
    assert!(!host.hello.agent_version.is_empty());
}

#[test]
fn garbage_before_the_magic_is_discarded() {
    let mut host = Host::start();
    let _ = host.socket.shutdown(std::net::Shutdown::Both);
    let mut garbage = vec![0xff; 100_000];
    garbage.extend_from_slice(b"MSBCHAN MSBCHAN");
    let (socket, hello, _) = greet(accept(&host.listener), &garbage);
    assert_eq!(hello.boot_id, host.hello.boot_id);
    drop(socket);
    host.accept_again();
    assert!(matches!(
        host.request(host_control::Body::Ping(Ping {})),
        agent_control::Body::Done(_)
    ));
}

#[test]
fn a_broken_rule_closes_the_connection_and_the_agent_dials_anew_with_its_objects() {
    let mut host = Host::start();
    let sleeper = command(&["sleep", "1000"]);
    let id = sleeper.object_id.clone();
    let stream = host.open(host_open::Target::StartProcess(sleeper));
    let mut run = Run::default();
    while run.started.is_none() {
        host.step(stream, &mut run, PATIENCE);
    }
    let ping = HostControl {
        id: 1,
        body: Some(host_control::Body::Ping(Ping {})),
    }
    .encode_to_vec();
    let mut twice = open_frame(1, 0);
    twice.extend(open_frame(1, 0));
    let mut backwards = open_frame(7, 0);
    backwards.extend(open_frame(5, 0));
    let mut unpaid = open_frame(1, 0);
    unpaid.extend(raw(1, 4, 0, 0, 1, b"x"));
    let credit = Credit { bytes: u32::MAX }.encode_to_vec();
    let mut too_much = open_frame(1, 0);
    too_much.extend(raw(1, 6, 0, 0, credit.len() as u32, &credit));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("unknown type", raw(1, 9, 0, 0, 0, b"")),
        ("type zero", raw(1, 0, 0, 0, 0, b"")),
        (
            "control off stream 0",
            raw(3, 1, 0, 0, ping.len() as u32, &ping),
        ),
        ("open on stream 0", raw(0, 2, 0, 0, 0, b"")),
        ("data on stream 0", raw(0, 4, 0, 0, 1, b"x")),
        ("lane on control", raw(0, 1, 1, 0, ping.len() as u32, &ping)),
        ("lane 2", raw(1, 4, 2, 0, 1, b"x")),
        ("reserved bytes", raw(0, 1, 0, 1, ping.len() as u32, &ping)),
        ("a length past the limit", raw(0, 1, 0, 0, 65_537, b"")),
        ("a length of 4 GiB", raw(0, 1, 0, 0, u32::MAX, b"")),
        ("empty data", raw(1, 4, 0, 0, 0, b"")),
        ("end with a payload", raw(1, 7, 0, 0, 1, b"x")),
        (
            "control that is no message",
            raw(0, 1, 0, 0, 3, &[0xff, 0xff, 0xff]),
        ),
        (
            "open that is no message",
            raw(1, 2, 0, 0, 3, &[0xff, 0xff, 0xff]),
        ),
        ("an even stream", open_frame(2, 0)),
        ("a stream used twice", twice),
        ("a stream id that goes back", backwards),
        (
            "a first window that is too large",
            open_frame(1, (256 << 10) + 1),
        ),
        ("data beyond the window", unpaid),
        ("credit beyond the limit", too_much),
        ("opened on a stream of the host's", raw(1, 3, 0, 0, 0, b"")),
    ];
    for (name, bytes) in cases {
        host.reconnect();
        assert!(
            host.hello
                .objects
                .iter()
                .any(|object| object.object_id == id),
            "{name}"
        );
        host.socket.write_all(&bytes).unwrap();
        assert!(host.is_closed(Duration::from_secs(5)), "not closed: {name}");
    }
    host.accept_again();
    let stream = host.attach(&id, 0);
    let mut run = Run::default();
    host.step(stream, &mut run, PATIENCE);
    host.step(stream, &mut run, PATIENCE);
    assert!(run.started.is_some());
}

#[test]
fn anything_before_welcome_breaks_a_rule() {
    let mut host = Host::start();
    let _ = host.socket.shutdown(std::net::Shutdown::Both);
    let ping = HostControl {
        id: 1,
        body: Some(host_control::Body::Ping(Ping {})),
    }
    .encode_to_vec();
    for bytes in [raw(0, 1, 0, 0, ping.len() as u32, &ping), open_frame(1, 0)] {
        let (mut socket, _, _) = greet(accept(&host.listener), b"");
        socket.write_all(&bytes).unwrap();
        host.socket = socket;
        assert!(host.is_closed(Duration::from_secs(5)));
    }
}

#[test]
fn frames_of_streams_that_are_gone_are_dropped() {
    let mut host = Host::start();
    for kind in [FrameType::End, FrameType::Event, FrameType::Reset] {
        host.send(41, kind, 0, b"");
    }
    host.send(41, FrameType::Data, 0, b"late");
    host.send(44, FrameType::Opened, 0, b"");
    let run = host.exec(command(&["true"]));
    assert_eq!(run.outcome(), Outcome::Exited);
    host.send(1, FrameType::Data, 0, b"late");
    host.credit(1, 10);
    assert!(matches!(
        host.request(host_control::Body::Ping(Ping {})),
        agent_control::Body::Done(_)
    ));
}

#[test]
fn an_agent_dials_again_however_long_nobody_was_there() {
    let mut host = Host::start();
    let path = host.path().join("agent.sock");
    std::fs::remove_file(&path).unwrap();
    let _ = host.socket.shutdown(std::net::Shutdown::Both);
    std::thread::sleep(Duration::from_millis(1500));
    host.listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    host.accept_again();
}

#[test]
fn a_thousand_requests_at_once_are_all_answered() {
    let mut host = Host::start();
    for id in 100..1_100 {
        host.control(id, host_control::Body::Ping(Ping {}));
    }
    host.control(5_000, host_control::Body::Status(StatusQuery {}));
    let mut answered = 0;
    let end = Instant::now() + PATIENCE;
    while answered < 1_001 {
        let (_, payload) = host.next_frame(end).expect("an answer");
        let message = AgentControl::decode(payload.as_slice()).unwrap();
        answered += u32::from(message.id >= 100);
    }
}

#[test]
fn a_request_this_agent_does_not_know_fails_alone() {
    let mut host = Host::start();
    // Field 99, a message of a later version.
    let payload = [0x08, 0x07, 0x9a, 0x06, 0x00];
    host.send(0, FrameType::Control, 0, &payload);
    let (_, answer) = host.next_frame(Instant::now() + PATIENCE).unwrap();
    let answer = AgentControl::decode(answer.as_slice()).unwrap();
    assert!(
        matches!(&answer.body, Some(agent_control::Body::Failure(failure)) if failure.code == "unsupported"),
        "{answer:?}"
    );
    assert_eq!(answer.id, 7);
    let stream = host.open(host_open::Target::DialPort(DialPort { port: 80 }));
    let run = host.collect(stream);
    assert_eq!(run.reset.unwrap().reason(), ResetReason::Unsupported);
}

/// A small generator with a period of 2^64, so that a failure can be repeated by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.next() % most;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn nonsense_never_ends_the_agent() {
    let mut host = Host::start();
    for seed in 1..=150 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let mut bytes = Vec::new();
        for _ in 0..random.next() % 20 {
            match random.next() % 3 {
                0 => bytes.extend(random.bytes(200)),
                1 => {
                    let payload = random.bytes(300);
                    let kind = (random.next() % 9) as u8;
                    let stream = if kind == 1 {
                        0
                    } else {
                        (random.next() % 8) as u32
                    };
                    bytes.extend(raw(stream, kind, 0, 0, payload.len() as u32, &payload));
                }
                _ => bytes.extend(open_frame((random.next() % 64) as u32 * 2 + 1, 1_000)),
            }
        }
        let _ = host.socket.write_all(&bytes);
        std::thread::sleep(Duration::from_millis(2));
        host.reconnect();
        assert!(
            host.agent.try_wait().unwrap().is_none(),
            "the agent ended by seed {seed}"
        );
    }
    assert_eq!(host.exec(shell("echo alive")).out(), "alive\n");
}
