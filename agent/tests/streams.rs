//! Output on streams: windows, tails, several viewers, turns.

mod common;

use common::*;
use microsandbox_agent::frame::FrameType;
use microsandbox_agent::wire::*;
use prost::Message;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

fn started(host: &mut Host, process: StartProcess, window: u32) -> (u32, Run) {
    let stream = host.open_with(host_open::Target::StartProcess(process), window);
    let mut run = Run::default();
    while run.started.is_none() {
        host.step(stream, &mut run, PATIENCE);
    }
    (stream, run)
}

/// Reads what comes on a stream without granting more; gives the bytes.
fn without_credit(host: &mut Host, stream: u32, quiet: Duration) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some((header, payload)) = host.next_of(stream, quiet) {
        match header.kind {
            FrameType::Data => bytes.extend(payload),
            FrameType::End => panic!("ended"),
            _ => {}
        }
    }
    bytes
}

#[test]
fn no_more_than_the_window_is_ever_sent_and_the_program_waits() {
    let mut host = Host::start();
    let (stream, _) = started(
        &mut host,
        shell("head -c 10000000 /dev/zero; echo over >&2"),
        1000,
    );
    assert_eq!(
        without_credit(&mut host, stream, Duration::from_millis(500)).len(),
        1000
    );
    host.credit(stream, 5);
    assert_eq!(
        without_credit(&mut host, stream, Duration::from_millis(200)).len(),
        5
    );
    host.credit(stream, 500_000);
    let run = host.collect(stream);
    assert_eq!(run.stdout.len() + 1005, 10_000_000);
    assert_eq!(run.err(), "over\n");
}

#[test]
fn a_stream_without_any_window_is_opened_and_waits_for_credit() {
    let mut host = Host::start();
    let (stream, _) = started(&mut host, shell("echo hello"), 0);
    assert_eq!(
        without_credit(&mut host, stream, Duration::from_millis(200)).len(),
        0
    );
    host.credit(stream, 100);
    assert_eq!(host.collect(stream).out(), "hello\n");
}

#[test]
fn a_hundred_megabytes_pass() {
    let mut host = Host::start();
    let began = Instant::now();
    let (stream, mut run) = started(&mut host, shell("head -c 104857600 /dev/zero"), WINDOW);
    let mut bytes = 0;
    while !host.step(stream, &mut run, PATIENCE) {
        bytes += std::mem::take(&mut run.stdout).len();
    }
    assert_eq!((bytes + run.stdout.len()) as u64, run.finished().output_end);
    assert_eq!(run.finished().output_end, 104_857_600);
    println!("100 MiB in {:?}", began.elapsed());
}

#[test]
fn with_no_viewer_the_program_goes_on_and_the_last_mebibyte_is_kept() {
    let mut host = Host::start();
    let process = shell(
        "for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/zero | tr '\\0' $i; done; echo end",
    );
    let id = process.object_id.clone();
    let (stream, _) = started(&mut host, process, 0);
    host.send(
        stream,
        FrameType::Reset,
        0,
        &Reset::default().encode_to_vec(),
    );
    let end = Instant::now() + PATIENCE;
    let finished = loop {
        host.reconnect();
        let state = host
            .hello
            .objects
            .iter()
            .find(|object| object.object_id == id)
            .unwrap();
        if let Some(finished) = state.finished {
            break finished;
        }
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(
        (finished.outcome(), finished.output_end),
        (Outcome::Exited, 8_000_004)
    );
    let stream = host.attach(&id, 17);
    let run = host.collect(stream);
    let offset = run.opened.unwrap().offset as usize;
    assert!(
        offset > 17 && run.stdout.len() >= MIB && run.stdout.len() < MIB + 65_536,
        "{}",
        run.stdout.len()
    );
    assert_eq!(offset + run.stdout.len(), 8_000_004);
    assert!(run.out().starts_with('7') && run.out().ends_with("8end\n"));
}

#[test]
fn the_slowest_viewer_holds_the_others_for_at_most_its_window() {
    let mut host = Host::start();
    let process = shell("head -c 3000000 /dev/zero");
    let id = process.object_id.clone();
    let (first, mut run) = started(&mut host, process, WINDOW);
    let slow = host.open_with(
        host_open::Target::Attach(Attach {
            object_id: id,
            offset: 0,
        }),
        1000,
    );
    while let Some((header, payload)) = host.next_of(first, Duration::from_millis(400)) {
        if header.kind == FrameType::Data {
            run.stdout.extend_from_slice(&payload);
            host.credit(first, payload.len() as u32);
        }
    }
    let ahead = run.stdout.len();
    assert!(
        ahead < 1_500_000,
        "{ahead} bytes although a viewer stands still"
    );
    host.send(slow, FrameType::Reset, 0, &Reset::default().encode_to_vec());
    while !host.step(first, &mut run, PATIENCE) {}
    assert_eq!(run.stdout.len(), 3_000_000);
}

#[test]
fn lanes_and_their_order_survive_any_splitting() {
    let mut host = Host::start();
    let script = "i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let run = host.exec(shell(script));
    for (lane, name) in [(run.out(), "out"), (run.err(), "err")] {
        let lines: Vec<&str> = lane.lines().collect();
        assert_eq!(lines.len(), 300);
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(*line, format!("{name} {number}"));
        }
    }
}

#[test]
fn streams_take_turns() {
    let mut host = Host::start();
    let (loud, _) = started(&mut host, shell("yes"), WINDOW);
    let began = Instant::now();
    let quiet = host.open(host_open::Target::StartProcess(shell("echo hello")));
    let mut run = Run::default();
    loop {
        let (header, payload) = host.next_frame(Instant::now() + PATIENCE).unwrap();
        if header.stream == loud && header.kind == FrameType::Data {
            host.credit(loud, payload.len() as u32);
        } else if header.stream == quiet {
            host.pending.push_front((header, payload));
            if host.step(quiet, &mut run, PATIENCE) {
                break;
            }
        }
    }
    assert_eq!(run.out(), "hello\n");
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn outcomes_are_kept_until_a_thousand_newer_ones_push_them_out() {
    let mut host = Host::start();
    let ids: Vec<Vec<u8>> = (0..1_030)
        .map(|_| {
            let process = command(&["true"]);
            let id = process.object_id.clone();
            host.exec(process);
            id
        })
        .collect();
    let stream = host.attach(&ids[0], 0);
    assert_eq!(host.collect(stream).code(), "run_not_found");
    for id in [&ids[6], &ids[1_029]] {
        let stream = host.attach(id, 0);
        assert_eq!(host.collect(stream).outcome(), Outcome::Exited);
    }
    host.reconnect();
    assert!(host.hello.objects.len() >= 500);
}

#[test]
fn windows_for_input_share_a_bound_and_are_granted_later_where_there_was_no_room() {
    let mut host = Host::start();
    let cat = || StartProcess {
        stdin: true,
        ..command(&["cat"])
    };
    let opened: Vec<(u32, u64)> = (0..50)
        .map(|_| {
            let (stream, run) = started(&mut host, cat(), WINDOW);
            (stream, u64::from(run.opened.unwrap().window))
        })
        .collect();
    assert!(opened.iter().map(|(_, window)| window).sum::<u64>() <= 3 << 20);
    assert_eq!((opened[0].1, opened[49].1), (65_536, 0));
    host.send(opened[0].0, FrameType::End, 0, b"");
    assert_eq!(host.collect(opened[0].0).outcome(), Outcome::Exited);
    let later = opened.iter().find(|(_, window)| *window == 0).unwrap().0;
    let (header, payload) = host.next_of(later, PATIENCE).expect("credit");
    assert_eq!(header.kind, FrameType::Credit);
    assert_eq!(Credit::decode(payload.as_slice()).unwrap().bytes, 65_536);
    host.send(later, FrameType::Data, 0, b"late");
    host.send(later, FrameType::End, 0, b"");
    assert_eq!(host.collect(later).out(), "late");
}

#[test]
fn input_goes_on_after_a_new_connection() {
    let mut host = Host::start();
    let process = StartProcess {
        stdin: true,
        ..command(&["cat"])
    };
    let id = process.object_id.clone();
    let (stream, mut run) = started(&mut host, process, WINDOW);
    host.send(stream, FrameType::Data, 0, b"one ");
    while run.stdout.is_empty() {
        host.step(stream, &mut run, PATIENCE);
    }
    host.reconnect();
    let stream = host.attach(&id, 4);
    let mut run = Run::default();
    while run.started.is_none() {
        host.step(stream, &mut run, PATIENCE);
    }
    assert_eq!(
        run.opened.unwrap(),
        Opened {
            window: 65_536,
            offset: 4,
            size: None
        }
    );
    host.send(stream, FrameType::Data, 0, b"two");
    host.send(stream, FrameType::End, 0, b"");
    while !host.step(stream, &mut run, PATIENCE) {}
    assert_eq!((run.out().as_str(), run.finished().output_end), ("two", 7));
}

#[test]
fn an_acknowledged_object_ends_the_streams_that_still_show_it() {
    let mut host = Host::start();
    let process = shell("echo hello");
    let id = process.object_id.clone();
    let stream = host.open(host_open::Target::StartProcess(process));
    host.collect(stream);
    let stuck = host.open_with(
        host_open::Target::Attach(Attach {
            object_id: id.clone(),
            offset: 0,
        }),
        0,
    );
    let acknowledge = Acknowledge {
        object_ids: vec![id],
    };
    host.request(host_control::Body::Acknowledge(acknowledge));
    assert_eq!(
        host.collect(stuck).reset.unwrap().reason(),
        ResetReason::Cancelled
    );
}
