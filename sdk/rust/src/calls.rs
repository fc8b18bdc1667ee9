//! The requests about one sandbox.

use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;

use crate::error::SandboxError;
use crate::info::SandboxInfo;
use crate::options::{
    AttachOptions, Cell, CommandOptions, ContextOptions, Encoding, ListOptions, ReadOptions,
    SandboxOptions, WriteOptions,
};
use crate::transport::{Call, Content};
use crate::wire::{Fields, escaped};

const DEFAULT_NAMESPACE: &str = "default";
/// Time limit of a run for which none is given; the server's default.
const RUN_LIMIT: Duration = Duration::from_secs(300);
/// A call waits this much longer than the server's own limit for it.
const MARGIN: Duration = Duration::from_secs(30);
const CONTROL_LIMIT: Duration = Duration::from_secs(120);
/// Bytes a second at which a large body is still waited for.
const SLOWEST: u64 = 64 * 1024;

/// The requests about one sandbox.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Of one that was found: another of its name may have taken its place since.
    id: Option<String>,
}

/// Names and values behind the question mark of a path.
struct Query(Vec<(&'static str, String)>);

impl Query {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }

    fn after(self, path: String) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        if pairs.is_empty() {
            path
        } else {
            format!("{path}?{}", pairs.join("&"))
        }
    }
}

impl Calls {
    pub(crate) fn new(name: String, namespace: Option<String>) -> Self {
        let given = namespace.filter(|namespace| !namespace.is_empty());
        let namespace = given.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        Self {
            name,
            namespace,
            id: None,
        }
    }

    /// For one that exists.
    pub(crate) fn of(info: &SandboxInfo) -> Self {
        Self {
            name: info.name.clone(),
            namespace: info.namespace.clone(),
            id: Some(info.id.clone()),
        }
    }

    pub(crate) fn create(
        &self,
        wanted: &SandboxOptions,
        limit: Duration,
    ) -> Result<Call, SandboxError> {
        // JSON has no such number: it would be null, a missing limit.
        if let Some(cpus) = wanted.cpus.filter(|cpus| !cpus.is_finite()) {
            return Err(SandboxError::invalid(
                "cpus",
                format!("cpus is not a number: {cpus}"),
            ));
        }
        let fields = Fields::default()
            .with("name", Some(self.name.as_str()))
            .with("namespace", Some(self.namespace.as_str()))
            .with("image", wanted.image.as_deref())
            .with(
                "isolation",
                wanted.isolation.map(|isolation| isolation.text()),
            )
            .with("memory", wanted.memory)
            .with("cpus", wanted.cpus)
            .with("processes", wanted.processes)
            .with("disk", wanted.disk)
            .with_texts("env", wanted.env.as_ref())
            .with_texts("labels", wanted.labels.as_ref())
            .with("network", wanted.network.map(|network| network.text()))
            .with_seconds("time_to_live", wanted.time_to_live)
            .with_seconds("idle_timeout", wanted.idle_timeout)
            .with("ephemeral", wanted.ephemeral);
        Ok(post("/v1/sandboxes".to_owned(), fields, limited(limit)))
    }

    pub(crate) fn start(&self, limit: Duration) -> Call {
        post(self.path("/start"), Fields::default(), limited(limit))
    }

    pub(crate) fn stop(&self) -> Call {
        post(self.path("/stop"), Fields::default(), Some(CONTROL_LIMIT))
    }

    pub(crate) fn delete(&self) -> Call {
        bare(Method::DELETE, self.path(""))
    }

    pub(crate) fn info(&self) -> Call {
        bare(Method::GET, self.path(""))
    }

    pub(crate) fn extend(
        &self,
        time_to_live: Option<Duration>,
        idle_timeout: Option<Duration>,
    ) -> Call {
        let fields = Fields::default()
            .with_seconds("time_to_live", time_to_live)
            .with_seconds("idle_timeout", idle_timeout);
        Call {
            method: Method::PATCH,
            ..post(self.path(""), fields, Some(CONTROL_LIMIT))
        }
    }

    pub(crate) fn metrics(&self) -> Call {
        bare(Method::GET, self.path("/metrics"))
    }

    pub(crate) fn logs(&self, after: Option<u64>, limit: Option<u32>) -> Call {
        let query = Query::new().with("after", after).with("limit", limit);
        bare(Method::GET, self.path_with("/logs", query))
    }

    pub(crate) fn run(&self, language: &str, code: &str, cell: &Cell) -> Call {
        // A context has a language already; the server refuses both.
        let language = Some(language).filter(|_| cell.context.is_none());
        let fields = Fields::default()
            .with("language", language)
            .with("code", Some(code))
            .with_seconds("timeout", cell.timeout)
            .with("context", cell.context.as_deref())
            .with("keep_running", cell.keep_running)
            .with("output_limit", cell.output_limit);
        post(
            self.path_with("/runs", encoded(cell.encoding)),
            fields,
            limit_of(cell.timeout),
        )
    }

    pub(crate) fn attach(&self, run_id: &str, options: &AttachOptions) -> Call {
        let query = encoded(options.encoding).with("offset", options.offset);
        let path = self.path_with(&format!("/runs/{}", escaped(run_id)), query);
        bare(Method::GET, path)
    }

    pub(crate) fn interrupt(&self, run_id: &str) -> Call {
        let path = self.path(&format!("/runs/{}/interrupt", escaped(run_id)));
        post(path, Fields::default(), Some(CONTROL_LIMIT))
    }

    pub(crate) fn command(
        &self,
        argv: Vec<String>,
        options: &CommandOptions,
        encoding: Option<Encoding>,
    ) -> Call {
        // Text that is text stays readable on the wire.
        let stdin = options.stdin.as_deref();
        let text = stdin.and_then(|stdin| std::str::from_utf8(stdin).ok());
        let fields = Fields::default()
            .with("argv", Some(argv))
            .with_seconds("timeout", options.timeout)
            .with_texts("env", options.env.as_ref())
            .with("working_directory", options.working_directory.as_deref())
            .with("user", options.user.as_deref())
            .with("stdin", text)
            .with_base64("stdin_base64", stdin.filter(|_| text.is_none()))
            .with("keep_running", options.keep_running)
            .with("output_limit", options.output_limit);
        post(
            self.path_with("/commands", encoded(encoding)),
            fields,
            limit_of(options.timeout),
        )
    }

    pub(crate) fn signal(&self, run_id: &str, signal: i32, group: Option<bool>) -> Call {
        let fields = Fields::default()
            .with("signal", Some(signal))
            .with("group", group);
        let path = self.path(&format!("/commands/{}/signal", escaped(run_id)));
        post(path, fields, Some(CONTROL_LIMIT))
    }

    pub(crate) fn read_file(&self, path: &str, options: &ReadOptions) -> Call {
        let query = Query::new()
            .with("path", Some(path))
            .with("user", options.user.as_deref());
        bare(Method::GET, self.path_with("/files", query))
    }

    pub(crate) fn write_file(&self, path: &str, content: Bytes, options: &WriteOptions) -> Call {
        let query = Query::new()
            .with("path", Some(path))
            .with("user", options.user.as_deref())
            .with("mode", options.mode.map(|mode| format!("{mode:04o}")))
            .with("make_directories", options.make_directories);
        let sending = Duration::from_secs(content.len() as u64 / SLOWEST);
        Call {
            content: Some(Content {
                kind: "application/octet-stream",
                bytes: content,
            }),
            limit: Some(CONTROL_LIMIT + sending),
            ..bare(Method::PUT, self.path_with("/files", query))
        }
    }

    pub(crate) fn open_context(&self, language: &str, options: &ContextOptions) -> Call {
        let fields = Fields::default()
            .with("language", options.language.as_deref().or(Some(language)))
            .with("id", options.id.as_deref())
            .with_texts("env", options.env.as_ref())
            .with("working_directory", options.working_directory.as_deref())
            .with("user", options.user.as_deref());
        post(self.path("/contexts"), fields, Some(CONTROL_LIMIT))
    }

    pub(crate) fn contexts(&self) -> Call {
        bare(Method::GET, self.path("/contexts"))
    }

    pub(crate) fn close_context(&self, id: &str) -> Call {
        bare(
            Method::DELETE,
            self.path(&format!("/contexts/{}", escaped(id))),
        )
    }

    fn path(&self, rest: &str) -> String {
        self.path_with(rest, Query::new())
    }

    fn path_with(&self, rest: &str, query: Query) -> String {
        if let Some(id) = &self.id {
            return query.after(format!("/v1/sandboxes/{}{rest}", escaped(id)));
        }
        let namespace = Some(&self.namespace).filter(|namespace| *namespace != DEFAULT_NAMESPACE);
        let path = format!("/v1/sandboxes/{}{rest}", escaped(&self.name));
        query.with("namespace", namespace).after(path)
    }
}

/// How events' output is written.
fn encoded(encoding: Option<Encoding>) -> Query {
    Query::new().with("encoding", encoding.map(Encoding::text))
}

/// Asks for the caller's sandboxes.
pub(crate) fn list_sandboxes(options: &ListOptions) -> Call {
    let mut query = Query::new().with("namespace", options.namespace.as_deref());
    for (name, value) in options.labels.iter().flatten() {
        query = query.with("label", Some(format!("{name}={value}")));
    }
    bare(Method::GET, query.after("/v1/sandboxes".to_owned()))
}

/// Asks for the images that sandboxes can be made of.
pub(crate) fn list_images() -> Call {
    bare(Method::GET, "/v1/images".to_owned())
}

/// Asks what the server says of itself.
pub(crate) fn server_info() -> Call {
    bare(Method::GET, "/v1/info".to_owned())
}

fn bare(method: Method, path: String) -> Call {
    Call {
        method,
        path,
        content: None,
        limit: Some(CONTROL_LIMIT),
    }
}

fn post(path: String, fields: Fields, limit: Option<Duration>) -> Call {
    Call {
        method: Method::POST,
        path,
        content: Some(Content {
            kind: "application/json",
            bytes: fields.into_bytes(),
        }),
        limit,
    }
}

fn limit_of(timeout: Option<Duration>) -> Option<Duration> {
    limited(timeout.unwrap_or(RUN_LIMIT)).map(|limit| limit.saturating_add(MARGIN))
}

/// Zero is no limit.
fn limited(limit: Duration) -> Option<Duration> {
    Some(limit).filter(|limit| !limit.is_zero())
}
