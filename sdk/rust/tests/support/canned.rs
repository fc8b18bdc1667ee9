//! A small HTTP server that remembers what it was asked and answers as a test wishes, well or badly.

use std::sync::{Arc, Mutex};

use microsandbox::{BaseSandbox, PythonSandbox, SandboxOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// In lower case, one a line.
    pub head: String,
    pub body: String,
}

/// What it answers.
#[derive(Clone)]
pub enum Answer {
    /// A whole answer of this status; the connection stays.
    Whole(u16, String),
    /// The head of a stream of events and these, with or without the stream's end; the connection stays.
    Events(Vec<String>, bool),
    /// A stream of events in these pieces, which need not be text; the connection stays.
    Pieces(Vec<Vec<u8>>),
    /// These bytes, and the connection's end.
    Cut(Vec<u8>),
    /// The first bytes, then the second ones again and again until the client goes.
    Endless(Vec<u8>, Vec<u8>),
    /// Nothing.
    Silence,
}

/// An answer of status 200.
pub fn ok(body: impl Into<String>) -> Answer {
    Answer::Whole(200, body.into())
}

/// An event as the stream has it.
pub fn event(kind: &str, data: &str) -> String {
    format!("event: {kind}\ndata: {data}\n\n")
}

/// A run that printed `1`.
pub const RUN: &str = r#"{"outcome": "ok", "stdout": "1\n", "stderr": ""}"#;

/// What has happened so far.
#[derive(Clone, Copy, Default)]
struct Counts {
    connections: usize,
    /// Of them those that their client has ended.
    closed: usize,
    requests: usize,
}

type Answering = dyn Fn(&Seen) -> Answer + Send + Sync;

/// The server. It ends with the runtime of its test.
#[derive(Clone)]
pub struct Canned {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answering: Arc<Answering>,
    counts: watch::Sender<Counts>,
}

impl Canned {
    /// One on a port. A sandbox's creation and end need no answer of the test's.
    pub async fn on_port(answering: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self::new(url, answering);
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        server
    }

    /// The same on a unix socket.
    pub async fn on_socket(
        path: &str,
        answering: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let server = Self::new(format!("unix:{path}"), answering);
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        server
    }

    fn new(url: String, answering: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            url,
            seen: Arc::default(),
            answering: Arc::new(answering),
            counts: watch::Sender::new(Counts::default()),
        }
    }

    /// Options that name it.
    pub fn options(&self) -> SandboxOptions {
        SandboxOptions::default()
            .server_url(self.url.as_str())
            .name("x")
    }

    /// A sandbox of its that is started.
    pub async fn started(&self) -> PythonSandbox {
        let mut sandbox = PythonSandbox::create_with_options(self.options())
            .await
            .expect("options that can be");
        sandbox.start(None).await.expect("it answers");
        sandbox
    }

    /// All requests that came.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("the list").clone()
    }

    /// The last request.
    pub fn last(&self) -> Seen {
        self.seen().pop().unwrap_or_default()
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.counts.borrow().connections
    }

    /// Waits until clients have ended so many connections.
    pub async fn closed(&self, wanted: usize) {
        self.until(|counts| counts.closed >= wanted).await;
    }

    /// Waits until so many requests came.
    pub async fn asked(&self, wanted: usize) {
        self.until(|counts| counts.requests >= wanted).await;
    }

    async fn until(&self, condition: impl FnMut(&Counts) -> bool) {
        let mut counts = self.counts.subscribe();
        counts.wait_for(condition).await.expect("the server lives");
    }

    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        self.counts.send_modify(|counts| counts.connections += 1);
        while let Some(seen) = read_request(&mut stream).await {
            self.seen.lock().expect("the list").push(seen.clone());
            self.counts.send_modify(|counts| counts.requests += 1);
            let is_plain = seen.path.ends_with("/v1/sandboxes") || seen.path.ends_with("/stop");
            let answer = if is_plain {
                ok("{}")
            } else {
                (self.answering)(&seen)
            };
            if !give(&mut stream, answer).await {
                return;
            }
        }
        self.counts.send_modify(|counts| counts.closed += 1);
    }
}

/// Answers; false where the connection is to end by this side.
async fn give(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: Answer) -> bool {
    match answer {
        Answer::Whole(status, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
        Answer::Events(events, is_ended) => {
            let mut text =
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMsb-Run-Id: r1\r\n\r\n"
                    .to_owned();
            for event in events {
                text += &format!("{:x}\r\n{event}\r\n", event.len());
            }
            text += if is_ended { "0\r\n\r\n" } else { "" };
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Answer::Pieces(pieces) => {
            let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for piece in pieces {
                bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
                bytes.extend(piece);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            let _ = stream.write_all(&bytes).await;
        }
        Answer::Cut(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            return false;
        }
        Answer::Endless(begin, again) => {
            let mut written = stream.write_all(&begin).await;
            while written.is_ok() {
                written = stream.write_all(&again).await;
            }
        }
        Answer::Silence => {}
    }
    true
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let (line, head) = head.split_once("\r\n").unwrap_or_default();
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let head = head
        .lines()
        .map(|line| line.to_lowercase() + "\n")
        .collect::<String>();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&bytes[end..]).into_owned();
    Some(Seen {
        method,
        path,
        head,
        body,
    })
}
