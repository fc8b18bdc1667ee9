//! DNS: queries by datagram and by connection, which the host answers.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smoltcp::socket::tcp::{Socket, State};

use crate::carried::Progress;
use crate::sink::EgressSink;

pub(crate) const PORT: u16 = 53;

/// The largest query that the channel carries.
const LARGEST_QUERY: usize = 4_096;
/// A message begins with a header of twelve bytes.
const SMALLEST_QUERY: usize = 12;
/// Resolvers ask again, and give up, well before this.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
/// Queries of one connection that are under way at once; further ones wait in it.
const PIPELINE: usize = 16;

/// Where an answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Datagram {
        program: SocketAddr,
        server: SocketAddr,
    },
    Connection(u32),
}

/// The queries that the host has not yet answered. Ids count up, so the first is the oldest.
#[derive(Debug)]
pub(crate) struct Queries {
    pending: BTreeMap<u64, (Asker, Instant)>,
    next: u64,
    most: usize,
}

impl Queries {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            pending: BTreeMap::new(),
            next: 1,
            most,
        }
    }

    /// Passes a query on; false where it is none, or too many are under way.
    pub(crate) fn ask(
        &mut self,
        asker: Asker,
        message: &[u8],
        now: Instant,
        sink: &mut dyn EgressSink,
    ) -> bool {
        if !(SMALLEST_QUERY..=LARGEST_QUERY).contains(&message.len())
            || self.pending.len() >= self.most
        {
            return false;
        }
        let id = self.next;
        self.next += 1;
        self.pending.insert(id, (asker, now));
        let tcp = matches!(asker, Asker::Connection(_));
        sink.dns_query(id, tcp, message);
        true
    }

    pub(crate) fn answered(&mut self, id: u64) -> Option<Asker> {
        self.pending.remove(&id).map(|(asker, _)| asker)
    }

    /// Forgets queries that nobody waits for any more, and names the connections among their askers.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<u32> {
        let mut connections = Vec::new();
        while let Some(oldest) = self.pending.first_entry() {
            if now.saturating_duration_since(oldest.get().1) < FORGOTTEN_AFTER {
                break;
            }
            if let (Asker::Connection(id), _) = oldest.remove() {
                connections.push(id);
            }
        }
        connections
    }

    /// When the oldest is forgotten.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (_, (_, asked)) = self.pending.first_key_value()?;
        Some(*asked + FORGOTTEN_AFTER)
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }
}

/// A connection to port 53, ended here: messages, each after its length in two bytes.
#[derive(Debug)]
pub(crate) struct DnsConnection {
    id: u32,
    received: Vec<u8>,
    unsent: VecDeque<u8>,
    under_way: usize,
}

impl DnsConnection {
    pub(crate) fn new(id: u32) -> Self {
        Self {
            id,
            received: Vec::new(),
            unsent: VecDeque::new(),
            under_way: 0,
        }
    }

    /// Takes one answer for the program; an empty one says that none will come.
    pub(crate) fn answer(&mut self, message: &[u8]) {
        self.under_way = self.under_way.saturating_sub(1);
        let Ok(length) = u16::try_from(message.len()) else {
            return;
        };
        if length > 0 {
            self.unsent.extend(length.to_be_bytes());
            self.unsent.extend(message);
        }
    }

    /// Moves what can be moved both ways.
    pub(crate) fn serve(
        &mut self,
        socket: &mut Socket<'_>,
        queries: &mut Queries,
        now: Instant,
        sink: &mut dyn EgressSink,
    ) -> Progress {
        self.send(socket);
        if !self.receive(socket, queries, now, sink) {
            socket.abort();
        }
        let all_said = self.under_way == 0 && self.unsent.is_empty();
        if socket.state() == State::CloseWait && all_said && socket.recv_queue() == 0 {
            socket.close();
        }
        match socket.state() {
            State::Closed | State::TimeWait | State::Listen => Progress::Over,
            _ => Progress::Going,
        }
    }

    fn send(&mut self, socket: &mut Socket<'_>) {
        while socket.can_send() && !self.unsent.is_empty() {
            let sent = socket.send_slice(self.unsent.as_slices().0).unwrap_or(0);
            self.unsent.drain(..sent);
        }
        if self.unsent.is_empty() {
            self.unsent = VecDeque::new();
        }
    }

    /// False where the program breaks the protocol.
    fn receive(
        &mut self,
        socket: &mut Socket<'_>,
        queries: &mut Queries,
        now: Instant,
        sink: &mut dyn EgressSink,
    ) -> bool {
        // An answer that does not leave holds back further queries, so that what is kept stays bounded.
        while self.under_way < PIPELINE && self.unsent.is_empty() {
            match self.next_message() {
                Err(()) => return false,
                Ok(Some(message)) => {
                    if queries.ask(Asker::Connection(self.id), &message, now, sink) {
                        self.under_way += 1;
                    }
                }
                Ok(None) => {
                    let room = 2 + LARGEST_QUERY - self.received.len();
                    let read = socket.recv(|bytes| {
                        let length = bytes.len().min(room);
                        self.received.extend_from_slice(&bytes[..length]);
                        (length, length)
                    });
                    if read.unwrap_or(0) == 0 {
                        return true;
                    }
                }
            }
        }
        true
    }

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, ()> {
        let Some(head) = self.received.first_chunk::<2>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*head));
        if !(SMALLEST_QUERY..=LARGEST_QUERY).contains(&length) {
            return Err(());
        }
        if self.received.len() < 2 + length {
            return Ok(None);
        }
        let message = self.received[2..2 + length].to_vec();
        self.received.drain(..2 + length);
        Ok(Some(message))
    }
}
