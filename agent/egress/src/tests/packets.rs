use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use smoltcp::wire::{Icmpv4Packet, Icmpv6Packet, IpProtocol, Ipv4Packet, Ipv6Packet, UdpPacket};

use super::{Asked, Bench, Crafted, ip, program, program_v6, segment_of};
use crate::address::PEER_V4;
use crate::{Limits, answer};

fn server() -> SocketAddr {
    "203.0.113.1:80".parse().unwrap()
}

fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    answer::udp(from, to, payload)
}

#[test]
fn a_syn_is_held_until_the_host_has_dialled() {
    let mut bench = Bench::new(Limits::default());
    bench.put(&Crafted::syn(program(4_000), server()).packet());
    assert_eq!(bench.asked(), [Asked::Open(2, server())]);
    assert!(bench.take().is_empty());
    bench
        .egress
        .on_opened(2, 1_000, Instant::now(), &mut bench.sink);
    let answers = bench.take();
    let syn_ack = segment_of(&answers[0]);
    assert!(syn_ack.syn && syn_ack.acknowledged.is_some_and(|it| it.0 == 1_001));
}

#[test]
fn a_syn_that_is_sent_again_is_not_asked_for_again() {
    let mut bench = Bench::new(Limits::default());
    let syn = Crafted::syn(program(4_000), server()).packet();
    bench.put(&syn);
    bench.put(&syn);
    assert_eq!(bench.asked().len(), 1);
}

#[test]
fn a_refusal_is_a_reset_that_acknowledges_the_syn() {
    for (from, to) in [
        (program(4_000), server()),
        (program_v6(4_000), "[2001:db8::1]:80".parse().unwrap()),
    ] {
        let mut bench = Bench::new(Limits::default());
        bench.put(&Crafted::syn(from, to).packet());
        bench.egress.on_reset(2, Instant::now());
        let answers = bench.take();
        let reset = segment_of(&answers[0]);
        assert!(reset.rst);
        assert_eq!(reset.acknowledged.map(|it| it.0), Some(1_001));
        assert_eq!(bench.egress.connections(), 0);
    }
}

#[test]
fn a_program_that_gives_up_resets_the_stream() {
    let mut bench = Bench::new(Limits::default());
    let syn = Crafted::syn(program(4_000), server());
    bench.put(&syn.packet());
    let rst = Crafted {
        rst: true,
        syn: false,
        sequence: 1_001,
        ..syn
    };
    bench.put(&rst.packet());
    assert_eq!(bench.asked(), [Asked::Open(2, server()), Asked::Reset(2)]);
    bench
        .egress
        .on_opened(2, 1_000, Instant::now(), &mut bench.sink);
    assert!(bench.take().is_empty());
}

#[test]
fn a_port_used_again_is_another_connection() {
    let mut bench = Bench::new(Limits::default());
    let syn = Crafted::syn(program(4_000), server());
    bench.put(&syn.packet());
    bench
        .egress
        .on_opened(2, 1_000, Instant::now(), &mut bench.sink);
    bench.asked();
    bench.put(
        &Crafted {
            sequence: 77_000,
            ..syn
        }
        .packet(),
    );
    assert_eq!(bench.asked(), [Asked::Reset(2), Asked::Open(4, server())]);
    assert_eq!(bench.egress.connections(), 1);
}

#[test]
fn dials_beyond_what_the_host_takes_at_once_wait_for_their_turn() {
    let limits = Limits {
        dialling: 2,
        queued: 2,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    let now = Instant::now();
    let opened = |asked: Vec<Asked>| {
        let streams = asked.into_iter().map(|it| match it {
            Asked::Open(stream, _) => stream,
            other => panic!("{other:?}"),
        });
        streams.collect::<Vec<u32>>()
    };
    for port in 4_000..4_005 {
        bench.put(&Crafted::syn(program(port), server()).packet());
        bench.put(&Crafted::syn(program(port), server()).packet());
    }
    assert_eq!(opened(bench.asked()), [2, 4]);
    let refused = bench.take();
    assert!(refused.iter().all(|it| segment_of(it).rst));
    assert_eq!(refused.len(), 2, "the fifth, at each of its tries");
    bench.egress.on_reset(2, now);
    bench.egress.poll(now, &mut bench.sink);
    bench.egress.poll(now, &mut bench.sink);
    assert_eq!(opened(bench.asked()), [6]);
    bench.take();
    bench.egress.channel_lost(now);
    assert_eq!(bench.take().len(), 3);
    assert_eq!(bench.egress.connections(), 0);
}

#[test]
fn a_segment_of_no_connection_is_reset() {
    let mut bench = Bench::new(Limits::default());
    let stray = Crafted {
        syn: false,
        ack: true,
        acknowledged: 5_000,
        ..Crafted::syn(program(4_000), server())
    };
    bench.put(&stray.packet());
    let answers = bench.take();
    assert!(segment_of(&answers[0]).rst);
    bench.put(&Crafted { rst: true, ..stray }.packet());
    assert!(bench.take().is_empty());
}

#[test]
fn broken_checksums_fragments_and_foreign_addresses_are_dropped() {
    let mut bench = Bench::new(Limits::default());
    let syn = Crafted::syn(program(4_000), server()).packet();
    let mut wrong_tcp = syn.clone();
    wrong_tcp[37] ^= 1;
    let mut wrong_ip = syn.clone();
    wrong_ip[8] ^= 1;
    let mut fragment = syn.clone();
    fragment[6] = 0x20;
    Ipv4Packet::new_unchecked(&mut fragment[..]).fill_checksum();
    let short = syn[..syn.len() - 1].to_vec();
    let foreign = Crafted::syn("10.0.0.1:4000".parse().unwrap(), server()).packet();
    let multicast = Crafted::syn(program(4_000), "224.0.0.1:80".parse().unwrap()).packet();
    for packet in [wrong_tcp, wrong_ip, fragment, short, foreign, multicast] {
        bench.put(&packet);
        assert!(bench.asked().is_empty());
        assert!(bench.take().is_empty());
    }
    bench.put(&syn);
    assert_eq!(bench.asked().len(), 1);
}

#[test]
fn a_query_is_answered_from_where_it_was_asked() {
    for (from, to) in [
        (program(4_000), "9.9.9.9:53".parse::<SocketAddr>().unwrap()),
        (program_v6(4_000), "[2620:fe::fe]:53".parse().unwrap()),
    ] {
        let mut bench = Bench::new(Limits::default());
        bench.put(&udp(from, to, b"twelve bytes and more"));
        assert_eq!(
            bench.asked(),
            [Asked::Query(1, false, b"twelve bytes and more".to_vec())]
        );
        let now = Instant::now();
        bench
            .egress
            .on_dns_answer(1, b"the answer", now, &mut bench.sink);
        bench
            .egress
            .on_dns_answer(1, b"another one", now, &mut bench.sink);
        assert_eq!(bench.take(), [udp(to, from, b"the answer")]);
    }
}

#[test]
fn queries_beyond_the_limit_are_dropped() {
    let limits = Limits {
        queries: 2,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    for _ in 0..5 {
        bench.put(&udp(
            program(4_000),
            "9.9.9.9:53".parse().unwrap(),
            &[0; 20],
        ));
    }
    assert_eq!(bench.asked().len(), 2);
}

#[test]
fn other_datagrams_get_an_error_that_quotes_them() {
    let mut bench = Bench::new(Limits::default());
    let sent = udp(
        program(4_000),
        "203.0.113.1:443".parse().unwrap(),
        &[7; 2_000],
    );
    bench.put(&sent);
    let answers = bench.take();
    let packet = Ipv4Packet::new_checked(&answers[0][..]).unwrap();
    assert!(packet.verify_checksum() && answers[0].len() <= 576);
    let error = Icmpv4Packet::new_checked(packet.payload()).unwrap();
    assert!(error.verify_checksum());
    assert_eq!((u8::from(error.msg_type()), error.msg_code()), (3, 3));
    assert_eq!(packet.payload()[8..], sent[..packet.payload().len() - 8]);

    let sent = udp(
        program_v6(4_000),
        "[2001:db8::1]:443".parse().unwrap(),
        &[7; 2_000],
    );
    bench.put(&sent);
    let answers = bench.take();
    let packet = Ipv6Packet::new_checked(&answers[0][..]).unwrap();
    assert!(answers[0].len() <= 1_280);
    let error = Icmpv6Packet::new_checked(packet.payload()).unwrap();
    assert!(error.verify_checksum(&packet.src_addr(), &packet.dst_addr()));
    assert_eq!((u8::from(error.msg_type()), error.msg_code()), (1, 4));
    assert_eq!(packet.payload()[8..], sent[..packet.payload().len() - 8]);
}

#[test]
fn the_gateway_answers_a_ping_and_others_are_unreachable() {
    let mut bench = Bench::new(Limits::default());
    let mut echo = vec![8, 0, 0, 0, 1, 2, 3, 4, b'd', b'a', b't', b'a'];
    Icmpv4Packet::new_unchecked(&mut echo[..]).fill_checksum();
    let from = program(0).ip();
    bench.put(&ip(from, IpAddr::V4(PEER_V4), IpProtocol::Icmp, &echo));
    let reply = &bench.take()[0];
    assert_eq!(reply[20], 0);
    assert_eq!(reply[24..], echo[4..]);
    bench.put(&ip(
        from,
        "203.0.113.1".parse().unwrap(),
        IpProtocol::Icmp,
        &echo,
    ));
    assert_eq!(bench.take()[0][20..22], [3, 1]);
}

#[test]
fn a_full_channel_makes_the_program_wait() {
    let mut bench = Bench::new(Limits::default());
    let syn = Crafted::syn(program(4_000), server());
    bench.put(&syn.packet());
    let now = Instant::now();
    bench.egress.on_opened(2, 100_000, now, &mut bench.sink);
    let answers = bench.take();
    bench.asked();
    bench.sink.full = true;
    let data = Crafted {
        syn: false,
        ack: true,
        sequence: 1_001,
        acknowledged: segment_of(&answers[0]).sequence.0 as u32 + 1,
        payload: b"data".to_vec(),
        ..syn
    };
    bench.put(&data.packet());
    bench.egress.poll(now, &mut bench.sink);
    assert!(bench.asked().is_empty());
    bench.sink.full = false;
    bench.egress.poll(now, &mut bench.sink);
    assert_eq!(bench.asked(), [Asked::Data(2, b"data".to_vec())]);
}

#[test]
fn a_host_that_sends_more_than_was_granted_is_noticed() {
    let mut bench = Bench::new(Limits::default());
    bench.put(&Crafted::syn(program(4_000), server()).packet());
    let now = Instant::now();
    bench.egress.on_opened(2, 1_000, now, &mut bench.sink);
    assert!(bench.egress.on_data(2, &[0; 10], now, &mut bench.sink));
    assert!(!bench.egress.on_data(2, &[0; 65_536], now, &mut bench.sink));
    assert!(bench.egress.on_data(4, &[0; 65_536], now, &mut bench.sink));
}

#[test]
fn an_answer_without_its_checksum_would_be_noticed() {
    let packet = udp(program(4_000), server(), b"payload");
    let payload = &packet[20..];
    let (from, to) = (program(0).ip().into(), server().ip().into());
    assert!(
        UdpPacket::new_checked(payload)
            .unwrap()
            .verify_checksum(&from, &to)
    );
}
