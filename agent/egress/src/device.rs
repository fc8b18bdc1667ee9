//! Creates the TUN device to which all of a sandbox's outbound packets are routed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};

use crate::address::{
    DEVICE_NAME, DEVICE_V4, DEVICE_V6, MTU, PEER_V4, PEER_V6, PREFIX_V4, PREFIX_V6,
};
use crate::netlink::Netlink;
use crate::sys;

/// Packets that wait in the device. The default of 500 overflows when 1,000 connections begin at once, and a lost packet
/// costs its connection a retransmission time.
const QUEUE: u32 = 4_096;

/// The kernel puts an IPv6 address into force in the background: within a millisecond, or ten where it is taking another
/// network apart.
const IPV6_IN_FORCE: Duration = Duration::from_millis(200);

/// Addresses that only a route out can reach.
const ELSEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// The captured device, before [`Egress`](crate::Egress) takes it.
#[derive(Debug)]
pub struct Device {
    pub(crate) tun: OwnedFd,
    has_ipv6: bool,
}

impl Device {
    /// Creates the device from the TUN node at `node` in the current network namespace, gives it its addresses, brings it
    /// and the loopback device up, and makes it the default route. Asks for CAP_NET_ADMIN in the namespace.
    ///
    /// A kernel without IPv6 gets a device without it; else [`await_ipv6`] tells when its address can be used. A namespace
    /// with a route out of its own is left as it is: an agent started in the host's by mistake must not take over the
    /// host's network.
    pub fn create(node: &Path) -> io::Result<Self> {
        let mut netlink = Netlink::open()?;
        if ELSEWHERE
            .into_iter()
            .any(|address| netlink.has_route(address))
        {
            let message =
                "this network namespace has a way out already, which the capture would replace";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let tun = rustix::fs::open(node, flags, Mode::empty())?;
        sys::become_tun(tun.as_fd(), DEVICE_NAME)?;
        sys::keep_tun(tun.as_fd())?;
        netlink.up(index_of("lo")?)?;
        let index = index_of(DEVICE_NAME)?;
        netlink.size_link(index, MTU as u32, QUEUE)?;
        // Fails without IPv6, and on kernels that cannot: then a few packets more are dropped.
        let _ = netlink.no_link_local(index);
        netlink.up(index)?;
        netlink.add_address(index, IpAddr::V4(DEVICE_V4), PREFIX_V4)?;
        netlink.add_default_route(index, IpAddr::V4(PEER_V4))?;
        let has_ipv6 = add_ipv6(&mut netlink, index).is_ok();
        Ok(Self { tun, has_ipv6 })
    }

    /// Takes a TUN device that exists already, its addresses and routes set as [`create`](Self::create) sets them.
    pub fn from_tun(tun: OwnedFd, has_ipv6: bool) -> Self {
        Self { tun, has_ipv6 }
    }

    /// Whether programs can connect to IPv6 addresses.
    pub fn has_ipv6(&self) -> bool {
        self.has_ipv6
    }
}

fn add_ipv6(netlink: &mut Netlink, index: u32) -> io::Result<()> {
    netlink.add_address(index, IpAddr::V6(DEVICE_V6), PREFIX_V6)?;
    netlink.add_default_route(index, IpAddr::V6(PEER_V6))
}

/// Waits, for some time, until the IPv6 address of this network namespace's device is in force. Until then connections to
/// IPv6 addresses fail.
pub fn await_ipv6() -> io::Result<()> {
    let mut netlink = Netlink::open()?;
    let start = Instant::now();
    while !netlink.is_local(IpAddr::V6(DEVICE_V6)) && start.elapsed() < IPV6_IN_FORCE {
        thread::sleep(Duration::from_micros(100));
    }
    Ok(())
}

fn index_of(name: &str) -> io::Result<u32> {
    let socket = socket_with(
        AddressFamily::INET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    Ok(netdevice::name_to_index(&socket, name)?)
}
