//! The host of these tests: it dials real servers on this machine's loopback, and keeps the channel's rules.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use microsandbox_egress::{Device, Egress, EgressSink, Limits};
use rustix::event::epoll;
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

const WINDOW: u32 = 256 * 1024;
/// Refused by this host's policy.
pub const DENIED: [&str; 2] = ["203.0.113.99", "2001:db8::99"];
/// Dialled for ever.
pub const SILENT: &str = "203.0.113.98";
/// What every name resolves to.
pub const RESOLVED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

const TUN: u64 = 1 << 40;
const WAKE: u64 = 1 << 41;

pub enum Command {
    LoseChannel,
    RestoreChannel,
    Enable(bool),
    Count(Sender<(usize, usize)>),
}

/// What the sandbox has asked for.
enum Asked {
    Open(u32, SocketAddr, u32),
    Data(u32, Vec<u8>),
    Credit(u32, u32),
    End(u32),
    Reset(u32),
    Query(u64, bool, Vec<u8>),
}

#[derive(Default)]
struct Channel {
    asked: VecDeque<Asked>,
}

impl EgressSink for Channel {
    fn open(&mut self, stream: u32, destination: SocketAddr, window: u32) {
        self.asked
            .push_back(Asked::Open(stream, destination, window));
    }

    fn data(&mut self, stream: u32, bytes: &[u8]) {
        assert!((1..=65_536).contains(&bytes.len()));
        self.asked.push_back(Asked::Data(stream, bytes.to_vec()));
    }

    fn credit(&mut self, stream: u32, bytes: u32) {
        self.asked.push_back(Asked::Credit(stream, bytes));
    }

    fn end(&mut self, stream: u32) {
        self.asked.push_back(Asked::End(stream));
    }

    fn reset(&mut self, stream: u32) {
        self.asked.push_back(Asked::Reset(stream));
    }

    fn dns_query(&mut self, id: u64, tcp: bool, message: &[u8]) {
        self.asked
            .push_back(Asked::Query(id, tcp, message.to_vec()));
    }

    fn backlog(&self) -> usize {
        0
    }
}

/// A connection to a server.
struct Dialled {
    socket: TcpStream,
    connected: bool,
    /// What may be sent to the sandbox.
    credit: u32,
    /// What the sandbox may send.
    granted: u32,
    to_server: VecDeque<u8>,
    program_ended: bool,
    server_ended: bool,
}

pub struct Host {
    commands: Sender<Command>,
    wake: OwnedFd,
}

impl Host {
    pub fn start(device: Device) -> Self {
        Self::start_with(device, Limits::default())
    }

    pub fn start_with(device: Device, limits: Limits) -> Self {
        microsandbox_egress::return_large_buffers();
        let (commands, inbox) = channel();
        let wake = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let woken = wake.try_clone().unwrap();
        thread::spawn(move || Loop::new(device, limits, inbox, woken).run());
        Self { commands, wake }
    }

    pub fn tell(&self, command: Command) {
        self.commands.send(command).unwrap();
        rustix::io::write(&self.wake, &1u64.to_ne_bytes()).unwrap();
    }

    /// Connections in the capture, and connections to servers.
    pub fn count(&self) -> (usize, usize) {
        let (to, from) = channel();
        self.tell(Command::Count(to));
        from.recv().unwrap()
    }
}

struct Loop {
    epoll: OwnedFd,
    wake: OwnedFd,
    egress: Egress,
    channel: Channel,
    dialled: HashMap<u32, Dialled>,
    inbox: Receiver<Command>,
    buffer: Vec<u8>,
}

impl Loop {
    fn new(device: Device, limits: Limits, inbox: Receiver<Command>, wake: OwnedFd) -> Self {
        let mut egress = Egress::new(device, limits).unwrap();
        egress.channel_up();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let readable = epoll::EventFlags::IN;
        epoll::add(&epoll, &egress, epoll::EventData::new_u64(TUN), readable).unwrap();
        epoll::add(&epoll, &wake, epoll::EventData::new_u64(WAKE), readable).unwrap();
        Self {
            epoll,
            wake,
            egress,
            channel: Channel::default(),
            dialled: HashMap::new(),
            inbox,
            buffer: vec![0; 65_536],
        }
    }

    fn run(mut self) {
        let mut wait = None;
        loop {
            let mut events = Vec::with_capacity(256);
            let timeout = wait.map(|wait: Duration| Timespec {
                tv_sec: wait.as_secs() as i64,
                tv_nsec: i64::from(wait.subsec_nanos()),
            });
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                timeout.as_ref(),
            ) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("{error}"),
            }
            for event in &events {
                match event.data.u64() {
                    TUN => self
                        .egress
                        .on_tun_readable(Instant::now(), &mut self.channel),
                    WAKE => {
                        if !self.obey() {
                            return;
                        }
                    }
                    stream => self.on_socket(stream as u32),
                }
                self.hear();
            }
            wait = self.egress.poll(Instant::now(), &mut self.channel);
            self.hear();
        }
    }

    fn obey(&mut self) -> bool {
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        loop {
            match self.inbox.try_recv() {
                Ok(Command::LoseChannel) => {
                    self.dialled.clear();
                    self.channel.asked.clear();
                    self.egress.channel_lost(Instant::now());
                }
                Ok(Command::RestoreChannel) => self.egress.channel_up(),
                Ok(Command::Enable(on)) => {
                    self.egress
                        .set_enabled(on, Instant::now(), &mut self.channel);
                }
                Ok(Command::Count(to)) => {
                    let _ = to.send((self.egress.connections(), self.dialled.len()));
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => return true,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn hear(&mut self) {
        while let Some(asked) = self.channel.asked.pop_front() {
            match asked {
                Asked::Open(stream, destination, window) => self.dial(stream, destination, window),
                Asked::Data(stream, bytes) => {
                    if let Some(dialled) = self.dialled.get_mut(&stream) {
                        assert!(bytes.len() <= dialled.granted as usize, "window broken");
                        dialled.granted -= bytes.len() as u32;
                        dialled.to_server.extend(&bytes);
                        self.on_socket(stream);
                    }
                }
                Asked::Credit(stream, bytes) => {
                    if let Some(dialled) = self.dialled.get_mut(&stream) {
                        dialled.credit += bytes;
                        self.on_socket(stream);
                    }
                }
                Asked::End(stream) => {
                    if let Some(dialled) = self.dialled.get_mut(&stream) {
                        dialled.program_ended = true;
                        self.on_socket(stream);
                    }
                }
                Asked::Reset(stream) => {
                    if let Some(dialled) = self.dialled.remove(&stream) {
                        // A RST on the server's side, as a broken connection makes.
                        let _ = sockopt::set_socket_linger(&dialled.socket, Some(Duration::ZERO));
                    }
                }
                Asked::Query(id, tcp, message) => {
                    let answer = answer(&message, tcp);
                    let now = Instant::now();
                    self.egress
                        .on_dns_answer(id, &answer, now, &mut self.channel);
                }
            }
        }
    }

    fn dial(&mut self, stream: u32, destination: SocketAddr, window: u32) {
        let address = destination.ip().to_string();
        if DENIED.contains(&address.as_str()) {
            return self.egress.on_reset(stream, Instant::now());
        }
        if address == SILENT {
            return;
        }
        let (family, loopback) = match destination.ip() {
            IpAddr::V4(_) => (AddressFamily::INET, IpAddr::V4(Ipv4Addr::LOCALHOST)),
            IpAddr::V6(_) => (AddressFamily::INET6, IpAddr::V6(Ipv6Addr::LOCALHOST)),
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::STREAM, flags, None).unwrap();
        match connect(&socket, &SocketAddr::new(loopback, destination.port())) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(_) => return self.egress.on_reset(stream, Instant::now()),
        }
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(u64::from(stream));
        epoll::add(&self.epoll, &socket, data, flags).unwrap();
        let dialled = Dialled {
            socket: socket.into(),
            connected: false,
            credit: window,
            granted: WINDOW,
            to_server: VecDeque::new(),
            program_ended: false,
            server_ended: false,
        };
        self.dialled.insert(stream, dialled);
        self.on_socket(stream);
    }

    fn on_socket(&mut self, stream: u32) {
        if self.connect(stream) && self.write(stream) && self.read(stream) {
            let over =
                |it: &Dialled| it.server_ended && it.program_ended && it.to_server.is_empty();
            if self.dialled.get(&stream).is_some_and(over) {
                self.dialled.remove(&stream);
            }
        }
    }

    fn connect(&mut self, stream: u32) -> bool {
        let Some(dialled) = self.dialled.get_mut(&stream) else {
            return false;
        };
        if dialled.connected {
            return true;
        }
        if sockopt::socket_error(&dialled.socket).unwrap().is_err() {
            self.broken(stream);
            return false;
        }
        if dialled.socket.peer_addr().is_err() {
            return false;
        }
        dialled.connected = true;
        let now = Instant::now();
        self.egress
            .on_opened(stream, WINDOW, now, &mut self.channel);
        true
    }

    fn broken(&mut self, stream: u32) {
        self.dialled.remove(&stream);
        self.egress.on_reset(stream, Instant::now());
    }

    fn write(&mut self, stream: u32) -> bool {
        let dialled = self.dialled.get_mut(&stream).unwrap();
        let mut written = 0;
        while !dialled.to_server.is_empty() {
            match dialled.socket.write(dialled.to_server.as_slices().0) {
                Ok(length) => {
                    dialled.to_server.drain(..length);
                    written += length as u32;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.broken(stream);
                    return false;
                }
            }
        }
        if dialled.program_ended && dialled.to_server.is_empty() {
            let _ = dialled.socket.shutdown(Shutdown::Write);
        }
        if written > 0 {
            dialled.granted += written;
            let now = Instant::now();
            self.egress
                .on_credit(stream, written, now, &mut self.channel);
        }
        true
    }

    fn read(&mut self, stream: u32) -> bool {
        loop {
            let Some(dialled) = self.dialled.get_mut(&stream) else {
                return false;
            };
            if dialled.server_ended || dialled.credit == 0 {
                return true;
            }
            let most = self.buffer.len().min(dialled.credit as usize);
            let now = Instant::now();
            match dialled.socket.read(&mut self.buffer[..most]) {
                Ok(0) => {
                    dialled.server_ended = true;
                    self.egress.on_end(stream, now, &mut self.channel);
                }
                Ok(length) => {
                    dialled.credit -= length as u32;
                    let bytes = &self.buffer[..length];
                    assert!(self.egress.on_data(stream, bytes, now, &mut self.channel));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => {
                    self.broken(stream);
                    return false;
                }
            }
        }
    }
}

/// Answers an A question with [`RESOLVED`]; over TCP with many records, more than a datagram of old holds.
fn answer(query: &[u8], tcp: bool) -> Vec<u8> {
    let records: u16 = if tcp { 100 } else { 1 };
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1]);
    answer.extend(records.to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(&query[12..]);
    for _ in 0..records {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(RESOLVED.octets());
    }
    answer
}
