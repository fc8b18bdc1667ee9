//! Real servers: a home of its own, a free port, the `msb` of this checkout.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use microsandbox::SandboxOptions;
use tempfile::TempDir;

use super::root;

/// A running server of the tests'.
pub struct TestServer {
    pub url: String,
    home: Mutex<Option<TempDir>>,
    path: PathBuf,
}

static SHARED: OnceLock<TestServer> = OnceLock::new();

/// One for all tests that only need one, in development mode. It is ended by [`end_shared`].
pub fn shared() -> &'static TestServer {
    SHARED.get_or_init(|| TestServer::start(true, &[]))
}

/// Ends the shared server, where some test wanted it.
pub fn end_shared() {
    if let Some(server) = SHARED.get() {
        server.stop();
    }
}

impl TestServer {
    /// Starts one that shares the machine's images.
    pub fn start(is_dev: bool, settings: &[String]) -> Self {
        let home = tempfile::Builder::new()
            .prefix("msb-")
            .tempdir_in("/tmp")
            .expect("a home");
        let everything =
            std::env::var("MICROSANDBOX_HOME").unwrap_or("/var/lib/microsandbox".into());
        symlink(
            Path::new(&everything).join("images"),
            home.path().join("images"),
        )
        .expect("a link to the images");
        let port = free_port();
        let path = home.path().to_owned();
        let url = format!("http://127.0.0.1:{port}");
        let server = Self {
            url,
            home: Mutex::new(Some(home)),
            path,
        };
        let mut arguments = vec![
            "server".to_owned(),
            "start".to_owned(),
            "--port".to_owned(),
            port.to_string(),
        ];
        arguments.extend(is_dev.then(|| "--dev".to_owned()));
        // What is kept ready for others is work that no test here is about.
        arguments.push("--set=pool=off".to_owned());
        arguments.push(format!("--set=socket={}", server.socket().display()));
        arguments.extend(settings.iter().map(|setting| format!("--set={setting}")));
        server.msb(&arguments);
        server
    }

    /// Where it listens on this machine.
    pub fn socket(&self) -> PathBuf {
        self.path.join("msb.sock")
    }

    /// Options that name it.
    pub fn options(&self) -> SandboxOptions {
        SandboxOptions::default().server_url(self.url.as_str())
    }

    /// Runs `msb` against it and gives what it printed.
    pub fn msb(&self, arguments: &[impl AsRef<str>]) -> String {
        let done = self.done(arguments);
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).expect("text")
    }

    fn done(&self, arguments: &[impl AsRef<str>]) -> Output {
        Command::new(root().join("msb"))
            .args(arguments.iter().map(AsRef::as_ref))
            .env(
                "MSB_SERVER_URL",
                format!("unix:{}", self.socket().display()),
            )
            .env("MICROSANDBOX_HOME", &self.path)
            .stdin(Stdio::null())
            .output()
            .expect("msb runs")
    }

    /// Ends it and removes its home. Its sandboxes were ephemeral, so it must leave none.
    pub fn stop(&self) {
        let left = self.end();
        assert_eq!(
            left, 0,
            "a stopped server left sandboxes of the ephemeral kind"
        );
    }

    /// Ends it and removes its home, and says how many sandboxes were stored there.
    pub fn end(&self) -> usize {
        let Some(home) = self.home.lock().expect("the home").take() else {
            return 0;
        };
        self.msb(&["server", "stop"]);
        let left = std::fs::read_dir(self.path.join("sandboxes")).map_or(0, Iterator::count);
        home.close().expect("the home is removed");
        left
    }
}

/// Ends it where a test failed before it did, or at its start.
impl Drop for TestServer {
    fn drop(&mut self) {
        let home = self
            .home
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if home.is_some() {
            self.done(&["server", "stop"]);
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
