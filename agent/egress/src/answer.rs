//! Packets that the capture itself writes back to a program: resets, unreachables, DNS answers, echo replies.

use std::net::{IpAddr, SocketAddr};

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    Icmpv4Message, Icmpv4Packet, Icmpv6Message, Icmpv6Packet, IpProtocol, IpRepr, TcpControl,
    TcpPacket, TcpRepr, TcpSeqNumber, UdpPacket, UdpRepr,
};

use crate::datagram::{Datagram, Segment};

const HOP_LIMIT: u8 = 64;
/// How much of a packet an error quotes (RFC 1812 and RFC 4443), the headers included.
const QUOTE_V4: usize = 576 - 28;
const QUOTE_V6: usize = 1280 - 48;

/// Refuses the connection, or breaks it: the RST that answers `segment`.
pub(crate) fn reset(segment: &Segment) -> Vec<u8> {
    let ends = &segment.ends;
    // RFC 9293, 3.10.7.1: in the sequence that an acknowledgement names, else acknowledging all that came.
    let (seq_number, ack_number) = match segment.acknowledged {
        Some(acknowledged) => (acknowledged, None),
        None => (
            TcpSeqNumber::default(),
            Some(segment.sequence + segment.length),
        ),
    };
    let rst = TcpRepr {
        src_port: ends.destination.port(),
        dst_port: ends.program.port(),
        control: TcpControl::Rst,
        seq_number,
        ack_number,
        window_len: 0,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: &[],
    };
    let (from, to) = (ends.destination.ip(), ends.program.ip());
    packet(from, to, IpProtocol::Tcp, rst.buffer_len(), |bytes| {
        let mut segment = TcpPacket::new_unchecked(bytes);
        rst.emit(&mut segment, &from.into(), &to.into(), &checksums());
    })
}

/// A UDP datagram from `from` to `to`.
pub(crate) fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let repr = UdpRepr {
        src_port: from.port(),
        dst_port: to.port(),
    };
    let length = repr.header_len() + payload.len();
    packet(from.ip(), to.ip(), IpProtocol::Udp, length, |bytes| {
        repr.emit(
            &mut UdpPacket::new_unchecked(bytes),
            &from.ip().into(),
            &to.ip().into(),
            payload.len(),
            |to| to.copy_from_slice(payload),
            &checksums(),
        );
    })
}

/// What could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreachable {
    Port,
    Host,
    Protocol,
}

/// The ICMP error about `datagram`, which gives a connected socket ECONNREFUSED or EHOSTUNREACH.
pub(crate) fn unreachable(datagram: &Datagram<'_>, what: Unreachable) -> Vec<u8> {
    match datagram.source {
        IpAddr::V4(_) => {
            let code = match what {
                Unreachable::Host => 1,
                Unreachable::Protocol => 2,
                Unreachable::Port => 3,
            };
            let quote = &datagram.bytes[..datagram.bytes.len().min(QUOTE_V4)];
            icmp_v4(datagram, Icmpv4Message::DstUnreachable, code, [0; 4], quote)
        }
        IpAddr::V6(_) => {
            let code = match what {
                Unreachable::Host | Unreachable::Protocol => 3,
                Unreachable::Port => 4,
            };
            let quote = &datagram.bytes[..datagram.bytes.len().min(QUOTE_V6)];
            icmp_v6(datagram, Icmpv6Message::DstUnreachable, code, [0; 4], quote)
        }
    }
}

/// Whether `datagram` is an ICMP echo request.
pub(crate) fn is_echo_request(datagram: &Datagram<'_>) -> bool {
    let kind = datagram.payload.first().copied();
    datagram.payload.len() >= 8
        && match datagram.protocol {
            IpProtocol::Icmp => kind == Some(8),
            IpProtocol::Icmpv6 => kind == Some(128),
            _ => false,
        }
}

/// The answer to an echo request.
pub(crate) fn echo_reply(request: &Datagram<'_>) -> Vec<u8> {
    let (head, data) = request.payload.split_at(8);
    let id = [head[4], head[5], head[6], head[7]];
    match request.source {
        IpAddr::V4(_) => icmp_v4(request, Icmpv4Message::EchoReply, 0, id, data),
        IpAddr::V6(_) => icmp_v6(request, Icmpv6Message::EchoReply, 0, id, data),
    }
}

fn icmp_v4(
    about: &Datagram<'_>,
    kind: Icmpv4Message,
    code: u8,
    rest: [u8; 4],
    data: &[u8],
) -> Vec<u8> {
    let (from, to) = (about.destination, about.source);
    packet(from, to, IpProtocol::Icmp, 8 + data.len(), |bytes| {
        bytes[4..8].copy_from_slice(&rest);
        bytes[8..].copy_from_slice(data);
        let mut message = Icmpv4Packet::new_unchecked(bytes);
        message.set_msg_type(kind);
        message.set_msg_code(code);
        message.fill_checksum();
    })
}

fn icmp_v6(
    about: &Datagram<'_>,
    kind: Icmpv6Message,
    code: u8,
    rest: [u8; 4],
    data: &[u8],
) -> Vec<u8> {
    let (from, to) = (about.destination, about.source);
    let (IpAddr::V6(from_v6), IpAddr::V6(to_v6)) = (from, to) else {
        return Vec::new();
    };
    packet(from, to, IpProtocol::Icmpv6, 8 + data.len(), |bytes| {
        bytes[4..8].copy_from_slice(&rest);
        bytes[8..].copy_from_slice(data);
        let mut message = Icmpv6Packet::new_unchecked(bytes);
        message.set_msg_type(kind);
        message.set_msg_code(code);
        message.fill_checksum(&from_v6, &to_v6);
    })
}

fn packet(
    from: IpAddr,
    to: IpAddr,
    protocol: IpProtocol,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let header = IpRepr::new(from.into(), to.into(), protocol, length, HOP_LIMIT);
    let mut bytes = vec![0; header.header_len() + length];
    let (head, payload) = bytes.split_at_mut(header.header_len());
    fill(payload);
    // The length is of the payload in the header's fields, not of the slice that it is written to.
    header.emit(head, &checksums());
    bytes
}

fn checksums() -> ChecksumCapabilities {
    ChecksumCapabilities::default()
}
