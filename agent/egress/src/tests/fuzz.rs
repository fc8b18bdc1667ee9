//! No packet and no order of events may end PID 1. The random numbers are the same in every run.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Asked, Bench, Crafted, program, program_v6, segment_of};
use crate::{Limits, answer};

/// `FUZZ_SEED` and `FUZZ_TIMES` make a longer run.
fn seed(default: u64) -> u64 {
    number("FUZZ_SEED").unwrap_or(default)
}

fn rounds(default: u32) -> u32 {
    default * number("FUZZ_TIMES").unwrap_or(1) as u32
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

fn server(random: &mut Random) -> SocketAddr {
    let port = [80, 53, 443, 0][random.below(4)];
    SocketAddr::new("203.0.113.1".parse().unwrap(), port)
}

#[test]
fn no_packet_ends_the_capture() {
    let mut random = Random(seed(0x9e37_79b9_7f4a_7c15));
    let mut bench = Bench::new(Limits::default());
    let syn = |random: &mut Random| Crafted::syn(program(4_000), server(random)).packet();
    for round in 0..rounds(20_000) {
        let mut packet = match random.below(5) {
            0 => {
                let length = 1 + random.below(200);
                let mut bytes = random.bytes(length);
                bytes[0] = [0x45, 0x60, 0x4f, 0x00][random.below(4)];
                bytes
            }
            1 => answer::udp(program(4_000), server(&mut random), &random.bytes(30)),
            2 => Crafted::syn(program_v6(4_000), "[2001:db8::1]:53".parse().unwrap()).packet(),
            _ => syn(&mut random),
        };
        for _ in 0..random.below(4) {
            let at = random.below(packet.len());
            packet[at] = random.next() as u8;
        }
        packet.truncate(1 + random.below(packet.len() * 3));
        if packet[0] >> 4 == 4 && packet.len() >= 20 && !random.one_in(4) {
            // Most get past the header's checksum.
            let header = usize::from(packet[0] & 15) * 4;
            if (20..=packet.len()).contains(&header) {
                smoltcp::wire::Ipv4Packet::new_unchecked(&mut packet[..]).fill_checksum();
            }
        }
        bench.put(&packet);
        bench.take();
        if round % 1_000 == 0 {
            bench.egress.channel_lost(Instant::now());
            bench.egress.channel_up();
            bench.asked();
        }
    }
    bench.egress.channel_lost(Instant::now());
    assert_eq!(bench.egress.connections(), 0);
}

/// A connection as its program's kernel sees it.
#[derive(Clone)]
struct Conversation {
    segment: Crafted,
    theirs: u32,
}

#[test]
fn no_order_of_events_ends_the_capture() {
    let mut random = Random(seed(0x1234_5678_9abc_def1));
    let mut bench = Bench::new(Limits::default());
    let mut now = Instant::now();
    let mut carried = [0; 3];
    for conversation in 0..rounds(600) {
        let port = 1_024 + (conversation % 50_000) as u16;
        let mut talk = begin(&mut bench, port, &mut random, now);
        let stream = bench.asked().into_iter().find_map(|it| match it {
            Asked::Open(stream, _) => Some(stream),
            _ => None,
        });
        for _ in 0..random.below(60) {
            match random.below(8) {
                0..=4 => bench.put(&mutated(&mut talk, &mut random).packet()),
                5 => on_host(&mut bench, stream.unwrap_or(2), &mut random, now),
                6 => now += Duration::from_millis(random.next() % 3_000),
                _ => bench.sink.full = random.one_in(2),
            }
            bench.egress.poll(now, &mut bench.sink);
            for packet in bench.take() {
                let segment = segment_of(&packet);
                talk.theirs = segment.sequence.0 as u32 + segment.length as u32;
            }
            for asked in bench.asked() {
                carried[0] += usize::from(matches!(asked, Asked::Data(..)));
                carried[1] += usize::from(matches!(asked, Asked::End(_)));
                carried[2] += usize::from(matches!(asked, Asked::Reset(_)));
            }
        }
    }
    assert!(
        carried.iter().all(|it| *it > 10),
        "the events lead nowhere: {carried:?}"
    );
    bench.egress.channel_lost(now);
    assert_eq!(bench.egress.connections(), 0);
    assert_eq!(bench.egress.poll(now, &mut bench.sink), None);
    assert!(bench.egress.free_windows_are_whole());
}

fn begin(bench: &mut Bench, port: u16, random: &mut Random, now: Instant) -> Conversation {
    let mut segment = Crafted::syn(program(port), server(random));
    segment.sequence = random.next() as u32;
    bench.put(&segment.packet());
    let opened = bench.sink.asked.iter().find_map(|it| match it {
        Asked::Open(stream, _) => Some(*stream),
        _ => None,
    });
    if let Some(stream) = opened {
        let credit = random.below(100_000) as u32;
        bench.egress.on_opened(stream, credit, now, &mut bench.sink);
    }
    let answers = bench.take();
    let theirs = answers
        .first()
        .map_or(0, |it| segment_of(it).sequence.0 as u32 + 1);
    segment.sequence = segment.sequence.wrapping_add(1);
    segment.syn = false;
    segment.ack = true;
    Conversation { segment, theirs }
}

/// Mostly what comes next, sometimes what never should.
fn mutated(talk: &mut Conversation, random: &mut Random) -> Crafted {
    let near = |random: &mut Random| [0, 1, u32::MAX, 65_536, 1 << 31, 300_000][random.below(6)];
    let mut segment = talk.segment.clone();
    segment.acknowledged = talk.theirs;
    let length = [0, 1, 1_000, 60_000][random.below(4)];
    segment.payload = vec![7; length];
    segment.fin = random.one_in(12);
    segment.rst = random.one_in(40);
    segment.syn = random.one_in(40);
    segment.ack = !random.one_in(20);
    segment.window = [0, 1, 1_000, 65_535][random.below(4)];
    if random.one_in(4) {
        segment.sequence = segment.sequence.wrapping_add(near(random));
    } else {
        talk.segment.sequence = segment.sequence.wrapping_add(length as u32);
    }
    if random.one_in(4) {
        segment.acknowledged = segment.acknowledged.wrapping_add(near(random));
    }
    segment
}

fn on_host(bench: &mut Bench, stream: u32, random: &mut Random, now: Instant) {
    let sink = &mut bench.sink;
    match random.below(6) {
        0 => bench.egress.on_end(stream, now, sink),
        1 if random.one_in(8) => bench.egress.on_reset(stream, now),
        2 => bench
            .egress
            .on_credit(stream, random.next() as u32 % 100_000, now, sink),
        3 => bench.egress.on_opened(stream, 1_000, now, sink),
        4 => {
            let id = random.next() % 2_000;
            bench.egress.on_dns_answer(id, &random.bytes(50), now, sink);
        }
        _ => {
            let _ = bench
                .egress
                .on_data(stream, &random.bytes(5_000), now, sink);
        }
    }
}
