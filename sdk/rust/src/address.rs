//! Where a server listens.

use std::fmt;
use std::path::PathBuf;

use hyper::Uri;

use crate::error::SandboxError;

pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:5555";
pub(crate) const DEFAULT_SOCKET: &str = "/run/microsandbox/msb.sock";

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) endpoint: Endpoint,
    /// What goes before every path, empty where the server is not below one.
    pub(crate) prefix: String,
}

/// What is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A unix socket. Who may open it needs no key.
    Unix(PathBuf),
    /// A host without the brackets of an IPv6 address, and a port.
    Tcp {
        host: String,
        port: u16,
        is_tls: bool,
    },
}

impl Address {
    /// The address of a unix socket.
    pub(crate) fn of_socket(path: impl Into<PathBuf>) -> Self {
        Self {
            endpoint: Endpoint::Unix(path.into()),
            prefix: String::new(),
        }
    }

    /// Reads `http://host:port`, `https://host` or `unix:/path`.
    pub(crate) fn parse(text: &str) -> Result<Self, SandboxError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::of_socket(format!(
                "/{}",
                path.trim_start_matches('/')
            )));
        }
        Self::of_url(text).ok_or_else(|| {
            SandboxError::invalid(
                "server_url",
                format!("not a server's address: '{text}'; write http://host:port or unix:/path"),
            )
        })
    }

    fn of_url(text: &str) -> Option<Self> {
        let url: Uri = text.parse().ok()?;
        let is_tls = match url.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = url.authority()?;
        if authority.as_str().contains('@') || url.query().is_some() {
            return None;
        }
        let (host, port) = authority.as_str().split_at(authority.host().len());
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if is_tls => 443,
            None => 80,
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        Some(Self {
            endpoint: Endpoint::Tcp { host, port, is_tls },
            prefix: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Scheme and authority of this address as requests have them.
    pub(crate) fn origin(&self) -> String {
        match &self.endpoint {
            Endpoint::Unix(_) => "http://localhost".to_owned(),
            Endpoint::Tcp { host, port, is_tls } => {
                let scheme = if *is_tls { "https" } else { "http" };
                if host.contains(':') {
                    format!("{scheme}://[{host}]:{port}")
                } else {
                    format!("{scheme}://{host}:{port}")
                }
            }
        }
    }
}

/// For people: its URL, or the path of its socket.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Unix(path) => write!(f, "{}", path.display()),
            Endpoint::Tcp { .. } => write!(f, "{}{}", self.origin(), self.prefix),
        }
    }
}

/// What somebody named: the option, then the environment's; none where nobody did.
pub(crate) fn named(option: Option<String>, environment: Option<String>) -> Option<String> {
    // A key read from a file ends with a line's end, which a header cannot hold.
    [option, environment]
        .into_iter()
        .flatten()
        .map(|value| value.trim().to_owned())
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16, is_tls: bool) -> Endpoint {
        Endpoint::Tcp {
            host: host.to_owned(),
            port,
            is_tls,
        }
    }

    #[test]
    fn addresses_are_urls_or_paths_of_sockets() {
        let endpoint = |text| Address::parse(text).unwrap().endpoint;
        assert_eq!(endpoint("http://there:1/"), tcp("there", 1, false));
        assert_eq!(endpoint("https://there"), tcp("there", 443, true));
        assert_eq!(endpoint("http://[::1]:5555"), tcp("::1", 5555, false));
        let below = Address::parse("https://there/below/").unwrap();
        assert_eq!(below.prefix, "/below");
        assert_eq!(below.to_string(), "https://there:443/below");
        for text in ["unix:/run/x.sock", "unix:///run/x.sock"] {
            assert_eq!(endpoint(text), Endpoint::Unix("/run/x.sock".into()));
        }
    }

    #[test]
    fn addresses_of_other_kinds_are_refused() {
        for text in [
            "localhost:5555",
            "ftp://there",
            "there",
            "",
            "http://",
            "http://a:99999",
            "http://key@there",
            "http://there?a=b",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.code(), "invalid_request", "{text}");
            assert!(error.message().contains("http://host:port"), "{text}");
        }
    }

    #[test]
    fn the_option_goes_before_the_environment() {
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(named(text("a"), text("b")), text("a"));
        assert_eq!(named(None, text("b\n")), text("b"));
        assert_eq!(named(text(" "), None), None);
    }
}
