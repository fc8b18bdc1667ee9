//! Configures network devices over rtnetlink, so that no `ip` program is needed.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;

const REQUEST: u16 = 0x1;
const REQUEST_ACK: u16 = REQUEST | 0x4;
const REPLACE_CREATE: u16 = 0x100 | 0x400;

const IFLA_MTU: u16 = 4;
const IFLA_TXQLEN: u16 = 13;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_NODAD: u8 = 0x02;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;
const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;
const RTA_DST: u16 = 1;
/// Where a route's message states its type.
const ROUTE_TYPE: usize = HEADER + 7;

const HEADER: usize = 16;

/// A connection to the kernel's routing tables in the current network namespace.
pub(crate) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

impl Netlink {
    pub(crate) fn open() -> io::Result<Self> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Sets a device's MTU and the length of its queue.
    pub(crate) fn size_link(&mut self, index: u32, mtu: u32, queue: u32) -> io::Result<()> {
        let mut message = Message::link(index, 0);
        message.attribute(IFLA_MTU, &mtu.to_ne_bytes());
        message.attribute(IFLA_TXQLEN, &queue.to_ne_bytes());
        self.ask(message)
    }

    /// Keeps the kernel from giving a device a link-local address, which would announce itself to nobody.
    pub(crate) fn no_link_local(&mut self, index: u32) -> io::Result<()> {
        let mode = attribute(IFLA_INET6_ADDR_GEN_MODE, &[1]);
        let inet6 = attribute(u16::from(AF_INET6), &mode);
        let mut message = Message::link(index, 0);
        message.attribute(IFLA_AF_SPEC, &inet6);
        self.ask(message)
    }

    pub(crate) fn up(&mut self, index: u32) -> io::Result<()> {
        self.ask(Message::link(index, IFF_UP))
    }

    pub(crate) fn add_address(
        &mut self,
        index: u32,
        address: IpAddr,
        prefix: u8,
    ) -> io::Result<()> {
        let mut message = Message::new(RTM_NEWADDR, REQUEST_ACK | REPLACE_CREATE);
        message
            .bytes
            .extend_from_slice(&[family(address), prefix, IFA_F_NODAD, 0]);
        message.bytes.extend_from_slice(&index.to_ne_bytes());
        message.attribute(IFA_LOCAL, &octets(address));
        message.attribute(IFA_ADDRESS, &octets(address));
        self.ask(message)
    }

    /// Makes `gateway` the default route of its address family.
    pub(crate) fn add_default_route(&mut self, index: u32, gateway: IpAddr) -> io::Result<()> {
        let mut message = Message::new(RTM_NEWROUTE, REQUEST_ACK | REPLACE_CREATE);
        message
            .bytes
            .extend_from_slice(&[family(gateway), 0, 0, 0, RT_TABLE_MAIN]);
        message
            .bytes
            .extend_from_slice(&[RTPROT_STATIC, 0, RTN_UNICAST, 0, 0, 0, 0]);
        message.attribute(RTA_OIF, &index.to_ne_bytes());
        message.attribute(RTA_GATEWAY, &octets(gateway));
        self.ask(message)
    }

    /// Whether packets to `address` are delivered here: IPv6 addresses come into force some time after they were added.
    pub(crate) fn is_local(&mut self, address: IpAddr) -> bool {
        self.route_type(address).is_ok_and(|it| it == RTN_LOCAL)
    }

    /// Whether packets to `address` can leave.
    pub(crate) fn has_route(&mut self, address: IpAddr) -> bool {
        self.route_type(address).is_ok_and(|it| it == RTN_UNICAST)
    }

    /// The type of the route that packets to `address` take; an error where there is none.
    fn route_type(&mut self, address: IpAddr) -> io::Result<u8> {
        let mut message = Message::new(RTM_GETROUTE, REQUEST);
        let bits = octets(address).len() as u8 * 8;
        message
            .bytes
            .extend_from_slice(&[family(address), bits, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        message.attribute(RTA_DST, &octets(address));
        let mut reply = [0; 4096];
        let length = self.converse(message, &mut reply)?;
        match reply[..length].get(ROUTE_TYPE) {
            Some(route) if kind(&reply) == Some(RTM_NEWROUTE) => Ok(*route),
            _ => Err(io::Error::from(io::ErrorKind::InvalidData)),
        }
    }

    fn ask(&mut self, message: Message) -> io::Result<()> {
        self.converse(message, &mut [0; 4096]).map(drop)
    }

    /// Sends a request and takes the reply to it, which may state an error.
    fn converse(&mut self, message: Message, reply: &mut [u8]) -> io::Result<usize> {
        self.sequence += 1;
        let bytes = message.finish(self.sequence);
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&self.socket, &bytes, SendFlags::empty(), &kernel)?;
        loop {
            let (length, _) = recv(&self.socket, &mut *reply, RecvFlags::empty())?;
            let reply = &reply[..length];
            if number(reply, 8) == Some(self.sequence) {
                return match (kind(reply), number(reply, HEADER)) {
                    (Some(NLMSG_ERROR), Some(code)) if code != 0 => {
                        Err(io::Error::from_raw_os_error((code as i32).wrapping_neg()))
                    }
                    _ => Ok(length),
                };
            }
        }
    }
}

fn kind(reply: &[u8]) -> Option<u16> {
    let bytes = reply.get(4..6)?;
    Some(u16::from_ne_bytes([bytes[0], bytes[1]]))
}

fn number(reply: &[u8], at: usize) -> Option<u32> {
    let bytes = reply.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        Self { bytes }
    }

    fn link(index: u32, flags: u32) -> Self {
        let mut message = Self::new(RTM_NEWLINK, REQUEST_ACK);
        message.bytes.extend_from_slice(&[0; 4]);
        message.bytes.extend_from_slice(&index.to_ne_bytes());
        message.bytes.extend_from_slice(&flags.to_ne_bytes());
        message.bytes.extend_from_slice(&flags.to_ne_bytes());
        message
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.bytes.extend_from_slice(&attribute(kind, value));
    }

    fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() + 8);
    bytes.extend_from_slice(&((value.len() + 4) as u16).to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => AF_INET,
        IpAddr::V6(_) => AF_INET6,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}
