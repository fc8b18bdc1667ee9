//! The connections: those that the host is dialling, and those that it carries.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use smoltcp::socket::tcp::State;

use crate::carried::{Carried, Progress};
use crate::datagram::{Ends, Segment};
use crate::dns::{DnsConnection, Queries};
use crate::sink::EgressSink;
use crate::stack::{Connection, Stack};
use crate::window::{Budget, Window};

/// A host that has not answered by now never will, and the program's kernel has given up as well.
const DIALLING_AT_MOST: Duration = Duration::from_secs(150);
/// The stack may ask to be polled at once although it has nothing to do now.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Stands for the id of a connection that has none yet: stream 0 is the channel's own.
const QUEUED: u32 = 0;

/// Whether `id` is a stream's, known to the host.
pub(crate) fn is_stream(id: u32) -> bool {
    id % 2 == 0
}

/// A connection that the host is dialling, with the SYN that began it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) segment: Segment,
    /// The SYN's whole packet.
    pub(crate) syn: Vec<u8>,
    pub(crate) window: Window,
    deadline: Instant,
}

/// Who is at the other end of a program's connection.
#[derive(Debug)]
pub(crate) enum Purpose {
    Carried(Carried),
    Dns(DnsConnection),
}

/// A connection that the program has.
pub(crate) struct Flow {
    /// Its SYN, which tells a repeated SYN from that of another connection.
    pub(crate) segment: Segment,
    pub(crate) connection: Connection,
    pub(crate) purpose: Purpose,
    deadline: Option<Instant>,
    touched: bool,
    waiting: bool,
}

/// What serving a connection asks for.
pub(crate) struct Surroundings<'a> {
    pub(crate) stack: &'a mut Stack,
    pub(crate) queries: &'a mut Queries,
    pub(crate) backlog: usize,
    pub(crate) now: Instant,
    pub(crate) sink: &'a mut dyn EgressSink,
}

/// All connections, by the id of their stream; connections to port 53, which have none, by odd ids.
pub(crate) struct Flows {
    pub(crate) held: HashMap<u32, Held>,
    pub(crate) flows: HashMap<u32, Flow>,
    /// SYNs whose turn to be dialled has not come.
    queued: VecDeque<(Segment, Vec<u8>)>,
    by_ends: HashMap<Ends, u32>,
    timers: BTreeSet<(Instant, u32)>,
    touched: Vec<u32>,
    waiting: VecDeque<u32>,
    pub(crate) budget: Budget,
}

impl Flows {
    pub(crate) fn new(windows: u32) -> Self {
        Self {
            held: HashMap::new(),
            flows: HashMap::new(),
            queued: VecDeque::new(),
            by_ends: HashMap::new(),
            timers: BTreeSet::new(),
            touched: Vec::new(),
            waiting: VecDeque::new(),
            budget: Budget::new(windows),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_ends.len()
    }

    pub(crate) fn find(&self, ends: &Ends) -> Option<u32> {
        self.by_ends.get(ends).copied()
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued.len()
    }

    pub(crate) fn queue(&mut self, segment: Segment, syn: Vec<u8>) {
        self.by_ends.insert(segment.ends, QUEUED);
        self.queued.push_back((segment, syn));
    }

    /// Takes out who has waited longest.
    pub(crate) fn next_queued(&mut self) -> Option<(Segment, Vec<u8>)> {
        let next = self.queued.pop_front()?;
        self.by_ends.remove(&next.0.ends);
        Some(next)
    }

    pub(crate) fn purpose(&mut self, id: u32) -> Option<&mut Purpose> {
        self.flows.get_mut(&id).map(|flow| &mut flow.purpose)
    }

    pub(crate) fn hold(
        &mut self,
        id: u32,
        segment: Segment,
        syn: Vec<u8>,
        window: Window,
        now: Instant,
    ) {
        let deadline = now + DIALLING_AT_MOST;
        self.by_ends.insert(segment.ends, id);
        self.timers.insert((deadline, id));
        let held = Held {
            segment,
            syn,
            window,
            deadline,
        };
        self.held.insert(id, held);
    }

    /// Takes a held connection out; its window is the caller's to use or give back.
    pub(crate) fn release(&mut self, id: u32) -> Option<Held> {
        let held = self.held.remove(&id)?;
        self.by_ends.remove(&held.segment.ends);
        self.timers.remove(&(held.deadline, id));
        Some(held)
    }

    /// Lets a program's connection begin with `syn`.
    pub(crate) fn begin(
        &mut self,
        id: u32,
        segment: Segment,
        syn: &[u8],
        purpose: Purpose,
        around: &mut Surroundings<'_>,
    ) {
        let mut connection = Connection::listen(&segment.ends);
        around.stack.link.offer_held(syn);
        connection.receive(around.stack, around.now);
        self.by_ends.insert(segment.ends, id);
        let flow = Flow {
            segment,
            connection,
            purpose,
            deadline: None,
            touched: false,
            waiting: false,
        };
        self.flows.insert(id, flow);
        self.serve(id, around);
    }

    /// Remembers to serve a connection once all packets at hand are in.
    pub(crate) fn touch(&mut self, id: u32) {
        let flow = self.flows.get_mut(&id);
        if flow.is_some_and(|flow| !std::mem::replace(&mut flow.touched, true)) {
            self.touched.push(id);
        }
    }

    pub(crate) fn serve_touched(&mut self, around: &mut Surroundings<'_>) {
        let mut touched = std::mem::take(&mut self.touched);
        for id in touched.drain(..) {
            if let Some(flow) = self.flows.get_mut(&id) {
                flow.touched = false;
            }
            self.serve(id, around);
        }
        self.touched = touched;
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Serves, in turn, connections that found the channel full.
    pub(crate) fn serve_waiting(&mut self, around: &mut Surroundings<'_>) {
        for _ in 0..self.waiting.len() {
            if around.sink.backlog() >= around.backlog {
                return;
            }
            let Some(id) = self.waiting.pop_front() else {
                return;
            };
            if let Some(flow) = self.flows.get_mut(&id) {
                flow.waiting = false;
            }
            self.serve(id, around);
        }
    }

    /// Moves what a connection has to move, both ways, and forgets it once it is over.
    pub(crate) fn serve(&mut self, id: u32, around: &mut Surroundings<'_>) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        let socket = flow.connection.socket();
        let progress = match &mut flow.purpose {
            Purpose::Carried(carried) => {
                carried.serve(socket, &mut self.budget, around.backlog, around.sink)
            }
            Purpose::Dns(dns) => dns.serve(socket, around.queries, around.now, around.sink),
        };
        self.transmit(id, around);
        match progress {
            Progress::Going => {}
            Progress::Waiting => self.wait(id),
            Progress::Over => self.forget(id),
        }
    }

    fn transmit(&mut self, id: u32, around: &mut Surroundings<'_>) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        let mut deadline = flow.connection.transmit(around.stack, around.now);
        if flow.connection.socket().state() == State::TimeWait {
            // Kept only until the host has taken what the program said; the stack would throw that away in time.
            deadline = None;
        }
        let deadline = deadline.map(|at| at.max(around.now + SHORTEST_WAIT));
        if deadline == flow.deadline {
            return;
        }
        if let Some(old) = flow.deadline {
            self.timers.remove(&(old, id));
        }
        if let Some(new) = deadline {
            self.timers.insert((new, id));
        }
        flow.deadline = deadline;
    }

    fn wait(&mut self, id: u32) {
        let flow = self.flows.get_mut(&id);
        if flow.is_some_and(|flow| !std::mem::replace(&mut flow.waiting, true)) {
            self.waiting.push_back(id);
        }
    }

    /// Breaks a program's connection and forgets it.
    pub(crate) fn abort(&mut self, id: u32, stack: &mut Stack, now: Instant) {
        if let Some(flow) = self.flows.get_mut(&id) {
            // What the host has sent before it broke off is the program's still.
            flow.connection.transmit(stack, now);
            flow.connection.socket().abort();
            flow.connection.transmit(stack, now);
            self.forget(id);
        }
    }

    /// Drops a connection without another word to its program.
    pub(crate) fn forget(&mut self, id: u32) {
        let Some(flow) = self.flows.remove(&id) else {
            return;
        };
        if let Purpose::Carried(carried) = &flow.purpose {
            self.budget.give_back(carried.window());
        }
        if let Some(deadline) = flow.deadline {
            self.timers.remove(&(deadline, id));
        }
        // Another connection between the same ends may have taken its place.
        if self.by_ends.get(&flow.segment.ends) == Some(&id) {
            self.by_ends.remove(&flow.segment.ends);
        }
        self.shrink();
    }

    /// Tables that have held thousands give their memory back when they are empty.
    fn shrink(&mut self) {
        if self.by_ends.is_empty() {
            self.by_ends = HashMap::new();
            self.flows = HashMap::new();
            self.held = HashMap::new();
            self.waiting = VecDeque::new();
            self.queued = VecDeque::new();
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The connections whose time has come, each once.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<u32> {
        let mut due = Vec::new();
        while let Some(&(at, id)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            if let Some(flow) = self.flows.get_mut(&id) {
                flow.deadline = None;
            }
            due.push(id);
        }
        due
    }
}
