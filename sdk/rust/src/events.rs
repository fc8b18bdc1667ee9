//! What happens in a run, as it happens.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use hyper::Response;
use hyper::body::{Body, Incoming};
use serde::Deserialize;
use tokio::time::{Instant, Sleep, sleep};

use crate::error::SandboxError;
use crate::event_parser::{EventParser, RawEvent};
use crate::execution::{Outcome, RunError};
use crate::transport::{lost, parsed};
use crate::wire;

/// A server sends something on a stream at least every 15 seconds.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// One thing that happened in a run or a command.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// It runs now. May be missing where it ended before it began.
    Started {
        /// The run's id on the server.
        id: String,
    },
    /// Standard output, as it comes; characters are whole, lines need not be.
    Stdout {
        /// What was written. Empty where bytes were asked for.
        text: String,
        /// What was written as it is, where [`Encoding::Base64`](crate::Encoding::Base64) was asked for.
        content: Option<Vec<u8>>,
        /// Where [`attach`](crate::BaseSandbox::attach) goes on after this.
        offset: Option<u64>,
    },
    /// Standard error, as it comes; characters are whole, lines need not be.
    Stderr {
        /// What was written. Empty where bytes were asked for.
        text: String,
        /// What was written as it is, where [`Encoding::Base64`](crate::Encoding::Base64) was asked for.
        content: Option<Vec<u8>>,
        /// Where [`attach`](crate::BaseSandbox::attach) goes on after this.
        offset: Option<u64>,
    },
    /// The value of the last expression.
    Result {
        /// By MIME type, `text/plain` among them; binary ones in base64.
        data: BTreeMap<String, String>,
        /// MIME types left out for their size.
        omitted: Vec<String>,
    },
    /// What the cell raised.
    Error(RunError),
    /// The end; nothing follows.
    Finished(Finished),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether a cell raised, was interrupted, timed out, or its interpreter died; whether a command did not end with 0.
    #[serde(default)]
    pub has_error: bool,
    /// The code with which it exited.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(default)]
    pub signal: Option<i32>,
    /// Whether the interpreter died and a new one, without the variables, has taken its place.
    #[serde(default)]
    pub state_lost: bool,
    /// How long it ran, by the server's clock.
    #[serde(default, deserialize_with = "wire::duration")]
    pub duration: Duration,
}

#[derive(Deserialize)]
struct StartedData {
    id: String,
}

#[derive(Deserialize)]
struct OutputData {
    #[serde(default)]
    text: String,
    #[serde(default, rename = "base64", deserialize_with = "wire::bytes")]
    content: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct ResultData {
    data: BTreeMap<String, String>,
    #[serde(default)]
    omitted: Vec<String>,
}

/// The events of a run, in order; the last one is [`RunEvent::Finished`], or an error.
///
/// It is a [`Stream`], and [`next`](Self::next) reads it without further crates. Dropping it interrupts the run, unless it was
/// begun with `keep_running`. The program inside waits while nobody reads.
///
/// ```no_run
/// use microsandbox::{BaseSandbox, PythonSandbox, RunEvent, SandboxError};
///
/// # async fn example(sandbox: PythonSandbox) -> Result<(), SandboxError> {
/// let mut events = sandbox.stream("for n in range(3): print(n)", None).await?;
/// while let Some(event) = events.next().await {
///     if let RunEvent::Stdout { text, .. } = event? {
///         print!("{text}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct RunEvents {
    run_id: Option<String>,
    place: String,
    body: Option<Incoming>,
    parser: EventParser,
    waiting: VecDeque<RawEvent>,
    is_finished: bool,
    silence: Pin<Box<Sleep>>,
}

impl RunEvents {
    pub(crate) fn new(response: Response<Incoming>, place: String) -> Self {
        let run_id = response.headers().get("msb-run-id");
        Self {
            run_id: run_id.and_then(|id| Some(id.to_str().ok()?.to_owned())),
            place,
            body: Some(response.into_body()),
            parser: EventParser::default(),
            waiting: VecDeque::new(),
            is_finished: false,
            silence: Box::pin(sleep(SILENCE_LIMIT)),
        }
    }

    /// The run's id on the server, which is known before the first event.
    pub fn run_id(&self) -> Option<&str> {
        self.run_id.as_deref()
    }

    /// Waits for the next event; none after the end.
    pub async fn next(&mut self) -> Option<Result<RunEvent, SandboxError>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RunEvent, SandboxError>>> {
        loop {
            while let Some(raw) = self.waiting.pop_front() {
                match read(raw) {
                    Ok(None) => {}
                    Ok(Some(event)) => {
                        if matches!(event, RunEvent::Finished(_)) {
                            self.is_finished = true;
                            self.waiting.clear();
                        }
                        return Poll::Ready(Some(Ok(event)));
                    }
                    Err(error) => return self.end(Some(error)),
                }
            }
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                ready!(self.silence.as_mut().poll(cx));
                let why = format!("nothing within {} s", SILENCE_LIMIT.as_secs());
                let error = lost(&self.place, why.into());
                return self.end(Some(error));
            };
            self.silence.as_mut().reset(Instant::now() + SILENCE_LIMIT);
            match frame {
                // What follows the end is not waited for; the end of the stream is, so that the connection can be used again.
                _ if self.is_finished => return self.end(None),
                Some(Ok(frame)) => {
                    let waiting = &mut self.waiting;
                    let block = frame.into_data().unwrap_or_default();
                    if let Err(error) = self.parser.feed(&block, |event| waiting.push_back(event)) {
                        return self.end(Some(error));
                    }
                }
                Some(Err(error)) => {
                    let error = lost(&self.place, Box::new(error));
                    return self.end(Some(error));
                }
                None => {
                    let error = lost(
                        &self.place,
                        "the connection ended before the run did".into(),
                    );
                    return self.end(Some(error));
                }
            }
        }
    }

    fn end(&mut self, error: Option<SandboxError>) -> Poll<Option<Result<RunEvent, SandboxError>>> {
        self.body = None;
        self.waiting.clear();
        Poll::Ready(error.map(Err))
    }
}

impl Stream for RunEvents {
    type Item = Result<RunEvent, SandboxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(cx)
    }
}

/// Reads an event; none for a kind that is newer than this crate.
fn read(RawEvent { kind, offset, data }: RawEvent) -> Result<Option<RunEvent>, SandboxError> {
    let data = data.as_bytes();
    Ok(Some(match kind.as_str() {
        "started" => RunEvent::Started {
            id: parsed::<StartedData>(data)?.id,
        },
        "stdout" => {
            let OutputData { text, content } = parsed(data)?;
            RunEvent::Stdout {
                text,
                content,
                offset,
            }
        }
        "stderr" => {
            let OutputData { text, content } = parsed(data)?;
            RunEvent::Stderr {
                text,
                content,
                offset,
            }
        }
        "result" => {
            let ResultData { data, omitted } = parsed(data)?;
            RunEvent::Result { data, omitted }
        }
        "error" => RunEvent::Error(parsed(data)?),
        "finished" => RunEvent::Finished(parsed(data)?),
        "failed" => return Err(SandboxError::from_answer(data, 200)),
        _ => return Ok(None),
    }))
}
