//! What is done with each packet of the device.

use std::time::Instant;

use smoltcp::wire::IpProtocol;

use crate::address::is_peer;
use crate::answer::{self, Unreachable};
use crate::datagram::{Datagram, Ends, Segment};
use crate::dns::{self, Asker, DnsConnection};
use crate::egress::Egress;
use crate::flows::{Purpose, is_stream};
use crate::sink::EgressSink;

impl Egress {
    /// Handles the packet that the link has read.
    pub(crate) fn on_packet(&mut self, now: Instant, sink: &mut dyn EgressSink) {
        let Some(datagram) = Datagram::parse(self.stack.link.packet()) else {
            return;
        };
        let reply = match datagram.protocol {
            IpProtocol::Tcp => {
                if let Some(segment) = datagram.segment() {
                    self.on_segment(segment, now, sink);
                }
                return;
            }
            IpProtocol::Udp => match datagram.udp() {
                Some((ends, message)) if ends.destination.port() == dns::PORT && self.is_open() => {
                    let asker = asker(ends);
                    self.queries.ask(asker, message, now, sink);
                    return;
                }
                Some(_) => answer::unreachable(&datagram, Unreachable::Port),
                None => return,
            },
            IpProtocol::Icmp | IpProtocol::Icmpv6 if !answer::is_echo_request(&datagram) => return,
            IpProtocol::Icmp | IpProtocol::Icmpv6 if is_peer(datagram.destination) => {
                answer::echo_reply(&datagram)
            }
            IpProtocol::Icmp | IpProtocol::Icmpv6 => {
                answer::unreachable(&datagram, Unreachable::Host)
            }
            _ => answer::unreachable(&datagram, Unreachable::Protocol),
        };
        self.stack.link.write(&reply);
    }

    fn is_open(&self) -> bool {
        self.connected && self.enabled
    }

    fn on_segment(&mut self, segment: Segment, now: Instant, sink: &mut dyn EgressSink) {
        let Some(id) = self.flows.find(&segment.ends) else {
            return self.on_stranger(segment, now, sink);
        };
        let Some(flow) = self.flows.flows.get_mut(&id) else {
            return self.on_segment_of_held(id, segment, now, sink);
        };
        if segment.begins_after(&flow.segment) {
            return self.on_successor(id, segment, now, sink);
        }
        self.stack.link.offer();
        flow.connection.receive(&mut self.stack, now);
        self.flows.touch(id);
    }

    /// The program's kernel has forgotten the connection `id`, or it would not use its port again.
    fn on_successor(&mut self, id: u32, segment: Segment, now: Instant, sink: &mut dyn EgressSink) {
        if !self.has_right_checksum() {
            return;
        }
        if is_stream(id) {
            sink.reset(id);
        }
        self.flows.forget(id);
        self.on_stranger(segment, now, sink);
    }

    /// A SYN that is sent again is dropped; one of another connection, and a RST, end the wait.
    fn on_segment_of_held(
        &mut self,
        id: u32,
        segment: Segment,
        now: Instant,
        sink: &mut dyn EgressSink,
    ) {
        let Some(held) = self.flows.held.get(&id) else {
            return;
        };
        let begins_anew = segment.begins_after(&held.segment);
        if !(segment.rst || begins_anew) || !self.has_right_checksum() {
            return;
        }
        self.drop_held(id);
        sink.reset(id);
        if begins_anew {
            self.on_stranger(segment, now, sink);
        }
    }

    /// A segment of no known connection: a SYN is held and its destination asked for, anything else is reset.
    fn on_stranger(&mut self, segment: Segment, now: Instant, sink: &mut dyn EgressSink) {
        // A RST is never answered.
        if segment.rst || !self.has_right_checksum() {
            return;
        }
        let ends = &segment.ends;
        let possible = segment.begins() && ends.destination.port() != 0 && ends.program.port() != 0;
        let taken = possible
            && self.is_open()
            && self.flows.len() < self.limits.connections
            && match ends.destination.port() {
                dns::PORT => self.accept_dns(segment, now, sink),
                _ => self.dial(segment, now, sink),
            };
        if !taken {
            self.stack.link.write(&answer::reset(&segment));
        }
    }

    fn has_right_checksum(&self) -> bool {
        Datagram::parse(self.stack.link.packet())
            .is_some_and(|datagram| datagram.has_right_tcp_checksum())
    }

    /// Asks the host to dial, or waits for others' dials to be done; false where too many wait.
    fn dial(&mut self, segment: Segment, now: Instant, sink: &mut dyn EgressSink) -> bool {
        let syn = self.stack.link.packet().to_vec();
        if self.flows.held.len() < self.limits.dialling {
            return self.hold(segment, syn, now, sink);
        }
        let queues = self.flows.queued() < self.limits.queued;
        if queues {
            self.flows.queue(segment, syn);
        }
        queues
    }

    /// Lets those dial that waited for their turn.
    pub(crate) fn dial_queued(&mut self, now: Instant, sink: &mut dyn EgressSink) {
        while self.flows.held.len() < self.limits.dialling {
            let Some((segment, syn)) = self.flows.next_queued() else {
                return;
            };
            if !self.hold(segment, syn, now, sink) {
                self.stack.link.write(&answer::reset(&segment));
            }
        }
    }

    fn hold(
        &mut self,
        segment: Segment,
        syn: Vec<u8>,
        now: Instant,
        sink: &mut dyn EgressSink,
    ) -> bool {
        let Some(next) = self.next_stream.checked_add(2) else {
            return false;
        };
        let Some(window) = self.flows.budget.first() else {
            return false;
        };
        let id = std::mem::replace(&mut self.next_stream, next);
        sink.open(id, segment.ends.destination, window.size());
        self.flows.hold(id, segment, syn, window, now);
        true
    }

    /// A connection to port 53 is ended here: the host answers queries, however they come.
    fn accept_dns(&mut self, segment: Segment, now: Instant, sink: &mut dyn EgressSink) -> bool {
        let id = self.free_dns_id();
        let purpose = Purpose::Dns(DnsConnection::new(id));
        let syn = self.stack.link.packet().to_vec();
        self.with_flows(now, sink, |flows, around| {
            flows.begin(id, segment, &syn, purpose, around);
        });
        true
    }

    fn free_dns_id(&mut self) -> u32 {
        loop {
            let id = self.next_dns;
            self.next_dns = self.next_dns.wrapping_add(2);
            if !self.flows.flows.contains_key(&id) {
                return id;
            }
        }
    }
}

fn asker(ends: Ends) -> Asker {
    Asker::Datagram {
        program: ends.program,
        server: ends.destination,
    }
}
