//! Outbound connections: real programs in a network namespace of their own, and a host that answers for every server.

mod common;

use common::*;
use microsandbox_agent::frame::{FrameType, Header};
use microsandbox_agent::wire::*;
use prost::Message;
use std::time::Instant;

fn python(code: &str) -> StartProcess {
    command(&["python3", "-c", code])
}

fn enable(host: &mut Host, enabled: bool) {
    let configure = Configure {
        egress: Some(Egress { enabled }),
        ..Configure::default()
    };
    let answer = host.request(host_control::Body::Configure(configure));
    assert!(matches!(answer, agent_control::Body::Done(_)), "{answer:?}");
}

/// An agent that captures, enabled; or a return from the test.
macro_rules! captured {
    ($test:literal) => {{
        let Some(mut host) = Host::start_captured($test) else {
            return;
        };
        assert!(host.hello.egress);
        enable(&mut host, true);
        host
    }};
}

fn frame(host: &mut Host) -> (Header, Vec<u8>) {
    host.next_frame(Instant::now() + PATIENCE)
        .expect("a frame in time")
}

/// The next frame of a stream of the agent's; those of others are kept.
fn captured_frame(host: &mut Host) -> (Header, Vec<u8>) {
    let mut kept = Vec::new();
    loop {
        let (header, payload) = frame(host);
        if header.stream != 0 && header.stream % 2 == 0 {
            host.pending.extend(kept);
            return (header, payload);
        }
        kept.push((header, payload));
    }
}

/// Waits until a program connects; gives the stream and what it asked for.
fn accept(host: &mut Host) -> (u32, AgentOpen) {
    loop {
        // An earlier connection may still be ending.
        let (header, payload) = captured_frame(host);
        if header.kind == FrameType::Open {
            return (
                header.stream,
                AgentOpen::decode(payload.as_slice()).unwrap(),
            );
        }
    }
}

fn opened(host: &mut Host, stream: u32, window: u32) {
    let opened = Opened {
        window,
        ..Opened::default()
    };
    host.send(stream, FrameType::Opened, 0, &opened.encode_to_vec());
}

#[test]
fn a_connection_is_asked_for_and_carried() {
    let mut host = captured!("a_connection_is_asked_for_and_carried");
    for (address, octets) in [
        ("203.0.113.9", vec![203, 0, 113, 9]),
        (
            "2001:db8::9",
            [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[9]].concat(),
        ),
    ] {
        let code = format!(
            "import socket; s = socket.create_connection(('{address}', 8080)); s.sendall(b'ping'); s.shutdown(socket.SHUT_WR); print(s.makefile().read())"
        );
        let run = host.open(host_open::Target::StartProcess(python(&code)));
        let (stream, asked) = accept(&mut host);
        let connect = asked.connect.unwrap();
        assert_eq!((connect.address, connect.port), (octets, 8080));
        assert!(asked.window > 0);
        opened(&mut host, stream, 1_000);
        let (header, payload) = captured_frame(&mut host);
        assert_eq!(
            (header.kind, payload.as_slice()),
            (FrameType::Data, &b"ping"[..])
        );
        assert_eq!(captured_frame(&mut host).0.kind, FrameType::End);
        host.send(stream, FrameType::Data, 0, b"pong");
        host.send(stream, FrameType::End, 0, &[]);
        assert_eq!(host.collect(run).out(), "pong\n");
    }
}

#[test]
fn a_denied_connection_is_refused() {
    let mut host = captured!("a_denied_connection_is_refused");
    let code = "import socket\ntry: socket.create_connection(('203.0.113.9', 8080))\nexcept OSError as e: print(e.errno)";
    let run = host.open(host_open::Target::StartProcess(python(code)));
    let (stream, _) = accept(&mut host);
    let reset = Reset {
        reason: ResetReason::Denied.into(),
        ..Reset::default()
    };
    host.send(stream, FrameType::Reset, 0, &reset.encode_to_vec());
    assert_eq!(host.collect(run).out(), "111\n");
}

#[test]
fn names_are_resolved_by_the_host() {
    let mut host = captured!("names_are_resolved_by_the_host");
    let code = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('192.0.0.2', 53)); s.send(b'the query of a name'); print(s.recv(99))";
    let run = host.open(host_open::Target::StartProcess(python(code)));
    let mut kept = Vec::new();
    let (id, query) = loop {
        let (header, payload) = frame(&mut host);
        if header.kind != FrameType::Control {
            kept.push((header, payload));
            continue;
        }
        let message = AgentControl::decode(payload.as_slice()).unwrap();
        if let Some(agent_control::Body::DnsQuery(query)) = message.body {
            break (message.id, query);
        }
    };
    host.pending.extend(kept);
    assert_eq!(
        (query.message.as_slice(), query.tcp),
        (&b"the query of a name"[..], false)
    );
    let message = b"its answer".to_vec();
    host.control(id, host_control::Body::DnsAnswer(DnsAnswer { message }));
    assert_eq!(host.collect(run).out(), "b'its answer'\n");
}

#[test]
fn nothing_is_asked_for_unless_the_host_has_said_so() {
    let Some(mut host) = Host::start_captured("nothing_is_asked_for_unless_the_host_has_said_so")
    else {
        return;
    };
    let code = "import socket\ntry: socket.create_connection(('203.0.113.9', 8080))\nexcept OSError as e: print(e.errno)";
    assert_eq!(host.exec(python(code)).out(), "111\n");
    enable(&mut host, true);
    enable(&mut host, false);
    assert_eq!(host.exec(python(code)).out(), "111\n");
}

#[test]
fn connections_end_with_the_channel() {
    let mut host = captured!("connections_end_with_the_channel");
    let code = "import socket; s = socket.create_connection(('203.0.113.9', 8080)); s.send(b'x')\ntry: s.recv(1)\nexcept OSError as e: print(e.errno)";
    let process = python(code);
    let object = process.object_id.clone();
    host.open(host_open::Target::StartProcess(process));
    let (stream, _) = accept(&mut host);
    opened(&mut host, stream, 1_000);
    assert_eq!(captured_frame(&mut host).0.kind, FrameType::Data);
    host.reconnect();
    let run = host.attach(&object, 0);
    assert_eq!(host.collect(run).out(), "104\n");
}

#[test]
fn a_program_cannot_open_the_device() {
    let mut host = captured!("a_program_cannot_open_the_device");
    let code = "import os\nprint([t for f in os.listdir('/proc/self/fd') for t in [os.path.realpath('/proc/self/fd/' + f)] if 'tun' in t])";
    assert_eq!(host.exec(python(code)).out(), "[]\n");
}

#[test]
fn more_data_than_was_granted_ends_the_channel() {
    let mut host = captured!("more_data_than_was_granted_ends_the_channel");
    let code = "import socket; s = socket.create_connection(('203.0.113.9', 8080)); s.recv(1)";
    host.open(host_open::Target::StartProcess(python(code)));
    let (stream, asked) = accept(&mut host);
    opened(&mut host, stream, 1_000);
    host.send(
        stream,
        FrameType::Data,
        0,
        &vec![0; asked.window as usize + 1],
    );
    host.accept_again();
}

/// Sends a stream's bytes as the agent grants them.
fn download(host: &mut Host, stream: u32, mut window: u64, size: u64) {
    let frame_of_data = vec![7; 65_536];
    let mut left = size;
    while left > 0 {
        let length = window.min(left).min(65_536);
        if length > 0 {
            host.send(
                stream,
                FrameType::Data,
                0,
                &frame_of_data[..length as usize],
            );
            window -= length;
            left -= length;
            continue;
        }
        let (header, payload) = captured_frame(host);
        assert_eq!((header.stream, header.kind), (stream, FrameType::Credit));
        window += u64::from(Credit::decode(payload.as_slice()).unwrap().bytes);
    }
    host.send(stream, FrameType::End, 0, &[]);
}

#[test]
fn much_data_arrives_whole() {
    const SIZE: u64 = 200 << 20;
    let mut host = captured!("much_data_arrives_whole");
    let code = "import socket; s = socket.create_connection(('203.0.113.9', 8080)); b = bytearray(1 << 18); n = 0\nwhile r := s.recv_into(b): n += r\nprint(n)";
    let run = host.open(host_open::Target::StartProcess(python(code)));
    let (stream, asked) = accept(&mut host);
    opened(&mut host, stream, 0);
    let start = Instant::now();
    download(&mut host, stream, u64::from(asked.window), SIZE);
    assert_eq!(host.collect(run).out(), format!("{SIZE}\n"));
    report("download", start);

    let code = format!(
        "import socket; s = socket.create_connection(('203.0.113.9', 8080)); b = bytes(1 << 20)\nfor i in range({}): s.sendall(b)",
        SIZE >> 20
    );
    host.open(host_open::Target::StartProcess(python(&code)));
    let (stream, _) = accept(&mut host);
    opened(&mut host, stream, WINDOW);
    let start = Instant::now();
    let (mut received, mut used) = (0, 0);
    while received < SIZE {
        let (header, payload) = captured_frame(&mut host);
        assert_eq!((header.stream, header.kind), (stream, FrameType::Data));
        received += payload.len() as u64;
        used += payload.len() as u32;
        if used >= WINDOW / 2 {
            host.credit(stream, std::mem::take(&mut used));
        }
    }
    report("upload", start);
}

fn report(what: &str, start: Instant) {
    let speed = 209.7 / start.elapsed().as_secs_f64();
    println!("{what} of 210 MB through the agent: {speed:.0} MB/s");
}
