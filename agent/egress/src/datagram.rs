//! Takes a packet of the device apart, as far as is needed to tell what to do with it.

use std::net::{IpAddr, SocketAddr};

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket, TcpSeqNumber, UdpPacket};

use crate::address::{is_device, is_unicast};

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ends {
    pub(crate) program: SocketAddr,
    pub(crate) destination: SocketAddr,
}

/// The head of a TCP segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) ends: Ends,
    pub(crate) sequence: TcpSeqNumber,
    pub(crate) acknowledged: Option<TcpSeqNumber>,
    /// In sequence numbers: its bytes, and one each for SYN and FIN.
    pub(crate) length: usize,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
}

impl Segment {
    /// Whether it asks for a connection.
    pub(crate) fn begins(&self) -> bool {
        self.syn && self.acknowledged.is_none() && !self.rst && !self.fin
    }

    /// Whether it asks for another connection between the ends of that which began with `first`.
    pub(crate) fn begins_after(&self, first: &Segment) -> bool {
        self.begins() && self.sequence != first.sequence
    }
}

/// A whole IP packet from a program to one address elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: IpProtocol,
    pub(crate) payload: &'a [u8],
    /// The packet itself.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// None for what is dropped without an answer: broken headers, fragments (nothing here sends any), IPv6 extension
    /// headers, multicast, and packets that do not come from the device's own address.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let datagram = match bytes.first()? >> 4 {
            4 => Self::parse_v4(bytes)?,
            6 => Self::parse_v6(bytes)?,
            _ => return None,
        };
        (is_device(datagram.source) && is_unicast(datagram.destination)).then_some(datagram)
    }

    fn parse_v4(bytes: &'a [u8]) -> Option<Self> {
        let packet = Ipv4Packet::new_checked(bytes).ok()?;
        if packet.header_len() < 20 || !packet.verify_checksum() {
            return None;
        }
        if packet.more_frags() || packet.frag_offset() != 0 {
            return None;
        }
        Some(Self {
            source: IpAddr::V4(packet.src_addr()),
            destination: IpAddr::V4(packet.dst_addr()),
            protocol: packet.next_header(),
            payload: packet.payload(),
            bytes: &bytes[..usize::from(packet.total_len())],
        })
    }

    fn parse_v6(bytes: &'a [u8]) -> Option<Self> {
        let packet = Ipv6Packet::new_checked(bytes).ok()?;
        if is_extension(packet.next_header()) {
            return None;
        }
        Some(Self {
            source: IpAddr::V6(packet.src_addr()),
            destination: IpAddr::V6(packet.dst_addr()),
            protocol: packet.next_header(),
            payload: packet.payload(),
            bytes: &bytes[..packet.total_len()],
        })
    }

    /// What there is to know about the TCP segment in it, its checksum not yet looked at.
    pub(crate) fn segment(&self) -> Option<Segment> {
        let packet = TcpPacket::new_checked(self.payload).ok()?;
        Some(Segment {
            ends: self.ends(packet.src_port(), packet.dst_port()),
            sequence: packet.seq_number(),
            acknowledged: packet.ack().then(|| packet.ack_number()),
            length: packet.segment_len(),
            syn: packet.syn(),
            fin: packet.fin(),
            rst: packet.rst(),
        })
    }

    /// Whether the checksum of the TCP segment in it is right.
    pub(crate) fn has_right_tcp_checksum(&self) -> bool {
        TcpPacket::new_checked(self.payload).is_ok_and(|packet| {
            packet.verify_checksum(&self.source.into(), &self.destination.into())
        })
    }

    /// The UDP datagram in it, if its checksum is right.
    pub(crate) fn udp(&self) -> Option<(Ends, &'a [u8])> {
        let packet = UdpPacket::new_checked(self.payload).ok()?;
        let right = packet.verify_checksum(&self.source.into(), &self.destination.into());
        right.then(|| {
            (
                self.ends(packet.src_port(), packet.dst_port()),
                packet.payload(),
            )
        })
    }

    fn ends(&self, source_port: u16, destination_port: u16) -> Ends {
        Ends {
            program: SocketAddr::new(self.source, source_port),
            destination: SocketAddr::new(self.destination, destination_port),
        }
    }
}

fn is_extension(protocol: IpProtocol) -> bool {
    matches!(
        protocol,
        IpProtocol::HopByHop
            | IpProtocol::Ipv6Route
            | IpProtocol::Ipv6Frag
            | IpProtocol::Ipv6Opts
            | IpProtocol::Ipv6NoNxt
    )
}
