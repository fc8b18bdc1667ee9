//! Connections to a server: over a unix socket, TCP, or TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tower_service::Service;

use crate::address::Endpoint;

/// Opens connections to one address, whatever the request's URI says.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) endpoint: Endpoint,
}

/// A connection of whichever kind.
pub(crate) struct Wire(Box<dyn Bytes>);

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

impl Connector {
    /// Opens a connection.
    pub(crate) async fn connect(self) -> io::Result<Wire> {
        match self.endpoint {
            Endpoint::Unix(path) => Ok(Wire(Box::new(UnixStream::connect(path).await?))),
            Endpoint::Tcp { host, port, is_tls } => {
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                stream.set_nodelay(true)?;
                if is_tls {
                    encrypted(host, stream).await
                } else {
                    Ok(Wire(Box::new(stream)))
                }
            }
        }
    }
}

#[cfg(feature = "tls")]
async fn encrypted(host: String, stream: TcpStream) -> io::Result<Wire> {
    use std::sync::Arc;

    use tokio::sync::OnceCell;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    // Reading the machine's authorities takes milliseconds.
    static CONFIG: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();
    let config = CONFIG
        .get_or_try_init(|| async {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            // Named, since a program may have several and then has no default.
            let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?;
            let config = builder.with_root_certificates(roots).with_no_client_auth();
            Ok::<_, io::Error>(Arc::new(config))
        })
        .await?;
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let stream = TlsConnector::from(config.clone())
        .connect(name, stream)
        .await?;
    Ok(Wire(Box::new(stream)))
}

#[cfg(not(feature = "tls"))]
async fn encrypted(_host: String, _stream: TcpStream) -> io::Result<Wire> {
    Err(io::Error::other(
        "https needs the feature `tls` of the crate `microsandbox`",
    ))
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Wire>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connecting = self.clone().connect();
        Box::pin(async { Ok(TokioIo::new(connecting.await?)) })
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
