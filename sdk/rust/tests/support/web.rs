//! TLS servers of this machine: the site that the guide asks, and a front for a microsandbox server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// TLS servers with certificates of an authority of their own, for `httpbin.org` and `localhost`.
pub struct Web {
    folder: TempDir,
    runtime: Runtime,
    acceptor: TlsAcceptor,
    questions: Arc<AtomicUsize>,
}

impl Web {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("msb-")
            .tempdir_in("/tmp")
            .expect("a folder");
        make_certificates(folder.path());
        let chain = vec![
            CertificateDer::from_pem_file(folder.path().join("site.pem")).expect("a certificate"),
        ];
        let key = PrivateKeyDer::from_pem_file(folder.path().join("site.key")).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a pair");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        Self {
            folder,
            runtime: runtime.expect("a runtime"),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            questions: Arc::default(),
        }
    }

    /// Path of the authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// How often the site was asked.
    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }

    /// Serves what the guide asks for, and gives the port.
    pub fn slide_show(&self) -> u16 {
        let questions = self.questions.clone();
        self.serve(move |stream| answer(stream, questions.clone()))
    }

    /// Serves what a server at an address serves, and gives the port.
    pub fn front_of(&self, address: String) -> u16 {
        self.serve(move |mut stream| {
            let address = address.clone();
            async move {
                if let Ok(mut server) = TcpStream::connect(address).await {
                    let _ = copy_bidirectional(&mut stream, &mut server).await;
                }
            }
        })
    }

    fn serve<F: Future<Output = ()> + Send + 'static>(
        &self,
        serving: impl Fn(TlsStream<TcpStream>) -> F + Clone + Send + 'static,
    ) -> u16 {
        let listener = self
            .runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let acceptor = self.acceptor.clone();
        self.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, serving) = (acceptor.clone(), serving.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serving(stream).await;
                    }
                });
            }
        });
        port
    }
}

async fn answer(mut stream: TlsStream<TcpStream>, questions: Arc<AtomicUsize>) {
    let mut asked = Vec::new();
    while !asked.windows(4).any(|four| four == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut asked).await, Ok(1..)) {
            return;
        }
    }
    questions.fetch_add(1, Ordering::Relaxed);
    let status = if asked.starts_with(b"GET /json ") {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = r#"{"slideshow": {"title": "Sample"}}"#;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    let _ = stream
        .write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes())
        .await;
    let _ = stream.shutdown().await;
}

/// With all the extensions that Python's strict verification asks for.
fn make_certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let done = Command::new("openssl")
            .args(arguments.split('|'))
            .current_dir(folder)
            .output()
            .expect("openssl");
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    let new_key = "-newkey|ec|-pkeyopt|ec_paramgen_curve:P-256|-nodes";
    let authority = "-subj|/CN=Test authority|-addext|keyUsage=critical,keyCertSign,cRLSign";
    openssl(&format!(
        "req|-x509|{new_key}|-keyout|ca.key|-out|ca.pem|-days|2|{authority}"
    ));
    openssl(&format!(
        "req|{new_key}|-keyout|site.key|-out|site.csr|-subj|/CN=httpbin.org"
    ));
    let names = "subjectAltName=DNS:httpbin.org,DNS:localhost";
    let extensions =
        format!("{names}\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n");
    std::fs::write(folder.join("site.ext"), extensions).expect("a file");
    openssl(
        "x509|-req|-in|site.csr|-out|site.pem|-CA|ca.pem|-CAkey|ca.key|-CAcreateserial|-days|2|-extfile|site.ext",
    );
}
