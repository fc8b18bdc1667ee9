//! What a cell or a command came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::error::SandboxError;
use crate::wire;

/// How a cell or a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The cell came to its end.
    Ok,
    /// The cell raised.
    Error,
    /// Somebody stopped it.
    Interrupted,
    /// Its time limit ended it.
    TimedOut,
    /// It exited, a cell by `exit` or with its interpreter.
    Exited,
    /// A signal ended it.
    Signaled,
    /// It was killed for want of memory.
    OutOfMemory,
    /// The sandbox ended.
    SandboxEnded,
    /// One that is newer than this crate.
    #[serde(other)]
    Other,
}

/// In the words of the server, `timed_out` for example.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Interrupted => "interrupted",
            Self::TimedOut => "timed_out",
            Self::Exited => "exited",
            Self::Signaled => "signaled",
            Self::OutOfMemory => "out_of_memory",
            Self::SandboxEnded => "sandbox_ended",
            Self::Other => "other",
        })
    }
}

/// What a cell raised, or why it ended otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RunError {
    /// Its class: `NameError` for example.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Where it came from, line by line, as the interpreter shows it.
    pub traceback: String,
}

/// A run's answer as the wire has it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RunBody {
    #[serde(default)]
    id: String,
    #[serde(default)]
    context: Option<String>,
    outcome: Outcome,
    stdout: String,
    stderr: String,
    #[serde(default)]
    stdout_left_out: u64,
    #[serde(default)]
    stderr_left_out: u64,
    #[serde(default)]
    result: Option<BTreeMap<String, String>>,
    #[serde(default)]
    omitted: Vec<String>,
    #[serde(default)]
    error: Option<RunError>,
    #[serde(default)]
    exit_code: Option<i32>,
    #[serde(default)]
    signal: Option<i32>,
    #[serde(default)]
    state_lost: bool,
    #[serde(default, deserialize_with = "wire::duration")]
    duration: Duration,
}

/// Makes the accessors that cells and commands have in common.
macro_rules! common {
    () => {
        /// How it ended.
        pub fn outcome(&self) -> Outcome {
            self.body.outcome
        }

        /// The run's id on the server.
        pub fn run_id(&self) -> &str {
            &self.body.id
        }

        /// What was written to standard output, as it was written.
        pub fn stdout(&self) -> &str {
            &self.body.stdout
        }

        /// What was written to standard error, as it was written; the traceback is not part of it.
        pub fn stderr(&self) -> &str {
            &self.body.stderr
        }

        /// The number of the signal that ended it, or its interpreter.
        pub fn signal(&self) -> Option<i32> {
            self.body.signal
        }

        /// Bytes past the limit that are not in `stdout`, where a mark stands for them.
        pub fn stdout_left_out(&self) -> u64 {
            self.body.stdout_left_out
        }

        /// Bytes past the limit that are not in `stderr`, where a mark stands for them.
        pub fn stderr_left_out(&self) -> u64 {
            self.body.stderr_left_out
        }

        /// Both together.
        pub fn left_out(&self) -> u64 {
            self.stdout_left_out()
                .saturating_add(self.stderr_left_out())
        }

        /// How long it ran, by the server's clock.
        pub fn duration(&self) -> Duration {
            self.body.duration
        }

        /// Whether the time limit ended it.
        pub fn timed_out(&self) -> bool {
            self.body.outcome == Outcome::TimedOut
        }
    };
}

/// What a cell came to. It is a value: an exception in the sandbox is not an error here.
#[derive(Clone, Debug)]
pub struct Execution {
    body: RunBody,
    language: String,
}

impl Execution {
    pub(crate) fn new(body: RunBody, language: &str) -> Self {
        Self {
            body,
            language: language.to_owned(),
        }
    }

    common!();

    /// The id of the context that it ran in.
    pub fn context(&self) -> Option<&str> {
        self.body.context.as_deref()
    }

    /// The language of the cell.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// `error` where it [has one](Self::has_error), else `success`: the words of the original clients.
    pub fn status(&self) -> &'static str {
        if self.has_error() { "error" } else { "success" }
    }

    /// The last expression's value by MIME type, `text/plain` among them; binary ones in base64. None where there is none.
    pub fn result(&self) -> Option<&BTreeMap<String, String>> {
        self.body.result.as_ref()
    }

    /// MIME types that were left out of [`result`](Self::result) for their size.
    pub fn omitted(&self) -> &[String] {
        &self.body.omitted
    }

    /// What the cell raised.
    pub fn raised(&self) -> Option<&RunError> {
        self.body.error.as_ref()
    }

    /// The code with which the cell, or its interpreter, exited.
    pub fn exit_code(&self) -> Option<i32> {
        self.body.exit_code
    }

    /// Whether the interpreter died and a new one, without the variables, has taken its place.
    pub fn state_lost(&self) -> bool {
        self.body.state_lost
    }

    /// Whether the cell raised, was interrupted, timed out, or its interpreter died. Warnings are no errors.
    pub fn has_error(&self) -> bool {
        match self.body.outcome {
            Outcome::Ok => false,
            Outcome::Exited => self.body.state_lost || self.body.exit_code != Some(0),
            _ => true,
        }
    }

    /// What it wrote to standard output, then its last expression's value; white space at the end is left out.
    ///
    /// # Errors
    ///
    /// None today: all of it has arrived with the answer. The signature is that of the original client.
    pub async fn output(&self) -> Result<String, SandboxError> {
        let value = self.result().and_then(|result| result.get("text/plain"));
        Ok(joined(&self.body.stdout, value.map(String::as_str)))
    }

    /// What it wrote to standard error, then the traceback of what it raised; white space at the end is left out.
    ///
    /// # Errors
    ///
    /// None today, as for [`output`](Self::output).
    pub async fn error(&self) -> Result<String, SandboxError> {
        let traceback = self.raised().map(|raised| raised.traceback.as_str());
        Ok(joined(&self.body.stderr, traceback))
    }
}

/// What a command came to.
#[derive(Clone, Debug)]
pub struct CommandExecution {
    body: RunBody,
    command: String,
    args: Vec<String>,
}

impl CommandExecution {
    pub(crate) fn new(body: RunBody, command: &str, args: Vec<String>) -> Self {
        Self {
            body,
            command: command.to_owned(),
            args,
        }
    }

    common!();

    /// The program.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Its arguments.
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// Its exit code; 128 and the signal's number where a signal ended it, -1 where there is none.
    pub fn exit_code(&self) -> i32 {
        let of_signal = self.body.signal.map(|signal| signal.saturating_add(128));
        self.body.exit_code.or(of_signal).unwrap_or(-1)
    }

    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.body.outcome == Outcome::Exited && self.body.exit_code == Some(0)
    }

    /// Standard output without white space at its end.
    ///
    /// # Errors
    ///
    /// None today, as for [`Execution::output`].
    pub async fn output(&self) -> Result<String, SandboxError> {
        Ok(joined(&self.body.stdout, None))
    }

    /// Standard error without white space at its end.
    ///
    /// # Errors
    ///
    /// None today, as for [`Execution::output`].
    pub async fn error(&self) -> Result<String, SandboxError> {
        Ok(joined(&self.body.stderr, None))
    }
}

/// Two texts, the second beginning on a line of its own.
fn joined(text: &str, more: Option<&str>) -> String {
    let between = if more.is_none() || text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let mut whole = [text, between, more.unwrap_or_default()].concat();
    whole.truncate(whole.trim_end().len());
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_exit_code_tells_of_signals_and_of_none() {
        let code = |fields: &str| {
            let body = format!(r#"{{"outcome": "exited", "stdout": "", "stderr": ""{fields}}}"#);
            CommandExecution::new(serde_json::from_str(&body).unwrap(), "x", Vec::new()).exit_code()
        };
        assert_eq!(code(r#", "exit_code": 3"#), 3);
        assert_eq!(code(r#", "signal": 9"#), 137);
        assert_eq!(code(""), -1);
        assert_eq!(code(r#", "exit_code": 0"#), 0);
    }

    #[test]
    fn an_outcome_newer_than_the_crate_is_an_error() {
        let body = r#"{"outcome": "from_the_future", "stdout": "", "stderr": ""}"#;
        let execution = Execution::new(serde_json::from_str(body).unwrap(), "python");
        assert_eq!(execution.outcome(), Outcome::Other);
        assert!(execution.has_error());
    }
}
