//! Alone in its process, whose memory it measures.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use support::host::Host;
use support::sandbox::Sandbox;

/// Resident memory of this process in KiB.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("RssAnon:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn run_many(sandbox: &Sandbox, port: u16) {
    sandbox.run(move || {
        let mut streams: Vec<_> = (0..1_000)
            .map(|_| TcpStream::connect(("203.0.113.1", port)).unwrap())
            .collect();
        for stream in &mut streams {
            // Large enough that what this test itself keeps of it is given back, too.
            stream.write_all(&[1; 50_000]).unwrap();
        }
        for mut stream in streams {
            stream.read_exact(&mut [0; 50_000]).unwrap();
        }
    });
}

#[test]
fn a_thousand_connections_leave_no_memory_behind() {
    let Some((sandbox, device)) = Sandbox::create("a_thousand_connections_leave_no_memory_behind")
    else {
        return;
    };
    let host = Host::start(device);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // One thread for all, for threads' stacks are memory as well.
    thread::spawn(move || {
        loop {
            let streams: Vec<_> = (0..1_000).map(|_| listener.accept().unwrap().0).collect();
            for mut stream in streams {
                let mut message = vec![0; 50_000];
                stream.read_exact(&mut message).unwrap();
                stream.write_all(&message).unwrap();
            }
        }
    });
    run_many(&sandbox, port);
    let before = resident();
    for _ in 0..2 {
        run_many(&sandbox, port);
        let start = Instant::now();
        while host.count() != (0, 0) {
            assert!(start.elapsed() < Duration::from_secs(10));
            thread::sleep(Duration::from_millis(10));
        }
    }
    let after = resident();
    println!("resident memory: {before} KiB before, {after} KiB after 2,000 connections");
    assert!(after < 24 * 1024, "{after} KiB are held by no connection");
}
