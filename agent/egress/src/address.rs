//! The addresses of the captured device.
//!
//! IPv4 takes 192.0.0.0/30 of 192.0.0.0/29 (RFC 7335), the block set aside for a host's own translation stack: it is on
//! no network, it is in the denied table (so no destination is hidden by it), and unlike 169.254/16 it has global scope,
//! so that resolvers' address sorting (RFC 6724) goes on preferring IPv4 destinations to IPv6 ones, as it should where only
//! few hosts have IPv6. IPv6 takes a /126 of a unique local prefix of our own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The device's address, from which programs connect.
pub const DEVICE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 1);
/// The other end of the device: default gateway and name server.
pub const PEER_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 2);
pub(crate) const PREFIX_V4: u8 = 30;

/// The device's IPv6 address.
pub const DEVICE_V6: Ipv6Addr = Ipv6Addr::new(0xfd6d, 0x7362, 0x6f78, 0, 0, 0, 0, 1);
/// The other end of the device in IPv6.
pub const PEER_V6: Ipv6Addr = Ipv6Addr::new(0xfd6d, 0x7362, 0x6f78, 0, 0, 0, 0, 2);
pub(crate) const PREFIX_V6: u8 = 126;

/// Name of the device as programs see it.
pub const DEVICE_NAME: &str = "msb0";

/// Large packets are what makes the capture fast: each costs one system call and one pass through the stack.
pub(crate) const MTU: usize = 65_520;

/// The content of `/etc/resolv.conf` in a sandbox whose connections are captured.
///
/// Datagrams to port 53 are answered at any address; this one is sure to be routed to the device.
pub fn resolv_conf() -> String {
    format!("nameserver {PEER_V4}\noptions timeout:10 attempts:2\n")
}

/// Whether `address` is one that a program can send from.
pub(crate) fn is_device(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4 == DEVICE_V4,
        IpAddr::V6(v6) => v6 == DEVICE_V6,
    }
}

/// Whether `address` is the device's other end.
pub(crate) fn is_peer(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4 == PEER_V4,
        IpAddr::V6(v6) => v6 == PEER_V6,
    }
}

/// Whether a connection to `address` can mean one host: what is not is dropped without an answer.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !v4.is_multicast() && !v4.is_broadcast() && !v4.is_unspecified() && !v4.is_loopback()
        }
        IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unspecified() && !v6.is_loopback(),
    }
}
