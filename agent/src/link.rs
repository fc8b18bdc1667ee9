//! The way to the host: dialled again for ever, greeted, then a connection.

use crate::agent::Agent;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::poll::{Interest, Ready, Source};
use crate::timers::Timer;
use crate::wire::{Hello, agent_control};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Of the contract, spec/channel.md.
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"MSBCHAN1";
const GREETING: usize = 24;
/// What the system holds for the host; it makes twice as much of it.
const SOCKET_BUFFER: usize = 256 << 10;
const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_millis(250);
const GREETING_PATIENCE: Duration = Duration::from_secs(15);
/// What `Hello` lists at most, so that it fits a frame.
const MAX_LISTED: usize = 600;

/// Where the host is reached.
#[derive(Debug)]
pub enum Dial {
    /// A unix socket that it listens on.
    Path(PathBuf),
    /// One connection that was passed to us; its end is the agent's.
    Once(Option<UnixStream>),
}

#[derive(Debug)]
pub enum Link {
    Down { pause: Duration },
    Greeting(Greeting),
    Up(Box<Connection>),
}

impl Default for Link {
    fn default() -> Self {
        Link::Down { pause: SOONEST }
    }
}

/// A connection whose host has not shown itself yet.
#[derive(Debug)]
pub struct Greeting {
    serial: u64,
    socket: UnixStream,
    seen: Vec<u8>,
    pause: Duration,
}

impl Greeting {
    /// Reads on; gives the nonce once it is there, with `seen` left at what follows it.
    fn advance(&mut self, buffer: &mut [u8]) -> Result<Option<[u8; 16]>> {
        match self.socket.read(buffer) {
            Ok(0) => return Err(Error::Closed),
            Ok(length) => self
                .seen
                .extend_from_slice(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
            Err(_) => return Err(Error::Closed),
        }
        Ok(nonce(&mut self.seen))
    }
}

/// Discards what precedes the magic; takes the nonce behind it, if it is whole.
fn nonce(seen: &mut Vec<u8>) -> Option<[u8; 16]> {
    match seen.windows(MAGIC.len()).position(|window| window == MAGIC) {
        Some(at) => drop(seen.drain(..at)),
        None => drop(seen.drain(..seen.len().saturating_sub(MAGIC.len() - 1))),
    }
    let nonce = *seen.get(MAGIC.len()..)?.first_chunk::<16>()?;
    seen.starts_with(MAGIC).then(|| seen.drain(..GREETING))?;
    Some(nonce)
}

impl Agent {
    /// The connection, where one is up.
    pub fn connection(&mut self) -> Option<&mut Connection> {
        match &mut self.link {
            Link::Up(connection) => Some(connection),
            _ => None,
        }
    }

    /// Tries to reach the host.
    pub fn dial_now(&mut self) {
        let Link::Down { pause } = self.link else {
            return;
        };
        let serial = self.next_handle();
        let socket = match &mut self.dial {
            Dial::Path(path) => dial(path),
            Dial::Once(socket) => socket.take().ok_or(Error::Closed),
        };
        let watched = socket.and_then(|socket| {
            self.poller
                .watch(&socket, Source::Channel, Interest::Off, Interest::Read)?;
            Ok(socket)
        });
        match watched {
            Ok(socket) => {
                let seen = Vec::new();
                self.link = Link::Greeting(Greeting {
                    serial,
                    socket,
                    seen,
                    pause,
                });
                self.timers
                    .after(GREETING_PATIENCE, Timer::Greeting(serial));
            }
            Err(_) => self.hang_up(),
        }
    }

    /// A host that accepts and says nothing is left.
    pub fn greeting_overdue(&mut self, serial: u64) {
        if matches!(&self.link, Link::Greeting(greeting) if greeting.serial == serial) {
            self.hang_up();
        }
    }

    /// Drops what there is of a connection and dials later.
    pub fn hang_up(&mut self) {
        let pause = match &self.link {
            Link::Down { pause } => *pause,
            Link::Greeting(greeting) => {
                self.poller.forget(&greeting.socket);
                greeting.pause
            }
            Link::Up(connection) => {
                connection.forget(&self.poller);
                if connection.welcomed { SOONEST } else { LATEST }
            }
        };
        self.link = Link::Down {
            pause: LATEST.min(pause * 2),
        };
        self.capture_disconnected();
        self.objects.detach_all();
        self.forget_waiting();
        for id in self.objects.ids() {
            self.regulate(&id);
        }
        if matches!(self.dial, Dial::Once(None)) {
            self.over = true;
        }
        self.timers.after(pause, Timer::Dial);
    }

    /// The channel's socket is ready.
    pub fn link_ready(&mut self, ready: Ready) {
        if !ready.readable {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let done = match &mut self.link {
            Link::Down { .. } => Ok(()),
            Link::Greeting(greeting) => match greeting.advance(&mut buffer) {
                Ok(Some(nonce)) => self.greet(nonce),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            Link::Up(connection) => connection.receive().map(drop),
        };
        self.buffer = buffer;
        match done.and_then(|()| self.frames()) {
            Ok(()) => {}
            Err(error) => self.channel_failed(&error),
        }
    }

    fn channel_failed(&mut self, error: &Error) {
        if !matches!(error, Error::Closed) {
            self.diagnose("warning", &error.to_string());
        }
        self.hang_up();
    }

    fn greet(&mut self, nonce: [u8; 16]) -> Result<()> {
        let Link::Greeting(greeting) = std::mem::take(&mut self.link) else {
            return Ok(());
        };
        let mut answer = MAGIC.to_vec();
        answer.extend_from_slice(&nonce);
        let mut socket = greeting.socket;
        let sent = socket.write(&answer);
        self.link = Link::Up(Box::new(Connection::new(socket, &greeting.seen)));
        if sent.map_err(|_| Error::Closed)? != GREETING {
            return Err(Error::Closed);
        }
        let hello = self.hello();
        self.send(0, agent_control::Body::Hello(hello));
        Ok(())
    }

    fn hello(&self) -> Hello {
        Hello {
            version: VERSION,
            sandbox_id: self.identity.sandbox_id.clone(),
            boot_id: self.identity.boot_id.to_vec(),
            secret: Vec::new(),
            agent_version: env!("CARGO_PKG_VERSION").into(),
            objects: self.objects.states(MAX_LISTED),
            contexts: self.context_states(),
            egress: self.egress.is_some(),
        }
    }

    /// Acts on the frames that have arrived.
    fn frames(&mut self) -> Result<()> {
        let Some(connection) = self.connection() else {
            return Ok(());
        };
        let mut decoder = connection.take_decoder();
        while let Some((header, payload)) = decoder.frame()? {
            self.on_frame(header, payload)?;
            if self.connection().is_none() {
                return Ok(());
            }
        }
        if let Some(connection) = self.connection() {
            connection.return_decoder(decoder);
        }
        Ok(())
    }

    /// Writes what is to be written, and lets those go on that waited for it.
    pub fn flush(&mut self) {
        self.send_unasked();
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        match connection.flush(&mut self.objects, &self.poller) {
            Ok(()) => {
                for id in std::mem::take(&mut connection.moved) {
                    self.regulate(&id);
                }
            }
            Err(error) => self.channel_failed(&error),
        }
        if self.capture_waits() {
            self.wait_for_room();
        }
    }

    /// Has the loop come back as soon as the socket takes more.
    fn wait_for_room(&mut self) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        if let Err(error) = connection.wait_for_room(&self.poller) {
            self.channel_failed(&error);
        }
    }
}

fn dial(path: &std::path::Path) -> Result<UnixStream> {
    let failed = |error: rustix::io::Errno| Error::system("reach the host", error);
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(failed)?;
    // The system may grant less; then the two ends take turns more often while a file is carried.
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(&socket, SOCKET_BUFFER);
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).map_err(failed)?).map_err(failed)?;
    Ok(UnixStream::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_before_the_magic_is_discarded_and_bounded() {
        let mut seen = b"garbage MSBCHAN".to_vec();
        assert_eq!(nonce(&mut seen), None);
        seen.extend_from_slice(b"MSBCHAN1");
        assert_eq!(nonce(&mut seen), None);
        seen.extend_from_slice(&[7; 16]);
        seen.extend_from_slice(b"rest");
        assert_eq!(nonce(&mut seen), Some([7; 16]));
        assert_eq!(seen, b"rest");
        let mut long = vec![b'M'; 1 << 20];
        assert_eq!(nonce(&mut long), None);
        assert!(long.len() < 8);
    }
}
