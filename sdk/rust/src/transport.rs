//! Calls to one server: kept connections, limits of time and size, errors by their code.

use std::error::Error;
use std::fmt::Write;
use std::future::Future;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::address::Address;
use crate::connect::Connector;
use crate::error::SandboxError;
use crate::events::RunEvents;
use crate::local::local_server;

const IDLE_LIMIT: Duration = Duration::from_secs(30);
const MAXIMUM_HEAD: usize = 64 * 1024;
/// Both outputs at their largest, 16 MiB, with each byte written as an escape of six, and some room.
const MAXIMUM_ANSWER: usize = 256 * 1024 * 1024;

/// Of a file, what is made room for before it comes.
const MAXIMUM_PLACE: usize = 1 << 30;

/// One request, as it stands on the wire (`spec/openapi.yaml`).
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content: Option<Content>,
    /// How long to wait for the answer, or of a stream for its head; none for no limit.
    pub(crate) limit: Option<Duration>,
}

/// What a request carries.
pub(crate) struct Content {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Bytes,
}

/// Calls to one server.
pub(crate) struct Transport {
    named: Option<Address>,
    key: Option<HeaderValue>,
    link: OnceCell<Link>,
    maximum_answer: usize,
}

/// The server, once it is known where it is, and the connections to it.
struct Link {
    address: Address,
    client: Client<Connector, Full<Bytes>>,
}

impl Transport {
    /// For the server at a URL, or where none is given for the local one, which is started if need be.
    pub(crate) fn new(server_url: Option<&str>, key: Option<&str>) -> Result<Self, SandboxError> {
        let named = server_url.map(Address::parse).transpose()?;
        let key = key.map(bearer).transpose()?;
        Ok(Self::to(named, key))
    }

    fn to(named: Option<Address>, key: Option<HeaderValue>) -> Self {
        Self {
            named,
            key,
            link: OnceCell::new(),
            maximum_answer: MAXIMUM_ANSWER,
        }
    }

    /// The same server, with connections that do not depend on the runtime of this one's.
    pub(crate) fn apart(&self) -> Self {
        let known = self.link.get().map(|link| link.address.clone());
        Self::to(known.or_else(|| self.named.clone()), self.key.clone())
    }

    /// Makes a call and reads its answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, SandboxError> {
        parsed(&self.bytes(call).await?)
    }

    /// Makes a call and gives its answer's body.
    pub(crate) async fn bytes(&self, call: Call) -> Result<Bytes, SandboxError> {
        let link = self.link().await?;
        link.within(call.limit, async {
            let response = link
                .send(call, self.key.as_ref(), "application/json")
                .await?;
            let status = response.status();
            let body = link.body(response, self.maximum_answer).await?;
            if status.as_u16() >= 300 {
                return Err(SandboxError::from_answer(&body, status.as_u16()));
            }
            Ok(body)
        })
        .await
    }

    /// Makes a call that is answered by a file: of any size, each part of it within the time limit.
    pub(crate) async fn file(&self, call: Call) -> Result<Vec<u8>, SandboxError> {
        let link = self.link().await?;
        let limit = call.limit;
        let response = link
            .within(
                limit,
                link.send(call, self.key.as_ref(), "application/json"),
            )
            .await?;
        let status = response.status();
        if status.as_u16() >= 300 {
            let body = link
                .within(limit, link.body(response, self.maximum_answer))
                .await?;
            return Err(SandboxError::from_answer(&body, status.as_u16()));
        }
        let mut body = response.into_body();
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(0);
        let mut content = Vec::with_capacity(announced.min(MAXIMUM_PLACE));
        while let Some(frame) = link.within(limit, async { Ok(body.frame().await) }).await? {
            let frame = frame.map_err(|error| lost(&link.address, Box::new(error)))?;
            if let Some(part) = frame.data_ref() {
                content.extend_from_slice(part);
            }
        }
        Ok(content)
    }

    /// Makes a call that is answered by events. Dropping them closes the connection.
    pub(crate) async fn events(&self, call: Call) -> Result<RunEvents, SandboxError> {
        let link = self.link().await?;
        link.within(call.limit, async {
            let response = link
                .send(call, self.key.as_ref(), "text/event-stream")
                .await?;
            let status = response.status();
            if status.as_u16() >= 300 {
                let body = link.body(response, self.maximum_answer).await?;
                return Err(SandboxError::from_answer(&body, status.as_u16()));
            }
            Ok(RunEvents::new(response, link.address.to_string()))
        })
        .await
    }

    async fn link(&self) -> Result<&Link, SandboxError> {
        self.link
            .get_or_try_init(|| async {
                Ok(Link::to(match &self.named {
                    Some(address) => address.clone(),
                    None => local_server().await?,
                }))
            })
            .await
    }
}

impl Link {
    fn to(address: Address) -> Self {
        let endpoint = address.endpoint.clone();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .http1_max_buf_size(MAXIMUM_HEAD)
            .build(Connector { endpoint });
        Self { address, client }
    }

    /// Sends the request and waits for the response's head. A request is never sent twice: it may have had its effect.
    async fn send(
        &self,
        call: Call,
        key: Option<&HeaderValue>,
        accept: &str,
    ) -> Result<Response<Incoming>, SandboxError> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!(
                "{}{}{}",
                self.address.origin(),
                self.address.prefix,
                call.path
            ))
            .header(ACCEPT, accept)
            .header(
                USER_AGENT,
                concat!("microsandbox-rust/", env!("CARGO_PKG_VERSION")),
            );
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, key);
        }
        let content = call.content.map(|Content { kind, bytes }| {
            request
                .headers_mut()
                .map(|headers| headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind)));
            bytes
        });
        let request = request
            .body(Full::new(content.unwrap_or_default()))
            .map_err(|error| SandboxError::invalid("server_url", error.to_string()))?;
        self.client
            .request(request)
            .await
            .map_err(|error| lost(&self.address, Box::new(error)))
    }

    async fn body(
        &self,
        response: Response<Incoming>,
        maximum: usize,
    ) -> Result<Bytes, SandboxError> {
        match Limited::new(response.into_body(), maximum).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(SandboxError::internal(format!(
                "the server sent an answer of more than {maximum} bytes"
            ))),
            Err(error) => Err(lost(&self.address, error)),
        }
    }

    async fn within<T>(
        &self,
        limit: Option<Duration>,
        doing: impl Future<Output = Result<T, SandboxError>>,
    ) -> Result<T, SandboxError> {
        let Some(limit) = limit else {
            return doing.await;
        };
        timeout(limit, doing).await.unwrap_or_else(|_| {
            let why = format!("nothing within {} s", limit.as_secs_f64());
            Err(lost(&self.address, why.into()))
        })
    }
}

/// The error for a connection that is of no more use.
pub(crate) fn lost(place: &impl ToString, cause: Box<dyn Error + Send + Sync>) -> SandboxError {
    let mut why = cause.to_string();
    let mut deeper = cause.source();
    while let Some(error) = deeper {
        let _ = write!(why, ": {error}");
        deeper = error.source();
    }
    let place = place.to_string();
    let message =
        format!("no answer from the server at {place}: {why}; start one with: msb server start");
    SandboxError::unreachable(message, Some(cause))
}

/// Reads what the server sent.
pub(crate) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, SandboxError> {
    serde_json::from_slice(body).map_err(|error| {
        let begin: String = String::from_utf8_lossy(body).chars().take(60).collect();
        SandboxError::internal(format!(
            "the server sent what this client cannot read: '{begin}' ({error}); is it a microsandbox server?"
        ))
    })
}

fn bearer(key: &str) -> Result<HeaderValue, SandboxError> {
    let mut value = HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| {
        SandboxError::invalid("api_key", "the API key has characters that no key has")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
