//! The TUN descriptor as the device of the TCP stack: one packet in hand at a time, written back at once.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::address::MTU;

/// A packet buffer holds whatever an IP header can state.
const LARGEST_PACKET: usize = 65_536;

pub(crate) struct Link {
    tun: OwnedFd,
    /// The packet last read, and its length.
    packet: Box<[u8]>,
    length: usize,
    /// Whether the stack is to see that packet.
    offered: bool,
    outgoing: Vec<u8>,
}

impl Link {
    pub(crate) fn new(tun: OwnedFd) -> Self {
        Self {
            tun,
            packet: vec![0; LARGEST_PACKET].into_boxed_slice(),
            length: 0,
            offered: false,
            outgoing: Vec::with_capacity(LARGEST_PACKET),
        }
    }

    /// Takes the next packet from the device; false when there is none.
    pub(crate) fn read(&mut self) -> bool {
        loop {
            match rustix::io::read(&self.tun, &mut self.packet[..]) {
                Ok(0) => return false,
                Ok(length) => {
                    self.length = length;
                    self.offered = false;
                    return true;
                }
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// The packet last taken.
    pub(crate) fn packet(&self) -> &[u8] {
        &self.packet[..self.length]
    }

    /// Gives the packet last taken to the stack when it is polled next.
    pub(crate) fn offer(&mut self) {
        self.offered = true;
    }

    /// Gives `packet` to the stack when it is polled next.
    pub(crate) fn offer_held(&mut self, packet: &[u8]) {
        self.packet[..packet.len()].copy_from_slice(packet);
        self.length = packet.len();
        self.offered = true;
    }

    /// Writes a packet of the capture's own.
    pub(crate) fn write(&self, packet: &[u8]) {
        write(&self.tun, packet);
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tun.as_fd()
    }
}

/// A packet that the kernel does not take is lost, as packets are: TCP sends it again.
fn write(tun: &OwnedFd, packet: &[u8]) {
    while let Err(Errno::INTR) = rustix::io::write(tun, packet) {}
}

impl phy::Device for Link {
    type RxToken<'a> = Incoming<'a>;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        if !std::mem::take(&mut self.offered) {
            return None;
        }
        let incoming = Incoming(&self.packet[..self.length]);
        Some((incoming, Outgoing(&self.tun, &mut self.outgoing)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        Some(Outgoing(&self.tun, &mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

pub(crate) struct Incoming<'a>(&'a [u8]);

impl phy::RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

pub(crate) struct Outgoing<'a>(&'a OwnedFd, &'a mut Vec<u8>);

impl phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        self.1.resize(length, 0);
        let result = f(self.1);
        write(self.0, self.1);
        result
    }
}
