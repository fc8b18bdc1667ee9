//! The crate as its users get it: packed, unpacked, and depended on by an empty project. The guide's Rust blocks, word for
//! word, and the documents' blocks, which print what stands under them.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use libtest_mimic::Trial;

use crate::support::blocks::{Block, blocks_of};
use crate::support::project::{Project, cargo, target};
use crate::support::server::TestServer;
use crate::support::web::Web;
use crate::support::{package, text, trial};

/// Starts the server where none is named: three sandboxes at once.
const UNNAMED: &str = r#"
use microsandbox::{BaseSandbox, PythonSandbox};

async fn start() -> String {
    let mut sandbox = PythonSandbox::create("").await.unwrap();
    match sandbox.start(None).await {
        Ok(()) => "started".to_owned(),
        Err(error) => format!("{} {}", error.code(), error.message().contains("no luck")),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (a, b, c) = tokio::join!(start(), start(), start());
    println!("{a}\n{b}\n{c}");
    std::process::exit(0);
}
"#;

/// Answers whatever it is asked with an empty object.
const LISTENING: &str = r#"
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

fn main() {
    std::fs::create_dir("/run/microsandbox").unwrap();
    let listener = UnixListener::bind("/run/microsandbox/new.sock").unwrap();
    // Where it is looked for only once it listens.
    std::fs::rename("/run/microsandbox/new.sock", "/run/microsandbox/msb.sock").unwrap();
    for stream in listener.incoming() {
        std::thread::spawn(|| {
            let mut stream = stream.unwrap();
            while matches!(stream.read(&mut [0; 65536]), Ok(1..)) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
            }
        });
    }
}
"#;

/// What all programs share; made when the first one asks, ended with the last test.
struct Stage {
    server: TestServer,
    project: Project,
    web: Web,
}

type Shared = Arc<LazyLock<Stage>>;

impl Stage {
    fn new() -> Self {
        let crate_folder = packed();
        let dependencies = format!(
            "futures-util = {{ version = \"0.3\", default-features = false }}\n\
            microsandbox = {{ path = \"{}\" }}\n\
            tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}",
            crate_folder.display()
        );
        let lock = crate_folder.join("Cargo.lock");
        let project = Project::compile("packaged", &dependencies, &Pages::read().programs(), &lock);
        let web = Web::new();
        let site = web.slide_show();
        let settings = [
            format!("name-map=httpbin.org=127.0.0.1:{site}"),
            format!("ca-file={}", web.authority().display()),
        ];
        let server = TestServer::start(true, &settings);
        Self {
            server,
            project,
            web,
        }
    }

    /// Runs a program against the server.
    fn printed(&self, program: &str) -> String {
        self.project
            .printed(program, &[("MSB_SERVER_URL", self.server.url.clone())])
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.stop();
    }
}

/// Makes the package, which compiles it alone, and gives the folder where it is unpacked.
fn packed() -> PathBuf {
    let done = cargo()
        .args(["package", "--quiet", "--allow-dirty", "--locked"])
        .current_dir(package())
        .output()
        .expect("cargo runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let folder = target().join("package/unpacked");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let name = concat!("microsandbox-", env!("CARGO_PKG_VERSION"));
    let archive = target().join(format!("package/{name}.crate"));
    let done = Command::new("tar")
        .arg("xzf")
        .arg(archive)
        .current_dir(&folder)
        .status()
        .expect("tar runs");
    assert!(done.success());
    folder.join(name)
}

struct Pages {
    guide: Vec<Block>,
    /// Blocks with what they print.
    documents: Vec<(Block, String)>,
}

impl Pages {
    fn read() -> Self {
        let rust = |block: &Block| block.language == "rust";
        let guide = blocks_of(&text("docs/guide/sandboxes.md"))
            .into_iter()
            .filter(rust)
            .collect();
        let page: Vec<Block> = blocks_of(&text("docs/rust.md"))
            .into_iter()
            .filter(|block| block.language != "toml")
            .collect();
        let mut documents: Vec<(Block, String)> = page
            .chunks(2)
            .map(|pair| {
                let [program, printed] = pair else {
                    panic!("docs/rust.md ends with a program that has no output")
                };
                assert_eq!(
                    (program.language.as_str(), printed.language.as_str()),
                    ("rust", "text"),
                    "{program:?}"
                );
                (program.clone(), printed.source.clone())
            })
            .collect();
        let readme = blocks_of(&text("sdk/rust/README.md"))
            .into_iter()
            .find(rust)
            .expect("a block");
        documents.push((
            Block {
                heading: "README".to_owned(),
                ..readme
            },
            "Hello from Python!\n".to_owned(),
        ));
        Self { guide, documents }
    }

    /// All programs, each with its name.
    fn programs(&self) -> Vec<(String, String)> {
        let guide = self
            .guide
            .iter()
            .enumerate()
            .map(|(at, block)| (format!("guide-{at}"), block.source.clone()));
        let documents = self.documents.iter().enumerate();
        let documents =
            documents.map(|(at, (block, _))| (format!("document-{at}"), completed(&block.source)));
        let own = [("unnamed", UNNAMED), ("listening", LISTENING)]
            .map(|(name, source)| (name.into(), source.into()));
        guide.chain(documents).chain(own).collect()
    }
}

/// A piece of a program with a sandbox around it; a whole program as it is.
fn completed(source: &str) -> String {
    if source.contains("fn main") {
        return source.to_owned();
    }
    let (uses, body): (Vec<&str>, Vec<&str>) =
        source.lines().partition(|line| line.starts_with("use "));
    format!(
        "#![allow(unused_imports)]\nuse microsandbox::{{BaseSandbox, PythonSandbox, SandboxError}};\n{}\n\
        #[tokio::main]\nasync fn main() -> Result<(), SandboxError> {{\n\
        let mut sandbox = PythonSandbox::create(\"\").await?;\nsandbox.start(None).await?;\n{}\nsandbox.stop().await\n}}\n",
        uses.join("\n"),
        body.join("\n"),
    )
}

pub fn trials() -> Vec<Trial> {
    let stage: Shared = Arc::new(LazyLock::new(Stage::new));
    let test = |name: &str, body: fn(&Stage)| {
        let stage = stage.clone();
        trial(name, move || body(&stage))
    };
    let mut trials = vec![
        test("package: it compiles alone, and so do all programs", |_| {}),
        test(
            "package: it holds the sources and nothing else",
            the_package_holds_the_sources,
        ),
        test(
            "server: a program goes over https, to a server whose authority it knows",
            https_needs_a_known_authority,
        ),
        test(
            "local: the server is started where none is named, once for all",
            a_local_server_is_started_once,
        ),
        test(
            "local: what keeps the server from starting is said",
            what_keeps_a_server_from_starting_is_said,
        ),
        trial("guide::is_two_programs", || {
            let headings: Vec<String> = Pages::read()
                .guide
                .into_iter()
                .map(|block| block.heading)
                .collect();
            assert_eq!(headings, ["PythonSandbox", "NodeSandbox"]);
        }),
        test("guide::python_sandbox", |stage| {
            let before = stage.web.questions();
            assert_eq!(stage.printed("guide-0"), "Hello from Python!\n200\n");
            assert!(
                stage.web.questions() > before,
                "the sandbox has asked the site"
            );
        }),
        test("guide::node_sandbox", |stage| {
            let printed = stage.printed("guide-1");
            let lines: Vec<&str> = printed.lines().collect();
            let expected = [
                "Output: Hello from Node.js!",
                "File content: Hello from Node.js!",
                "Platform: linux",
            ];
            assert_eq!(lines[..3], expected);
            assert!(
                lines.len() == 4 && lines[3].starts_with("Node.js version: v"),
                "{printed}"
            );
        }),
    ];
    for (at, (block, printed)) in Pages::read().documents.into_iter().enumerate() {
        let stage = stage.clone();
        let name = format!("documents: {}, block {}", block.heading, at + 1);
        trials.push(trial(name, move || {
            assert_eq!(stage.printed(&format!("document-{at}")), printed)
        }));
    }
    trials
}

fn the_package_holds_the_sources(_: &Stage) {
    let listed = cargo()
        .args(["package", "--list", "--allow-dirty"])
        .current_dir(package())
        .output()
        .expect("cargo");
    let listed = String::from_utf8(listed.stdout).expect("text");
    let known = [
        "Cargo.lock",
        "Cargo.toml",
        "Cargo.toml.orig",
        "README.md",
        ".cargo_vcs_info.json",
    ];
    for path in listed.lines() {
        assert!(path.starts_with("src/") || known.contains(&path), "{path}");
    }
    assert!(listed.contains("src/lib.rs"), "{listed}");
}

fn https_needs_a_known_authority(stage: &Stage) {
    let front = stage
        .web
        .front_of(stage.server.url.trim_start_matches("http://").to_owned());
    let authority = stage.web.authority().display().to_string();
    let named = |authority| {
        [
            ("MSB_SERVER_URL", format!("https://localhost:{front}")),
            ("SSL_CERT_FILE", authority),
        ]
    };
    assert_eq!(
        stage.project.printed("document-0", &named(authority)),
        "Hello from Python!\n"
    );
    let refused = stage.project.run(
        "document-0",
        &named("/etc/ssl/certs/ca-certificates.crt".to_owned()),
    );
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("certificate"),
        "{said}"
    );
}

/// Runs the program that names no server with an `msb` of the test's, and gives what it printed and how `msb` was called.
fn unnamed(stage: &Stage, msb: &str) -> (String, String) {
    let tools = tempfile::Builder::new()
        .prefix("msb-")
        .tempdir_in("/tmp")
        .expect("a folder");
    let path = tools.path().join("msb");
    let calls = tools.path().join("calls");
    std::fs::write(
        &path,
        format!("#!/bin/sh\necho \"$@\" >> {}\n{msb}\n", calls.display()),
    )
    .expect("a file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a program");
    // Network and /run of its own, so that no server of this machine answers; what is left running ends with it.
    let inside = format!(
        "mount -t tmpfs none /run && {}",
        stage.project.program("unnamed").display()
    );
    let done = Command::new("unshare")
        .args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            &inside,
        ])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("MSB_PATH", &path)
        .output()
        .expect("unshare runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let printed = String::from_utf8(done.stdout).expect("text");
    (
        printed,
        std::fs::read_to_string(calls).expect("msb was called"),
    )
}

fn a_local_server_is_started_once(stage: &Stage) {
    let listening = stage.project.program("listening");
    let wait = "until [ -S /run/microsandbox/msb.sock ]; do sleep 0.05; done";
    let (printed, calls) = unnamed(
        stage,
        &format!("{} >/dev/null 2>&1 &\n{wait}", listening.display()),
    );
    assert_eq!(printed, "started\n".repeat(3));
    assert_eq!(calls, "server start\n");
}

fn what_keeps_a_server_from_starting_is_said(stage: &Stage) {
    let (printed, calls) = unnamed(stage, "sleep 0.2; echo 'no luck' >&2; exit 3");
    assert_eq!(printed, "server_unreachable true\n".repeat(3));
    assert_eq!(calls, "server start\n");
}
