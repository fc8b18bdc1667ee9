//! The capture: packets from programs on one side, the host's words on the other.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::address::MTU;
use crate::answer;
use crate::carried::Carried;
use crate::device::Device;
use crate::dns::{Asker, Queries};
use crate::flows::{Flows, Held, Purpose, Surroundings, is_stream};
use crate::limits::Limits;
use crate::link::Link;
use crate::sink::EgressSink;
use crate::stack::{Connection, Stack};

/// Packets taken from the device before others get their turn.
const PACKETS_AT_ONCE: usize = 64;

/// Captures the outbound connections of a sandbox.
///
/// It owns the device and no thread. The agent's loop waits for [`as_fd`](AsFd::as_fd) to be readable and then calls
/// [`on_tun_readable`](Self::on_tun_readable); it passes on what the host says; and it calls [`poll`](Self::poll) after each
/// turn, and again when the time that the call returned has passed or the channel has room again.
pub struct Egress {
    pub(crate) stack: Stack,
    pub(crate) flows: Flows,
    pub(crate) queries: Queries,
    pub(crate) limits: Limits,
    pub(crate) connected: bool,
    pub(crate) enabled: bool,
    pub(crate) next_stream: u32,
    pub(crate) next_dns: u32,
}

impl Egress {
    /// Starts capturing. Until [`channel_up`](Self::channel_up) everything is refused.
    pub fn new(device: Device, limits: Limits) -> io::Result<Self> {
        let stack = Stack::new(Link::new(device.tun), Instant::now())?;
        Ok(Self {
            stack,
            flows: Flows::new(limits.windows),
            queries: Queries::new(limits.queries),
            limits,
            connected: false,
            enabled: true,
            next_stream: 2,
            next_dns: 1,
        })
    }

    /// Connections now held or carried.
    pub fn connections(&self) -> usize {
        self.flows.len()
    }

    /// Whether data for the host waits for room in the channel: [`poll`](Self::poll) moves it once there is some.
    pub fn is_waiting(&self) -> bool {
        self.flows.is_waiting()
    }

    /// There is a channel; its streams are numbered from 2.
    pub fn channel_up(&mut self) {
        self.connected = true;
        self.next_stream = 2;
    }

    /// The channel is gone, and with it every connection: programs see them reset, and new ones refused.
    pub fn channel_lost(&mut self, now: Instant) {
        self.connected = false;
        self.break_all(now);
    }

    /// Switched off, every connection is refused at once, and those that there were are reset.
    pub fn set_enabled(&mut self, enabled: bool, now: Instant, sink: &mut dyn EgressSink) {
        if self.enabled && !enabled {
            for id in self.flows.held.keys().chain(self.flows.flows.keys()) {
                if is_stream(*id) {
                    sink.reset(*id);
                }
            }
            self.break_all(now);
        }
        self.enabled = enabled;
    }

    /// Draws new random numbers, in a clone of a sandbox.
    pub fn reseed(&mut self) -> io::Result<()> {
        self.stack.reseed()
    }

    fn break_all(&mut self, now: Instant) {
        while let Some((segment, _)) = self.flows.next_queued() {
            self.stack.link.write(&answer::reset(&segment));
        }
        let held: Vec<u32> = self.flows.held.keys().copied().collect();
        for id in held {
            self.refuse(id);
        }
        let flows: Vec<u32> = self.flows.flows.keys().copied().collect();
        for id in flows {
            self.flows.abort(id, &mut self.stack, now);
        }
        self.queries.clear();
    }

    /// Takes packets from the device; to be called again while it is readable.
    pub fn on_tun_readable(&mut self, now: Instant, sink: &mut dyn EgressSink) {
        for _ in 0..PACKETS_AT_ONCE {
            if !self.stack.link.read() {
                break;
            }
            self.on_packet(now, sink);
        }
        self.with_flows(now, sink, |flows, around| flows.serve_touched(around));
    }

    /// The host has dialled: only now the program sees its connection. `credit` is what the host takes at first.
    pub fn on_opened(&mut self, stream: u32, credit: u32, now: Instant, sink: &mut dyn EgressSink) {
        if let Some(held) = self.flows.release(stream) {
            let purpose = Purpose::Carried(Carried::new(stream, credit, held.window));
            self.with_flows(now, sink, |flows, around| {
                flows.begin(stream, held.segment, &held.syn, purpose, around);
            });
        }
    }

    /// The host has sent bytes. False where it broke the stream's window, which ends the channel.
    #[must_use]
    pub fn on_data(
        &mut self,
        stream: u32,
        bytes: &[u8],
        now: Instant,
        sink: &mut dyn EgressSink,
    ) -> bool {
        if let Some((flow, carried)) = self.carried(stream) {
            if !carried.deliver(flow.socket(), bytes) {
                return false;
            }
            self.with_flows(now, sink, |flows, around| flows.serve(stream, around));
        }
        true
    }

    /// The host takes more.
    pub fn on_credit(&mut self, stream: u32, bytes: u32, now: Instant, sink: &mut dyn EgressSink) {
        if let Some((_, carried)) = self.carried(stream) {
            carried.add_credit(bytes);
            self.with_flows(now, sink, |flows, around| flows.serve(stream, around));
        }
    }

    /// The host sends no more.
    pub fn on_end(&mut self, stream: u32, now: Instant, sink: &mut dyn EgressSink) {
        if let Some((_, carried)) = self.carried(stream) {
            carried.end();
            self.with_flows(now, sink, |flows, around| flows.serve(stream, around));
        }
    }

    /// The host refuses the connection, or it is broken: the program sees ECONNREFUSED, or a reset.
    pub fn on_reset(&mut self, stream: u32, now: Instant) {
        if self.flows.held.contains_key(&stream) {
            self.refuse(stream);
        } else if is_stream(stream) {
            self.flows.abort(stream, &mut self.stack, now);
        }
    }

    /// The host's answer to a query; an empty one is none.
    pub fn on_dns_answer(
        &mut self,
        id: u64,
        message: &[u8],
        now: Instant,
        sink: &mut dyn EgressSink,
    ) {
        match self.queries.answered(id) {
            Some(Asker::Datagram { program, server }) if is_datagram(message) => {
                let answer = answer::udp(server, program, message);
                self.stack.link.write(&answer);
            }
            Some(Asker::Connection(connection)) => {
                if let Some(Purpose::Dns(dns)) = self.flows.purpose(connection) {
                    dns.answer(message);
                    self.with_flows(now, sink, |flows, around| flows.serve(connection, around));
                }
            }
            Some(Asker::Datagram { .. }) | None => {}
        }
    }

    /// Does what time and the channel's free room ask for, and says when to come again at the latest.
    pub fn poll(&mut self, now: Instant, sink: &mut dyn EgressSink) -> Option<Duration> {
        self.with_flows(now, sink, |flows, around| flows.serve_waiting(around));
        self.dial_queued(now, sink);
        if self.flows.next_deadline().is_some_and(|at| at <= now) {
            self.on_time(now, sink);
        }
        for connection in self.queries.expire(now) {
            self.flows.abort(connection, &mut self.stack, now);
        }
        let next = [self.flows.next_deadline(), self.queries.deadline()];
        let next = next.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }

    fn on_time(&mut self, now: Instant, sink: &mut dyn EgressSink) {
        // What looks like a lost packet may be an acknowledgement that waits in the device.
        self.on_tun_readable(now, sink);
        for id in self.flows.due(now) {
            if self.flows.held.contains_key(&id) {
                self.refuse(id);
                sink.reset(id);
            } else {
                self.with_flows(now, sink, |flows, around| flows.serve(id, around));
            }
        }
    }

    fn refuse(&mut self, id: u32) {
        if let Some(held) = self.drop_held(id) {
            self.stack.link.write(&answer::reset(&held.segment));
        }
    }

    pub(crate) fn drop_held(&mut self, id: u32) -> Option<Held> {
        let held = self.flows.release(id)?;
        self.flows.budget.give_back(&held.window);
        Some(held)
    }

    fn carried(&mut self, stream: u32) -> Option<(&mut Connection, &mut Carried)> {
        let flow = self.flows.flows.get_mut(&stream)?;
        match &mut flow.purpose {
            Purpose::Carried(carried) => Some((&mut flow.connection, carried)),
            Purpose::Dns(_) => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn free_windows_are_whole(&self) -> bool {
        self.flows.budget.is_whole()
    }

    pub(crate) fn with_flows<R>(
        &mut self,
        now: Instant,
        sink: &mut dyn EgressSink,
        action: impl FnOnce(&mut Flows, &mut Surroundings<'_>) -> R,
    ) -> R {
        let mut around = Surroundings {
            stack: &mut self.stack,
            queries: &mut self.queries,
            backlog: self.limits.backlog,
            now,
            sink,
        };
        action(&mut self.flows, &mut around)
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Egress")
            .field("connections", &self.connections())
            .field("connected", &self.connected)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// Whether an answer fits into a packet of the device, and is one.
fn is_datagram(message: &[u8]) -> bool {
    (1..=MTU - 48).contains(&message.len())
}

impl AsFd for Egress {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stack.link.as_fd()
    }
}
