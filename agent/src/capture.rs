//! The capture of outbound connections as a part of the loop: its device is one more descriptor, its streams are the even ones.

use crate::agent::Agent;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::frame::{FrameType, MAX_PAYLOAD};
use crate::link::Link;
use crate::poll::Source;
use crate::wire::{
    AgentOpen, Connect, Credit, DnsAnswer, DnsQuery, Opened, Reset, ResetReason, agent_control,
};
use microsandbox_egress::{Device, Egress, EgressSink, Limits, await_ipv6};
use prost::Message;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

/// What of captured data may wait in the connection: less than its batch, so that other streams always find room.
const BACKLOG: usize = 64 << 10;

/// The connection as the capture sees it; nothing where there is none.
struct Wire<'a>(Option<&'a mut Connection>);

impl Wire<'_> {
    fn append(&mut self, stream: u32, kind: FrameType, payload: &[u8]) {
        if let Some(connection) = &mut self.0 {
            connection.append(stream, kind, payload);
        }
    }
}

impl EgressSink for Wire<'_> {
    fn open(&mut self, stream: u32, destination: SocketAddr, window: u32) {
        let address = match destination.ip() {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let connect = Some(Connect {
            address,
            port: u32::from(destination.port()),
        });
        let open = AgentOpen { window, connect };
        self.append(stream, FrameType::Open, &open.encode_to_vec());
    }

    fn data(&mut self, stream: u32, bytes: &[u8]) {
        debug_assert!(bytes.len() <= MAX_PAYLOAD);
        self.append(stream, FrameType::Data, bytes);
    }

    fn credit(&mut self, stream: u32, bytes: u32) {
        self.append(stream, FrameType::Credit, &Credit { bytes }.encode_to_vec());
    }

    fn end(&mut self, stream: u32) {
        self.append(stream, FrameType::End, &[]);
    }

    fn reset(&mut self, stream: u32) {
        let reset = Reset {
            reason: ResetReason::Broken.into(),
            ..Reset::default()
        };
        self.append(stream, FrameType::Reset, &reset.encode_to_vec());
    }

    fn dns_query(&mut self, id: u64, tcp: bool, message: &[u8]) {
        if let Some(connection) = &mut self.0 {
            let message = message.to_vec();
            connection.control(id, agent_control::Body::DnsQuery(DnsQuery { message, tcp }));
        }
    }

    fn backlog(&self) -> usize {
        self.0.as_ref().map_or(0, |connection| connection.pending())
    }
}

impl Agent {
    /// Routes the sandbox's packets to a device made from the TUN node. Until the host configures it, all is refused.
    pub fn capture(&mut self, node: &Path) -> Result<()> {
        let limits = Limits {
            backlog: BACKLOG,
            ..Limits::default()
        };
        let failed = |error| Error::system("capture outbound connections", error);
        let device = Device::create(node).map_err(failed)?;
        self.ipv6_pending = device.has_ipv6();
        let mut egress = Egress::new(device, limits).map_err(failed)?;
        self.poller.watch_read(&egress, Source::Egress(0))?;
        egress.set_enabled(false, Instant::now(), &mut Wire(None));
        self.egress = Some(egress);
        Ok(())
    }

    /// Whether a stream is one of the capture's.
    pub fn is_captured(stream: u32) -> bool {
        stream != 0 && stream % 2 == 0
    }

    /// The device has packets.
    pub fn capture_ready(&mut self) {
        self.with_egress(|egress, wire, now| egress.on_tun_readable(now, wire));
    }

    /// What the host says on a stream of the capture's; a broken window ends the channel.
    pub fn on_captured_frame(
        &mut self,
        stream: u32,
        kind: FrameType,
        payload: &[u8],
    ) -> Result<()> {
        let broken = |_| Error::Broken("a message that cannot be decoded");
        match kind {
            FrameType::Opened => {
                let credit = Opened::decode(payload).map_err(broken)?.window;
                self.with_egress(|egress, wire, now| egress.on_opened(stream, credit, now, wire));
            }
            FrameType::Data => {
                let within = self
                    .with_egress(|egress, wire, now| egress.on_data(stream, payload, now, wire));
                if within == Some(false) {
                    return Err(Error::Broken("more data than was granted"));
                }
            }
            FrameType::Credit => {
                let bytes = Credit::decode(payload).map_err(broken)?.bytes;
                self.with_egress(|egress, wire, now| egress.on_credit(stream, bytes, now, wire));
            }
            FrameType::End => {
                self.with_egress(|egress, wire, now| egress.on_end(stream, now, wire));
            }
            FrameType::Reset => {
                self.with_egress(|egress, _, now| egress.on_reset(stream, now));
            }
            FrameType::Open => {
                return Err(Error::Broken("a stream id that is used or not the host's"));
            }
            FrameType::Control | FrameType::Event => {}
        }
        Ok(())
    }

    pub fn on_dns_answer(&mut self, id: u64, answer: &DnsAnswer) {
        self.with_egress(|egress, wire, now| egress.on_dns_answer(id, &answer.message, now, wire));
    }

    /// Before a cell's or a caller's program runs. Not when the device is made: there is better to do than to wait for
    /// the kernel.
    pub fn settle_capture(&mut self) {
        if std::mem::take(&mut self.ipv6_pending) {
            let _ = await_ipv6();
        }
    }

    /// The host says whether anything may be asked for at all.
    pub fn enable_capture(&mut self, enabled: bool) {
        self.with_egress(|egress, wire, now| egress.set_enabled(enabled, now, wire));
    }

    pub fn capture_connected(&mut self) {
        self.with_egress(|egress, _, _| egress.channel_up());
    }

    pub fn capture_disconnected(&mut self) {
        self.with_egress(|egress, _, now| egress.channel_lost(now));
    }

    /// Lets the capture act on time and on the connection's room; gives how long it can be left alone.
    pub fn poll_capture(&mut self) -> Option<Duration> {
        self.with_egress(|egress, wire, now| egress.poll(now, wire))
            .flatten()
    }

    /// Whether captured data waits for room in the connection.
    pub fn capture_waits(&self) -> bool {
        self.egress.as_ref().is_some_and(Egress::is_waiting)
    }

    fn with_egress<R>(
        &mut self,
        action: impl FnOnce(&mut Egress, &mut Wire<'_>, Instant) -> R,
    ) -> Option<R> {
        let egress = self.egress.as_mut()?;
        let mut wire = Wire(match &mut self.link {
            Link::Up(connection) => Some(connection),
            _ => None,
        });
        Some(action(egress, &mut wire, Instant::now()))
    }
}
