//! The TCP stack: one interface that stands for every address, with a set of its own for each connection's socket, so that
//! a packet costs the same however many connections there are.

use std::io;
use std::time::Instant;

use smoltcp::iface::{
    Config, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet,
};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration as StackDuration, Instant as StackInstant};
use smoltcp::wire::{HardwareAddress, IpCidr, IpListenEndpoint};

use crate::address::{PEER_V4, PEER_V6, PREFIX_V4, PREFIX_V6};
use crate::datagram::Ends;
use crate::link::Link;
use crate::window;

/// How often the program's kernel is asked for its window while data waits for it: the news of an opened window may get
/// lost, and the stack has no persist timer.
const PROBE: StackDuration = StackDuration::from_secs(2);

/// Buffers hold what the largest window grants. They cost memory as they are touched.
const BUFFER: usize = window::LARGEST as usize;

pub(crate) struct Stack {
    interface: Interface,
    pub(crate) link: Link,
    epoch: Instant,
}

impl Stack {
    pub(crate) fn new(mut link: Link, epoch: Instant) -> io::Result<Self> {
        let interface = new_interface(&mut link)?;
        Ok(Self {
            interface,
            link,
            epoch,
        })
    }

    /// Draws a new seed for sequence numbers. Connections keep theirs.
    pub(crate) fn reseed(&mut self) -> io::Result<()> {
        self.interface = new_interface(&mut self.link)?;
        Ok(())
    }

    fn time(&self, now: Instant) -> StackInstant {
        let elapsed = now.saturating_duration_since(self.epoch);
        StackInstant::from_micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
    }
}

fn new_interface(link: &mut Link) -> io::Result<Interface> {
    let mut seed = [0; 8];
    rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())?;
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = u64::from_ne_bytes(seed);
    let mut interface = Interface::new(config, link, StackInstant::ZERO);
    interface.update_ip_addrs(|addresses| {
        // Two addresses and two routes are what the stack has room for unless built otherwise.
        let _ = addresses.push(IpCidr::new(PEER_V4.into(), PREFIX_V4));
        let _ = addresses.push(IpCidr::new(PEER_V6.into(), PREFIX_V6));
    });
    // Default routes through its own addresses make the interface answer for any address.
    interface.set_any_ip(true);
    let routes = interface.routes_mut();
    let _ = routes.add_default_ipv4_route(PEER_V4);
    let _ = routes.add_default_ipv6_route(PEER_V6);
    Ok(interface)
}

/// One connection of a program, ended here.
pub(crate) struct Connection {
    sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl Connection {
    /// Waits for a SYN to exactly the destination of `ends`.
    pub(crate) fn listen(ends: &Ends) -> Self {
        let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        let endpoint = IpListenEndpoint {
            addr: Some(ends.destination.ip().into()),
            port: ends.destination.port(),
        };
        // Fails for port 0 alone; the socket then stays closed, which is seen as a broken connection.
        let _ = socket.listen(endpoint);
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let handle = sockets.add(socket);
        Self { sockets, handle }
    }

    pub(crate) fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// Takes in the packet that the link offers.
    pub(crate) fn receive(&mut self, stack: &mut Stack, now: Instant) {
        let time = stack.time(now);
        let Stack {
            interface, link, ..
        } = stack;
        while interface.poll_ingress_single(time, link, &mut self.sockets)
            != PollIngressSingleResult::None
        {}
    }

    /// Writes what can be sent, and says when to come again.
    pub(crate) fn transmit(&mut self, stack: &mut Stack, now: Instant) -> Option<Instant> {
        let time = stack.time(now);
        let epoch = stack.epoch;
        let Stack {
            interface, link, ..
        } = stack;
        while interface.poll_egress(time, link, &mut self.sockets) == PollResult::SocketStateChanged
        {
        }
        let socket = self.sockets.get_mut::<tcp::Socket<'static>>(self.handle);
        let waits = socket.send_queue() > 0 && socket.is_active();
        if waits != socket.keep_alive().is_some() {
            socket.set_keep_alive(waits.then_some(PROBE));
        }
        let at = interface.poll_at(time, &self.sockets)?;
        let micros = u64::try_from(at.total_micros()).unwrap_or(0);
        Some(epoch + std::time::Duration::from_micros(micros))
    }
}
