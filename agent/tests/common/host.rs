//! The host of a test: starting and greeting an agent, and speaking to it.

use super::*;

pub struct Host {
    pub folder: Folder,
    pub listener: UnixListener,
    pub agent: Child,
    pub socket: UnixStream,
    pub hello: Hello,
    pub decoder: Decoder,
    /// Frames that were read and not asked for yet.
    pub pending: VecDeque<(Header, Vec<u8>)>,
    pub unasked: Vec<AgentControl>,
    next_stream: u32,
    next_request: u64,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

impl Host {
    pub fn start() -> Host {
        Self::start_with(&[])
    }

    /// Starts an agent with additions to its environment and greets it.
    pub fn start_with(environment: &[(&str, &str)]) -> Host {
        Self::launch(environment, false)
    }

    /// Starts an agent that writes the system's files below the test's own folder, in `root`.
    pub fn start_in_root() -> Host {
        Self::launch(&[], true)
    }

    /// Starts an agent as PID 1 of namespaces of its own, with a copy of /etc and an empty /home.
    pub fn start_as_pid_one() -> Host {
        let folder = Folder::new();
        let path = folder.0.join("agent.sock");
        let listener = UnixListener::bind(&path).unwrap();
        // Other users dial nothing, but the agent's path must be theirs to pass.
        let script = "set -e; work=$1; shift; mkdir $work/etc; mount -t tmpfs none $work/etc; cp -a /etc/. $work/etc 2>/dev/null || true; \
             mount --bind $work/etc /etc; mount -t tmpfs none /home; mkdir /home/sandbox; chown 1000:1000 /home/sandbox; \
             sed -i '/^sandbox:/d' /etc/passwd /etc/group; echo 'sandbox:x:1000:1000::/home/sandbox:/bin/sh' >> /etc/passwd; \
             sed -i 's/^video:.*/video:x:44:sandbox/' /etc/group; exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args([
            "-m",
            "-u",
            "-n",
            "-p",
            "-f",
            "--mount-proc",
            "--kill-child",
            "sh",
            "-c",
            script,
            "sh",
        ]);
        command.arg(&folder.0).arg(env!("CARGO_BIN_EXE_agent"));
        command
            .env("MSB_SANDBOX_ID", "test")
            .env("MSB_CHANNEL", &path)
            .stdin(Stdio::null());
        Self::greeted(folder, listener, command)
    }

    /// Starts an agent in a network namespace of its own, whose outbound connections it captures. None, and said so,
    /// where this user may not make one.
    pub fn start_captured(test: &str) -> Option<Host> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED {test}: needs root for a network namespace and a TUN device");
            return None;
        }
        let folder = Folder::new();
        let path = folder.0.join("agent.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let mut command = Command::new("unshare");
        command.args([
            "--net",
            env!("CARGO_BIN_EXE_agent"),
            "--tun",
            "/dev/net/tun",
            "--socket",
        ]);
        command.arg(&path).stdin(Stdio::null());
        Some(Self::greeted(folder, listener, command))
    }

    fn launch(environment: &[(&str, &str)], root: bool) -> Host {
        let folder = Folder::new();
        let path = folder.0.join("agent.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command
            .arg("--socket")
            .arg(&path)
            .env("MSB_SANDBOX_ID", "test");
        command
            .env("MSB_SECRET", "hidden")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command.envs(environment.iter().copied());
        if root {
            std::fs::create_dir(folder.0.join("root")).unwrap();
            command.arg("--system-root").arg(folder.0.join("root"));
        }
        for name in [
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "PIP_CERT",
            "NODE_EXTRA_CA_CERTS",
        ] {
            command.env_remove(name);
        }
        Self::greeted(folder, listener, command)
    }

    fn greeted(folder: Folder, listener: UnixListener, mut command: Command) -> Host {
        let agent = command.spawn().unwrap();
        let (socket, hello, decoder) = greet(accept(&listener), b"");
        let mut host = Host {
            folder,
            listener,
            agent,
            socket,
            hello,
            decoder,
            pending: VecDeque::new(),
            unasked: Vec::new(),
            next_stream: 1,
            next_request: 1,
        };
        host.welcome();
        host
    }

    pub fn path(&self) -> &Path {
        &self.folder.0
    }

    pub fn welcome(&mut self) {
        self.control(
            0,
            host_control::Body::Welcome(Welcome {
                version: 1,
                unix_nanos: 0,
            }),
        );
    }

    /// Drops the connection and takes the agent's next one.
    pub fn reconnect(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        self.accept_again();
    }

    /// Takes the connection that the agent dials after the last has ended.
    pub fn accept_again(&mut self) {
        let (socket, hello, decoder) = greet(accept(&self.listener), b"");
        self.socket = socket;
        self.hello = hello;
        self.decoder = decoder;
        self.pending.clear();
        self.next_stream = 1;
        self.welcome();
    }

    pub fn send(&mut self, stream: u32, kind: FrameType, lane: u8, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, stream, kind, lane, payload);
        self.socket.write_all(&bytes).unwrap();
    }

    pub fn control(&mut self, id: u64, body: host_control::Body) {
        let message = HostControl {
            id,
            body: Some(body),
        };
        self.send(0, FrameType::Control, 0, &message.encode_to_vec());
    }

    /// Sends a request and waits for its answer; frames of streams are kept for later.
    pub fn request(&mut self, body: host_control::Body) -> agent_control::Body {
        let id = self.next_request;
        self.next_request += 1;
        self.control(id, body);
        let mut kept = VecDeque::new();
        let end = Instant::now() + PATIENCE;
        let answer = loop {
            let (header, payload) = self.next_frame(end).expect("an answer in time");
            if header.kind != FrameType::Control {
                kept.push_back((header, payload));
                continue;
            }
            let message = AgentControl::decode(payload.as_slice()).unwrap();
            if message.id == id {
                break message.body.unwrap();
            }
            self.unasked.push(message);
        };
        kept.extend(std::mem::take(&mut self.pending));
        self.pending = kept;
        answer
    }

    pub fn open_with(&mut self, target: host_open::Target, window: u32) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        let open = HostOpen {
            window,
            target: Some(target),
        };
        self.send(stream, FrameType::Open, 0, &open.encode_to_vec());
        stream
    }

    pub fn open(&mut self, target: host_open::Target) -> u32 {
        self.open_with(target, WINDOW)
    }

    pub fn open_cell(&mut self, context: &str, code: &str) -> (u32, Vec<u8>) {
        let cell = cell(context, code);
        let id = cell.object_id.clone();
        (self.open(host_open::Target::RunCell(cell)), id)
    }

    /// Runs a cell to its end.
    pub fn run(&mut self, context: &str, code: &str) -> Run {
        let (stream, _) = self.open_cell(context, code);
        self.collect(stream)
    }

    pub fn exec(&mut self, process: StartProcess) -> Run {
        let stream = self.open(host_open::Target::StartProcess(process));
        self.collect(stream)
    }

    pub fn attach(&mut self, object_id: &[u8], offset: u64) -> u32 {
        let object_id = object_id.to_vec();
        self.open(host_open::Target::Attach(Attach { object_id, offset }))
    }

    pub fn interrupt(&mut self, object_id: &[u8], reason: InterruptReason) {
        let interrupt = Interrupt {
            object_id: object_id.to_vec(),
            grace_ms: 0,
            reason: reason.into(),
        };
        let answer = self.request(host_control::Body::Interrupt(interrupt));
        assert!(matches!(answer, agent_control::Body::Done(_)), "{answer:?}");
    }

    pub fn credit(&mut self, stream: u32, bytes: u32) {
        self.send(
            stream,
            FrameType::Credit,
            0,
            &Credit { bytes }.encode_to_vec(),
        );
    }
}

pub fn accept(listener: &UnixListener) -> UnixStream {
    listener.set_nonblocking(true).unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((socket, _)) => {
                socket.set_nonblocking(false).unwrap();
                return socket;
            }
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => panic!("the agent did not dial: {error}"),
        }
    }
}

/// The host's part of the greeting, after some garbage; gives the agent's hello.
pub fn greet(mut socket: UnixStream, garbage: &[u8]) -> (UnixStream, Hello, Decoder) {
    let mut greeting = b"MSBCHAN1".to_vec();
    greeting.extend_from_slice(&[9; 16]);
    socket.write_all(garbage).unwrap();
    socket.write_all(&greeting).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = [0; 24];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(answer.as_slice(), greeting);
    let mut decoder = Decoder::default();
    let hello = loop {
        if let Some((header, payload)) = decoder.next_frame().unwrap() {
            assert_eq!((header.stream, header.kind), (0, FrameType::Control));
            match AgentControl::decode(payload.as_slice()).unwrap().body {
                Some(agent_control::Body::Hello(hello)) => break hello,
                other => panic!("the first frame was {other:?}"),
            }
        }
        let mut buffer = [0; 4096];
        let length = socket.read(&mut buffer).unwrap();
        assert_ne!(length, 0);
        decoder.push(&buffer[..length]);
    };
    (socket, hello, decoder)
}
