//! Captures the outbound connections of a sandbox.
//!
//! All packets that are not for the sandbox itself are routed to a TUN device. A connection's first packet is held until
//! the host has dialled its destination, so that a program sees a refusal as a refusal, at once; from then on the bytes of
//! the connection travel on a stream of the agent channel, `spec/channel.md`, "Outbound connections". DNS goes to the host
//! whatever server was asked. Everything else is unreachable.
//!
//! Nothing here decides what may be reached, and nothing here is trusted to: the host does, out of the sandbox's reach.
//!
//! [`Egress`] knows the device and no channel: what it asks of the host goes to an [`EgressSink`].

#![deny(unsafe_code)]
#![warn(missing_docs)]

mod address;
mod answer;
mod capture;
mod carried;
mod datagram;
mod device;
mod dns;
mod egress;
mod flows;
mod limits;
mod link;
mod netlink;
mod sink;
mod stack;
mod sys;
#[cfg(test)]
mod tests;
mod window;

pub use address::{DEVICE_NAME, DEVICE_V4, DEVICE_V6, PEER_V4, PEER_V6, resolv_conf};
pub use device::{Device, await_ipv6};
pub use egress::Egress;
pub use limits::Limits;
pub use sink::EgressSink;
pub use sys::return_large_buffers;
