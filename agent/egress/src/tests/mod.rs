//! Packets written by hand, to a capture whose device is a socket pair.

mod fuzz;
mod packets;

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv, socketpair};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpProtocol, IpRepr, TcpPacket, TcpSeqNumber};

use crate::address::{DEVICE_V4, DEVICE_V6};
use crate::datagram::{Datagram, Segment};
use crate::{Device, Egress, EgressSink, Limits};

/// What a sink was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Open(u32, SocketAddr),
    Data(u32, Vec<u8>),
    Credit(u32, u32),
    End(u32),
    Reset(u32),
    Query(u64, bool, Vec<u8>),
}

#[derive(Default)]
pub(super) struct Sink {
    pub(super) asked: Vec<Asked>,
    pub(super) full: bool,
}

impl EgressSink for Sink {
    fn open(&mut self, stream: u32, destination: SocketAddr, _: u32) {
        self.asked.push(Asked::Open(stream, destination));
    }

    fn data(&mut self, stream: u32, bytes: &[u8]) {
        self.asked.push(Asked::Data(stream, bytes.to_vec()));
    }

    fn credit(&mut self, stream: u32, bytes: u32) {
        self.asked.push(Asked::Credit(stream, bytes));
    }

    fn end(&mut self, stream: u32) {
        self.asked.push(Asked::End(stream));
    }

    fn reset(&mut self, stream: u32) {
        self.asked.push(Asked::Reset(stream));
    }

    fn dns_query(&mut self, id: u64, tcp: bool, message: &[u8]) {
        self.asked.push(Asked::Query(id, tcp, message.to_vec()));
    }

    fn backlog(&self) -> usize {
        if self.full { usize::MAX } else { 0 }
    }
}

/// A capture, and the wire to it.
pub(super) struct Bench {
    pub(super) egress: Egress,
    pub(super) sink: Sink,
    wire: OwnedFd,
}

impl Bench {
    pub(super) fn new(limits: Limits) -> Self {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (wire, tun) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let mut egress = Egress::new(Device::from_tun(tun, true), limits).unwrap();
        egress.channel_up();
        Self {
            egress,
            sink: Sink::default(),
            wire,
        }
    }

    /// Writes a packet to the device and lets the capture handle it.
    pub(super) fn put(&mut self, packet: &[u8]) {
        rustix::io::write(&self.wire, packet).unwrap();
        self.egress.on_tun_readable(Instant::now(), &mut self.sink);
    }

    /// The packets that the capture has written.
    pub(super) fn take(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut buffer = vec![0; 65_536];
        while let Ok((length, _)) = recv(&self.wire, &mut buffer[..], RecvFlags::empty()) {
            packets.push(buffer[..length].to_vec());
        }
        packets
    }

    pub(super) fn asked(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.sink.asked)
    }
}

/// A TCP segment with every field at will.
#[derive(Debug, Clone)]
pub(super) struct Crafted {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) window: u16,
    pub(super) payload: Vec<u8>,
}

pub(super) fn program(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(DEVICE_V4), port)
}

pub(super) fn program_v6(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V6(DEVICE_V6), port)
}

impl Crafted {
    pub(super) fn syn(from: SocketAddr, to: SocketAddr) -> Self {
        Self {
            from,
            to,
            sequence: 1_000,
            acknowledged: 0,
            syn: true,
            ack: false,
            fin: false,
            rst: false,
            window: 65_535,
            payload: Vec::new(),
        }
    }

    pub(super) fn packet(&self) -> Vec<u8> {
        let (from, to) = (self.from.ip().into(), self.to.ip().into());
        let mut segment = vec![0; 20 + self.payload.len()];
        let mut tcp = TcpPacket::new_unchecked(&mut segment[..]);
        tcp.set_header_len(20);
        tcp.set_src_port(self.from.port());
        tcp.set_dst_port(self.to.port());
        tcp.set_seq_number(TcpSeqNumber(self.sequence as i32));
        tcp.set_ack_number(TcpSeqNumber(self.acknowledged as i32));
        tcp.set_syn(self.syn);
        tcp.set_ack(self.ack);
        tcp.set_fin(self.fin);
        tcp.set_rst(self.rst);
        tcp.set_window_len(self.window);
        tcp.payload_mut().copy_from_slice(&self.payload);
        tcp.fill_checksum(&from, &to);
        ip(self.from.ip(), self.to.ip(), IpProtocol::Tcp, &segment)
    }
}

pub(super) fn ip(from: IpAddr, to: IpAddr, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let header = IpRepr::new(from.into(), to.into(), protocol, payload.len(), 64);
    let mut packet = vec![0; header.header_len()];
    header.emit(&mut packet[..], &ChecksumCapabilities::default());
    packet.extend_from_slice(payload);
    packet
}

/// Reads a packet that the capture has written, as if it came the other way.
pub(super) fn segment_of(packet: &[u8]) -> Segment {
    let mut turned = packet.to_vec();
    match packet[0] >> 4 {
        4 => {
            turned[12..16].copy_from_slice(&packet[16..20]);
            turned[16..20].copy_from_slice(&packet[12..16]);
        }
        _ => {
            turned[8..24].copy_from_slice(&packet[24..40]);
            turned[24..40].copy_from_slice(&packet[8..24]);
        }
    }
    let datagram = Datagram::parse(&turned).expect("an IP packet");
    assert!(datagram.has_right_tcp_checksum());
    datagram.segment().expect("a TCP segment")
}
