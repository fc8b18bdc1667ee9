//! What can go wrong, by who has to know: the channel ends, a request is answered by a code, or the system refused.

use std::fmt;
use std::io;

/// Everything that the agent's own code fails with.
#[derive(Debug)]
pub enum Error {
    /// The host's end broke a rule of the channel; the connection is closed and dialled anew.
    Broken(&'static str),
    /// The channel ended.
    Closed,
    /// The system refused; `doing` says what.
    System {
        doing: &'static str,
        source: io::Error,
    },
    /// A request cannot be carried out; the code is one of errors.json.
    Refused { code: &'static str, message: String },
}

impl Error {
    /// Wraps what the system said about one step.
    pub fn system(doing: &'static str, source: impl Into<io::Error>) -> Self {
        Error::System {
            doing,
            source: source.into(),
        }
    }

    /// A request's answer: a code of errors.json and what to do about it.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Error::Refused {
            code,
            message: message.into(),
        }
    }

    /// The code and message with which a request is answered.
    pub fn answer(&self) -> (&'static str, String) {
        match self {
            Error::Refused { code, message } => (code, message.clone()),
            other => ("internal", other.to_string()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Broken(rule) => write!(out, "the host broke a rule of the channel: {rule}"),
            Error::Closed => write!(out, "the channel ended"),
            Error::System { doing, source } => write!(out, "could not {doing}: {source}"),
            Error::Refused { message, .. } => out.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;
