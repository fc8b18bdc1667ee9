//! The options behind the `None`s.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Kinds of isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// The strongest that the server's machine has.
    Auto,
    /// Containers, on the host's kernel.
    Container,
    /// gVisor, a kernel in user space.
    Gvisor,
    /// A virtual machine.
    Microvm,
}

impl Isolation {
    /// In the words of the server.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Container => "container",
            Self::Gvisor => "gvisor",
            Self::Microvm => "microvm",
        }
    }
}

/// What a sandbox may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// The public internet.
    Public,
    /// Nothing.
    None,
}

impl Network {
    /// In the words of the server.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::None => "none",
        }
    }
}

/// Makes a method for each field, by which options are put together step by step.
macro_rules! setters {
    ($options:ident { $($name:ident: $kind:ty),* } texts { $($text:ident),* } maps { $($map:ident),* }) => {
        impl $options {
            $(
                #[doc = concat!("With [`", stringify!($name), "`](#structfield.", stringify!($name), ").")]
                #[must_use]
                pub fn $name(mut self, $name: $kind) -> Self {
                    self.$name = Some($name);
                    self
                }
            )*
            $(
                #[doc = concat!("With [`", stringify!($text), "`](#structfield.", stringify!($text), ").")]
                #[must_use]
                pub fn $text(mut self, $text: impl Into<String>) -> Self {
                    self.$text = Some($text.into());
                    self
                }
            )*
            $(
                #[doc = concat!("With [`", stringify!($map), "`](#structfield.", stringify!($map), "), from pairs.")]
                #[must_use]
                pub fn $map<N: Into<String>, T: Into<String>>(mut self, $map: impl IntoIterator<Item = (N, T)>) -> Self {
                    self.$map = Some($map.into_iter().map(|(name, text)| (name.into(), text.into())).collect());
                    self
                }
            )*
        }
    };
}

/// What a sandbox object is told when it is made. Everything has a default.
#[derive(Clone, Default, PartialEq)]
pub struct SandboxOptions {
    /// The server: `http://host:port`, `https://host` or `unix:/path`. Else `MSB_SERVER_URL`, else the local one, started if
    /// need be.
    pub server_url: Option<String>,
    /// The key to send; else `MSB_API_KEY`. The local socket needs none.
    pub api_key: Option<String>,
    /// Unique in its namespace; made up where missing.
    pub name: Option<String>,
    /// Default: `default`.
    pub namespace: Option<String>,
    /// The language's own where missing.
    pub image: Option<String>,
    /// Default: [`Isolation::Auto`].
    pub isolation: Option<Isolation>,
    /// MiB.
    pub memory: Option<u64>,
    /// CPUs; fractions are allowed.
    pub cpus: Option<f64>,
    /// At most so many processes and threads.
    pub processes: Option<u32>,
    /// MiB.
    pub disk: Option<u64>,
    /// Environment of everything that runs in it.
    pub env: Option<BTreeMap<String, String>>,
    /// For finding it again.
    pub labels: Option<BTreeMap<String, String>>,
    /// Default: [`Network::Public`].
    pub network: Option<Network>,
    /// From its creation to its end, whatever happens.
    pub time_to_live: Option<Duration>,
    /// It is stopped when unused for so long; zero for never. The server's default is an hour.
    pub idle_timeout: Option<Duration>,
    /// Whether it is removed when it is stopped. Default: true.
    pub ephemeral: Option<bool>,
    /// How long to wait until it is usable. Default: 180 seconds.
    pub start_timeout: Option<Duration>,
}

setters!(
    SandboxOptions
    { isolation: Isolation, memory: u64, cpus: f64, processes: u32, disk: u64, network: Network,
        time_to_live: Duration, idle_timeout: Duration, ephemeral: bool, start_timeout: Duration }
    texts { server_url, api_key, name, namespace, image }
    maps { env, labels }
);

impl SandboxOptions {
    /// Begins to put options together, in the form of the original client.
    pub fn builder() -> Self {
        Self::default()
    }

    /// Gives the options that were put together.
    pub fn build(self) -> Self {
        self
    }
}

/// All but the key and the environment's values.
impl fmt::Debug for SandboxOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxOptions")
            .field("server_url", &self.server_url)
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .field("image", &self.image)
            .field("isolation", &self.isolation)
            .field("memory", &self.memory)
            .field("cpus", &self.cpus)
            .field("processes", &self.processes)
            .field("disk", &self.disk)
            .field(
                "env",
                &self.env.as_ref().map(|env| env.keys().collect::<Vec<_>>()),
            )
            .field("labels", &self.labels)
            .field("network", &self.network)
            .field("time_to_live", &self.time_to_live)
            .field("idle_timeout", &self.idle_timeout)
            .field("ephemeral", &self.ephemeral)
            .field("start_timeout", &self.start_timeout)
            .finish_non_exhaustive()
    }
}

/// Which server a [`Server`](crate::Server) is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServerOptions {
    /// As in [`SandboxOptions`].
    pub server_url: Option<String>,
    /// As in [`SandboxOptions`].
    pub api_key: Option<String>,
}

setters!(ServerOptions {} texts { server_url, api_key } maps {});

/// Without the key.
impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("server_url", &self.server_url)
            .finish_non_exhaustive()
    }
}

/// Which sandboxes [`Server::sandboxes`](crate::Server::sandboxes) lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only this one's; all without it.
    pub namespace: Option<String>,
    /// That a sandbox must have.
    pub labels: Option<BTreeMap<String, String>>,
}

setters!(ListOptions {} texts { namespace } maps { labels });

/// What `start` may change of what the sandbox was made with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartOptions {
    /// As in [`SandboxOptions`].
    pub image: Option<String>,
    /// MiB.
    pub memory: Option<u64>,
    /// CPUs; fractions are allowed.
    pub cpus: Option<f64>,
    /// How long to wait until it is usable.
    pub timeout: Option<Duration>,
}

setters!(StartOptions { memory: u64, cpus: f64, timeout: Duration } texts { image } maps {});

/// How output comes in events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// As text; what is not valid UTF-8 is replaced by U+FFFD.
    Text,
    /// As the bytes that were written, which travel in base64.
    Base64,
}

impl Encoding {
    /// In the words of the server.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
        }
    }
}

/// What all ways to run a cell come to.
pub(crate) struct Cell {
    pub(crate) timeout: Option<Duration>,
    pub(crate) context: Option<String>,
    pub(crate) keep_running: Option<bool>,
    pub(crate) output_limit: Option<u64>,
    pub(crate) encoding: Option<Encoding>,
}

/// How a cell is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Until it is interrupted, its state kept if it yields; zero for none. The server's default is 300 seconds.
    pub timeout: Option<Duration>,
    /// The id of an interpreter, one of several of a sandbox; the language's own where missing.
    pub context: Option<String>,
    /// Whether it goes on when this client goes away.
    pub keep_running: Option<bool>,
    /// Bytes kept of each output in the answer, its first and last part. The server's default is 1 MiB.
    pub output_limit: Option<u64>,
}

setters!(
    RunOptions
    { timeout: Duration, keep_running: bool, output_limit: u64 }
    texts { context }
    maps {}
);

impl From<RunOptions> for Cell {
    fn from(options: RunOptions) -> Self {
        let RunOptions {
            timeout,
            context,
            keep_running,
            output_limit,
        } = options;
        Self {
            timeout,
            context,
            keep_running,
            output_limit,
            encoding: None,
        }
    }
}

/// How the events of a cell are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamOptions {
    /// As in [`RunOptions`].
    pub timeout: Option<Duration>,
    /// As in [`RunOptions`].
    pub context: Option<String>,
    /// As in [`RunOptions`].
    pub keep_running: Option<bool>,
    /// Default: [`Encoding::Text`].
    pub encoding: Option<Encoding>,
}

setters!(
    StreamOptions
    { timeout: Duration, keep_running: bool, encoding: Encoding }
    texts { context }
    maps {}
);

impl From<StreamOptions> for Cell {
    fn from(options: StreamOptions) -> Self {
        let StreamOptions {
            timeout,
            context,
            keep_running,
            encoding,
        } = options;
        Self {
            timeout,
            context,
            keep_running,
            output_limit: None,
            encoding,
        }
    }
}

/// How a cell is run in a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextRunOptions {
    /// As in [`RunOptions`].
    pub timeout: Option<Duration>,
    /// As in [`RunOptions`].
    pub keep_running: Option<bool>,
    /// As in [`RunOptions`].
    pub output_limit: Option<u64>,
}

setters!(
    ContextRunOptions
    { timeout: Duration, keep_running: bool, output_limit: u64 }
    texts {}
    maps {}
);

/// How the events of a cell in a context are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextStreamOptions {
    /// As in [`RunOptions`].
    pub timeout: Option<Duration>,
    /// As in [`RunOptions`].
    pub keep_running: Option<bool>,
    /// Default: [`Encoding::Text`].
    pub encoding: Option<Encoding>,
}

setters!(
    ContextStreamOptions
    { timeout: Duration, keep_running: bool, encoding: Encoding }
    texts {}
    maps {}
);

/// How the events of a run that was begun before are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Of the output to begin with; all that is kept of it where missing.
    pub offset: Option<u64>,
    /// Default: [`Encoding::Text`].
    pub encoding: Option<Encoding>,
}

setters!(
    AttachOptions
    { offset: u64, encoding: Encoding }
    texts {}
    maps {}
);

/// How a command is run.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CommandOptions {
    /// Until it is ended; zero for none. The server's default is 300 seconds.
    pub timeout: Option<Duration>,
    /// Its environment, beside the sandbox's.
    pub env: Option<BTreeMap<String, String>>,
    /// The user's home where missing.
    pub working_directory: Option<String>,
    /// `sandbox`, which is the default, or `root`.
    pub user: Option<String>,
    /// What it reads; nothing where missing.
    pub stdin: Option<Vec<u8>>,
    /// Whether it goes on when this client goes away.
    pub keep_running: Option<bool>,
    /// Bytes kept of each output in the answer, its first and last part. The server's default is 1 MiB.
    pub output_limit: Option<u64>,
}

setters!(
    CommandOptions
    { timeout: Duration, keep_running: bool, output_limit: u64 }
    texts { working_directory, user }
    maps { env }
);

impl CommandOptions {
    /// With [`stdin`](#structfield.stdin), from text or bytes.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }
}

/// Without the input and the environment's values, which may be secrets.
impl fmt::Debug for CommandOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandOptions")
            .field("timeout", &self.timeout)
            .field(
                "env",
                &self.env.as_ref().map(|env| env.keys().collect::<Vec<_>>()),
            )
            .field("working_directory", &self.working_directory)
            .field("user", &self.user)
            .field("keep_running", &self.keep_running)
            .field("output_limit", &self.output_limit)
            .finish_non_exhaustive()
    }
}

/// How a command's events are given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CommandStreamOptions {
    /// As in [`CommandOptions`].
    pub timeout: Option<Duration>,
    /// As in [`CommandOptions`].
    pub env: Option<BTreeMap<String, String>>,
    /// As in [`CommandOptions`].
    pub working_directory: Option<String>,
    /// As in [`CommandOptions`].
    pub user: Option<String>,
    /// As in [`CommandOptions`].
    pub stdin: Option<Vec<u8>>,
    /// As in [`CommandOptions`].
    pub keep_running: Option<bool>,
    /// Default: [`Encoding::Text`].
    pub encoding: Option<Encoding>,
}

setters!(
    CommandStreamOptions
    { timeout: Duration, keep_running: bool, encoding: Encoding }
    texts { working_directory, user }
    maps { env }
);

impl CommandStreamOptions {
    /// With [`stdin`](#structfield.stdin), from text or bytes.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// What a command is told, and how its events come.
    pub(crate) fn split(self) -> (CommandOptions, Option<Encoding>) {
        let Self {
            timeout,
            env,
            working_directory,
            user,
            stdin,
            keep_running,
            encoding,
        } = self;
        let options = CommandOptions {
            timeout,
            env,
            working_directory,
            user,
            stdin,
            keep_running,
            output_limit: None,
        };
        (options, encoding)
    }
}

/// As [`CommandOptions`] are shown.
impl fmt::Debug for CommandStreamOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (options, encoding) = self.clone().split();
        f.debug_struct("CommandStreamOptions")
            .field("options", &options)
            .field("encoding", &encoding)
            .finish()
    }
}

/// How a context is opened.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ContextOptions {
    /// `python` or `node`; the sandbox's own where missing.
    pub language: Option<String>,
    /// By the rules of names; a new one where missing.
    pub id: Option<String>,
    /// Its environment, beside the sandbox's.
    pub env: Option<BTreeMap<String, String>>,
    /// The user's home where missing.
    pub working_directory: Option<String>,
    /// `sandbox`, which is the default, or `root`.
    pub user: Option<String>,
}

setters!(ContextOptions {} texts { language, id, working_directory, user } maps { env });

/// Without the environment's values, which may be secrets.
impl fmt::Debug for ContextOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextOptions")
            .field("language", &self.language)
            .field("id", &self.id)
            .field(
                "env",
                &self.env.as_ref().map(|env| env.keys().collect::<Vec<_>>()),
            )
            .field("working_directory", &self.working_directory)
            .field("user", &self.user)
            .finish()
    }
}

/// How a file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// With whose rights: `sandbox`, which is the default, or `root`.
    pub user: Option<String>,
}

setters!(ReadOptions {} texts { user } maps {});

/// How a file is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// With whose rights: `sandbox`, which is the default, or `root`.
    pub user: Option<String>,
    /// Permissions. Default: `0o644`.
    pub mode: Option<u32>,
    /// Whether missing folders are made. Default: true.
    pub make_directories: Option<bool>,
}

setters!(WriteOptions { mode: u32, make_directories: bool } texts { user } maps {});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_do_not_show_what_may_be_secret() {
        let sandbox = SandboxOptions::builder()
            .api_key("msb_secret")
            .env([("TOKEN", "secret")])
            .build();
        let command = CommandOptions::default()
            .stdin("secret")
            .env([("TOKEN", "secret")]);
        let context = ContextOptions::default().env([("TOKEN", "secret")]);
        let server = ServerOptions::default().api_key("msb_secret");
        let shown = format!("{sandbox:?} {command:?} {context:?} {server:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(shown.matches("TOKEN").count(), 3);
    }
}
