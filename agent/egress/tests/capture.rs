//! Real programs' sockets in a network namespace of their own, through a real TUN device, to real servers outside.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use microsandbox_egress::{Limits, PEER_V4, PEER_V6};
use support::host::{Command, DENIED, Host, RESOLVED, SILENT};
use support::sandbox::Sandbox;

const SOON: Duration = Duration::from_millis(500);

/// The sandbox and its host, or a return from the test where there can be none.
macro_rules! captured {
    ($test:literal) => {
        match Sandbox::create($test) {
            Some((sandbox, device)) => (sandbox, Host::start(device)),
            None => return,
        }
    };
}

/// Serves each connection on a thread of its own; gives the port.
fn serve(address: &str, serve: impl Fn(TcpStream) + Send + Clone + 'static) -> u16 {
    let listener = TcpListener::bind(address).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.unwrap(), serve.clone());
            thread::spawn(move || serve(stream));
        }
    });
    port
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 65_536];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

/// Connects within the sandbox and gives the error's kind and the time it took.
fn failure(sandbox: &Sandbox, address: String) -> (ErrorKind, Duration) {
    sandbox.run(move || {
        let start = Instant::now();
        let error = TcpStream::connect(address).unwrap_err();
        (error.kind(), start.elapsed())
    })
}

#[test]
fn a_connection_carries_bytes_both_ways_and_says_who_it_is_with() {
    let (sandbox, _host) = captured!("a_connection_carries_bytes_both_ways");
    for (server, there) in [("127.0.0.1:0", "203.0.113.1"), ("[::1]:0", "[2001:db8::1]")] {
        let port = serve(server, echo);
        let address: SocketAddr = format!("{there}:{port}").parse().unwrap();
        let said = sandbox.run(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            assert_eq!(stream.peer_addr().unwrap(), address);
            stream.write_all(b"hello").unwrap();
            let mut said = [0; 5];
            stream.read_exact(&mut said).unwrap();
            said
        });
        assert_eq!(&said, b"hello");
    }
}

#[test]
fn a_closed_port_refuses_at_once() {
    let (sandbox, _host) = captured!("a_closed_port_refuses_at_once");
    for (server, there) in [("127.0.0.1:0", "203.0.113.1"), ("[::1]:0", "[2001:db8::1]")] {
        let port = TcpListener::bind(server)
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let (kind, time) = failure(&sandbox, format!("{there}:{port}"));
        assert_eq!(kind, ErrorKind::ConnectionRefused);
        assert!(time < SOON, "{time:?}");
    }
}

#[test]
fn a_denied_destination_refuses_at_once() {
    let (sandbox, _host) = captured!("a_denied_destination_refuses_at_once");
    for address in [format!("{}:443", DENIED[0]), format!("[{}]:443", DENIED[1])] {
        let (kind, time) = failure(&sandbox, address);
        assert_eq!(kind, ErrorKind::ConnectionRefused);
        assert!(time < SOON, "{time:?}");
    }
}

#[test]
fn the_device_is_not_taken_for_a_destination() {
    let (sandbox, _host) = captured!("the_device_is_not_taken_for_a_destination");
    let inside = sandbox.run(|| {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        TcpStream::connect(("127.0.0.1", listener.local_addr().unwrap().port())).is_ok()
    });
    assert!(inside);
}

#[test]
fn a_program_that_has_said_all_still_hears_the_answer() {
    let (sandbox, host) = captured!("a_program_that_has_said_all_still_hears_the_answer");
    let port = serve("127.0.0.1:0", |mut stream| {
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        thread::sleep(Duration::from_millis(50));
        said.reverse();
        stream.write_all(&said).unwrap();
    });
    let answer = sandbox.run(move || {
        let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
        stream.write_all(b"abc").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    });
    assert_eq!(answer, b"cba");
    assert_eventually_nothing_is_left(&host);
}

#[test]
fn a_server_that_has_said_all_still_hears_the_program() {
    let (sandbox, host) = captured!("a_server_that_has_said_all_still_hears_the_program");
    let (heard_to, heard) = std::sync::mpsc::channel();
    let port = serve("127.0.0.1:0", move |mut stream| {
        stream.write_all(b"first").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        heard_to.send(said).unwrap();
    });
    let first = sandbox.run(move || {
        let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
        let mut first = Vec::new();
        stream.read_to_end(&mut first).unwrap();
        stream.write_all(&[7; 300_000]).unwrap();
        first
    });
    assert_eq!(first, b"first");
    assert_eq!(heard.recv().unwrap(), vec![7; 300_000]);
    assert_eventually_nothing_is_left(&host);
}

#[test]
fn what_a_program_said_before_it_closed_reaches_a_slow_server() {
    let (sandbox, host) = captured!("what_a_program_said_before_it_closed_reaches_a_slow_server");
    for server_ends_first in [false, true] {
        let (heard_to, heard) = std::sync::mpsc::channel();
        let port = serve("127.0.0.1:0", move |mut stream| {
            if server_ends_first {
                stream.shutdown(Shutdown::Write).unwrap();
            }
            thread::sleep(Duration::from_millis(300));
            let mut said = Vec::new();
            stream.read_to_end(&mut said).unwrap();
            heard_to.send(said.len()).unwrap();
        });
        sandbox.run(move || {
            let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
            if server_ends_first {
                assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            }
            stream.write_all(&[1; 8_000_000]).unwrap();
        });
        assert_eq!(heard.recv().unwrap(), 8_000_000);
        assert_eventually_nothing_is_left(&host);
    }
}

#[test]
fn what_a_server_said_before_it_closed_reaches_a_slow_program() {
    let (sandbox, host) = captured!("what_a_server_said_before_it_closed_reaches_a_slow_program");
    let port = serve("127.0.0.1:0", |mut stream| {
        stream.write_all(&[1; 8_000_000]).unwrap()
    });
    let heard = sandbox.run(move || {
        let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
        thread::sleep(Duration::from_millis(300));
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        said.len()
    });
    assert_eq!(heard, 8_000_000);
    assert_eventually_nothing_is_left(&host);
}

#[test]
fn a_broken_connection_is_broken_at_the_other_end() {
    let (sandbox, host) = captured!("a_broken_connection_is_broken_at_the_other_end");
    let (error_to, error) = std::sync::mpsc::channel();
    let port = serve("127.0.0.1:0", move |mut stream| {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        if byte[0] == b's' {
            let linger = Some(Duration::ZERO);
            rustix::net::sockopt::set_socket_linger(&stream, linger).unwrap();
            return;
        }
        error_to
            .send(stream.read(&mut byte).unwrap_err().kind())
            .unwrap();
    });
    let by_server = sandbox.run(move || {
        let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
        stream.write_all(b"s").unwrap();
        stream.read(&mut [0]).unwrap_err().kind()
    });
    assert_eq!(by_server, ErrorKind::ConnectionReset);
    sandbox.run(move || {
        let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
        stream.write_all(b"p").unwrap();
        thread::sleep(Duration::from_millis(50));
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    });
    assert_eq!(error.recv().unwrap(), ErrorKind::ConnectionReset);
    assert_eventually_nothing_is_left(&host);
}

#[test]
fn a_lost_channel_resets_every_connection_and_refuses_new_ones_until_there_is_another() {
    let (sandbox, host) = captured!("a_lost_channel_resets_every_connection");
    let port = serve("127.0.0.1:0", echo);
    let streams = sandbox.run(move || {
        (0..10)
            .map(|_| TcpStream::connect(("203.0.113.1", port)).unwrap())
            .collect::<Vec<_>>()
    });
    host.tell(Command::LoseChannel);
    assert_eq!(host.count(), (0, 0));
    for mut stream in streams {
        assert_eq!(
            stream.read(&mut [0]).unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
    }
    let (kind, time) = failure(&sandbox, format!("203.0.113.1:{port}"));
    assert_eq!(kind, ErrorKind::ConnectionRefused);
    assert!(time < SOON, "{time:?}");
    host.tell(Command::RestoreChannel);
    assert_eq!(host.count(), (0, 0));
    assert!(sandbox.run(move || TcpStream::connect(("203.0.113.1", port)).is_ok()));
}

#[test]
fn a_dial_under_way_is_refused_when_the_channel_is_lost() {
    let (sandbox, host) = captured!("a_dial_under_way_is_refused_when_the_channel_is_lost");
    let dial = thread::spawn(move || failure(&sandbox, format!("{SILENT}:80")));
    while host.count().0 == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    host.tell(Command::LoseChannel);
    assert_eq!(dial.join().unwrap().0, ErrorKind::ConnectionRefused);
}

#[test]
fn switched_off_everything_is_refused() {
    let (sandbox, host) = captured!("switched_off_everything_is_refused");
    let port = serve("127.0.0.1:0", echo);
    let mut stream = sandbox.run(move || TcpStream::connect(("203.0.113.1", port)).unwrap());
    host.tell(Command::Enable(false));
    assert_eq!(
        stream.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    let (kind, _) = failure(&sandbox, format!("203.0.113.1:{port}"));
    assert_eq!(kind, ErrorKind::ConnectionRefused);
    assert_eventually_nothing_is_left(&host);
}

#[test]
fn dials_beyond_the_limit_are_refused() {
    let Some((sandbox, device)) = Sandbox::create("dials_beyond_the_limit_are_refused") else {
        return;
    };
    let limits = Limits {
        dialling: 2,
        queued: 1,
        ..Limits::default()
    };
    let host = Host::start_with(device, limits);
    let port = serve("127.0.0.1:0", echo);
    sandbox.run(|| {
        for _ in 0..3 {
            thread::spawn(|| TcpStream::connect((SILENT, 80)));
        }
    });
    while host.count().0 < 3 {
        thread::sleep(Duration::from_millis(5));
    }
    let (kind, time) = failure(&sandbox, format!("203.0.113.1:{port}"));
    assert_eq!(kind, ErrorKind::ConnectionRefused);
    assert!(time < SOON, "{time:?}");
}

#[test]
fn a_thousand_connections_live_at_once() {
    const MANY: usize = 1_000;
    let (sandbox, host) = captured!("a_thousand_connections_live_at_once");
    let port = serve("127.0.0.1:0", echo);
    let start = Instant::now();
    let sum: usize = sandbox.run(move || {
        let all_connected = Arc::new(Barrier::new(MANY));
        let programs: Vec<_> = (0..MANY)
            .map(|number| {
                let all_connected = Arc::clone(&all_connected);
                let program = move || {
                    let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
                    all_connected.wait();
                    let message = vec![number as u8; 10_000];
                    stream.write_all(&message).unwrap();
                    let mut answer = vec![0; message.len()];
                    stream.read_exact(&mut answer).unwrap();
                    assert_eq!(answer, message);
                    answer.len()
                };
                thread::Builder::new()
                    .stack_size(64 * 1024)
                    .spawn(program)
                    .unwrap()
            })
            .collect();
        programs.into_iter().map(|it| it.join().unwrap()).sum()
    });
    println!(
        "1,000 connections at once, 10 kB each way: {:?}",
        start.elapsed()
    );
    assert_eq!(sum, MANY * 10_000);
    assert_eventually_nothing_is_left(&host);
}

#[test]
fn much_data_arrives_whole_in_both_directions() {
    const SIZE: usize = 200 * 1024 * 1024;
    let (sandbox, host) = captured!("much_data_arrives_whole");
    let source = serve("127.0.0.1:0", |mut stream| send(&mut stream, SIZE));
    let start = Instant::now();
    let sum = sandbox.run(move || receive(TcpStream::connect(("203.0.113.1", source)).unwrap()));
    report("download", SIZE, start.elapsed());
    assert_eq!(sum, checksum(SIZE));

    let (sum_to, sum_from) = std::sync::mpsc::channel();
    let drain = serve("127.0.0.1:0", move |stream| {
        sum_to.send(receive(stream)).unwrap()
    });
    let start = Instant::now();
    sandbox.run(move || {
        send(
            &mut TcpStream::connect(("203.0.113.1", drain)).unwrap(),
            SIZE,
        )
    });
    let sum = sum_from.recv().unwrap();
    report("upload", SIZE, start.elapsed());
    assert_eq!(sum, checksum(SIZE));
    assert_eventually_nothing_is_left(&host);
}

fn report(what: &str, size: usize, time: Duration) {
    let speed = size as f64 / 1e6 / time.as_secs_f64();
    println!("{what} of {} MB: {speed:.0} MB/s", size / 1_000_000);
}

fn block() -> Vec<u8> {
    (0..262_144u32)
        .map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

fn send(stream: &mut TcpStream, size: usize) {
    let block = block();
    for _ in 0..size / block.len() {
        stream.write_all(&block).unwrap();
    }
}

/// Length and a sum that depends on every byte's place.
fn receive(mut stream: TcpStream) -> (usize, bool) {
    let block = block();
    let mut buffer = vec![0; 262_144];
    let (mut length, mut right) = (0, true);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            return (length, right);
        }
        let place = length % block.len();
        let first = read.min(block.len() - place);
        right &= buffer[..first] == block[place..place + first];
        right &= buffer[first..read] == block[..read - first];
        length += read;
    }
}

fn checksum(size: usize) -> (usize, bool) {
    (size, true)
}

fn query(id: u8) -> Vec<u8> {
    let mut query = vec![id, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x07example\x03com\x00\x00\x01\x00\x01");
    query
}

#[test]
fn names_are_resolved_by_datagram_whatever_server_is_asked() {
    let (sandbox, _host) = captured!("names_are_resolved_by_datagram");
    let servers = [
        format!("{PEER_V4}:53"),
        format!("[{PEER_V6}]:53"),
        "8.8.8.8:53".to_owned(),
        "[2001:4860:4860::8888]:53".to_owned(),
    ];
    for server in servers {
        let server: SocketAddr = server.parse().unwrap();
        let (answer, from) = sandbox.run(move || {
            let any = if server.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            };
            let socket = UdpSocket::bind(any).unwrap();
            socket
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            socket.send_to(&query(9), server).unwrap();
            let mut answer = vec![0; 4_096];
            let (length, from) = socket.recv_from(&mut answer).unwrap();
            answer.truncate(length);
            (answer, from)
        });
        assert_eq!(from, server);
        assert_eq!(answer[..2], [9, 9]);
        assert!(answer.ends_with(&RESOLVED.octets()));
    }
}

#[test]
fn names_are_resolved_by_connection() {
    let (sandbox, host) = captured!("names_are_resolved_by_connection");
    sandbox.run(|| {
        let mut stream = TcpStream::connect("9.9.9.9:53").unwrap();
        for id in 1..=40 {
            let query = query(id);
            stream
                .write_all(&(query.len() as u16).to_be_bytes())
                .unwrap();
            stream.write_all(&query).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut ids = Vec::new();
        let mut length = [0; 2];
        while stream.read_exact(&mut length).is_ok() {
            let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut answer).unwrap();
            assert!(answer.len() > 1_600);
            ids.push(answer[0]);
        }
        assert_eq!(ids, (1..=40).collect::<Vec<u8>>());
    });
    assert_eventually_nothing_is_left(&host);
}

#[test]
fn other_datagrams_are_refused_at_once() {
    let (sandbox, _host) = captured!("other_datagrams_are_refused_at_once");
    for (local, there) in [
        ("0.0.0.0:0", "203.0.113.1:443"),
        ("[::]:0", "[2001:db8::1]:443"),
    ] {
        let kind = sandbox.run(move || {
            let socket = UdpSocket::bind(local).unwrap();
            socket
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            socket.connect(there).unwrap();
            socket.send(&[1; 1_000]).unwrap();
            socket.recv(&mut [0; 10]).unwrap_err().kind()
        });
        assert_eq!(kind, ErrorKind::ConnectionRefused);
    }
}

#[test]
fn a_server_that_speaks_first_is_heard_whole() {
    let (sandbox, _host) = captured!("a_server_that_speaks_first_is_heard_whole");
    let port = serve("127.0.0.1:0", |mut stream| {
        stream.write_all(&[b'x'; 50_000]).unwrap()
    });
    for _ in 0..50 {
        let heard = sandbox.run(move || {
            let mut stream = TcpStream::connect(("203.0.113.1", port)).unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).unwrap();
            heard.len()
        });
        assert_eq!(heard, 50_000);
    }
}

fn assert_eventually_nothing_is_left(host: &Host) {
    let start = Instant::now();
    while host.count() != (0, 0) {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "left: {:?}",
            host.count()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_namespace_with_a_way_out_is_left_alone() {
    let Some((sandbox, device)) = Sandbox::create("a_namespace_with_a_way_out_is_left_alone")
    else {
        return;
    };
    let again =
        sandbox.run(|| microsandbox_egress::Device::create("/dev/net/tun".as_ref()).map(drop));
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    drop(device);
}
