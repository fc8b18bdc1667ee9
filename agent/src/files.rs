//! Small files read and written for the host: each by a forked child that becomes the user, a few at a time.

use crate::agent::{Agent, Child};
use crate::error::{Error, Result};
use crate::file_task::{self, FilePart, FileTask, FileWrite};
use crate::lane::{Lane, Taken};
use crate::poll::Source;
use crate::sys::{self, Forked};
use crate::timers::Timer;
use crate::users::User;
use crate::wire::{FileContent, ReadFile, SmallFile, WriteFile, agent_control};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);
const MAX_READERS: usize = 4;
const MAX_WAITING: usize = 1_024;
const MAX_PART: usize = 61_440;

/// A request that waits for its turn.
#[derive(Debug)]
struct Waiting {
    request: u64,
    user: User,
    task: FileTask,
}

/// A child at work on one.
#[derive(Debug)]
struct Job {
    request: u64,
    pid: i32,
    writes: bool,
    lane: Lane,
    answer: Vec<u8>,
    overdue: bool,
}

/// Writes take turns, so that parts of one file keep their order; reads go beside them.
#[derive(Debug, Default)]
pub struct Files {
    waiting: VecDeque<Waiting>,
    jobs: BTreeMap<u64, Job>,
    /// Requests of more than one file, and how many of them are left.
    groups: BTreeMap<u64, usize>,
}

impl Agent {
    pub fn read_file(&mut self, request: u64, read: ReadFile) -> Result<()> {
        let user = self.user(&read.user)?;
        let limit = match read.limit as usize {
            0 => MAX_PART,
            limit => limit.min(MAX_PART),
        };
        let path = absolute(&read.path, &user)?;
        let task = FileTask::Read {
            path,
            offset: read.offset,
            limit,
        };
        self.queue_file(Waiting {
            request,
            user,
            task,
        })
    }

    pub fn write_file(&mut self, request: u64, write: WriteFile) -> Result<()> {
        if write.content.len() > MAX_PART {
            return Err(Error::refused(
                "body_too_large",
                "a part of a file has at most 61,440 bytes",
            ));
        }
        if write.offset > 0 && write.write_id.len() != 16 {
            return Err(Error::refused(
                "invalid_request",
                "a write of several parts needs an id of 16 bytes",
            ));
        }
        let user = self.user(&write.user)?;
        let id: String = write
            .write_id
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let task = FileTask::Write(FileWrite {
            path: absolute(&write.path, &user)?,
            content: write.content,
            offset: write.offset,
            last: write.last,
            mode: if write.mode == 0 { 0o644 } else { write.mode },
            make_directories: write.make_directories,
            id: if id.is_empty() {
                format!("msb-{request}")
            } else {
                id
            },
        });
        self.queue_file(Waiting {
            request,
            user,
            task,
        })
    }

    /// Writes files that came with the configuration; the request is answered after the last.
    pub fn write_configured(&mut self, request: u64, files: Vec<SmallFile>) -> Result<()> {
        let mut tasks = Vec::with_capacity(files.len());
        for file in files {
            let owner = if file.owner.is_empty() {
                "root"
            } else {
                &file.owner
            };
            let user = self.switching.look_up(owner)?;
            let path = absolute(&file.path, &user)?;
            let path = match &self.system_root {
                Some(root) => root.join(path.strip_prefix("/").unwrap_or(&path)),
                None => path,
            };
            tasks.push(Waiting {
                request,
                user,
                task: FileTask::Write(FileWrite {
                    path,
                    content: file.content,
                    offset: 0,
                    last: true,
                    mode: if file.mode == 0 { 0o644 } else { file.mode },
                    make_directories: true,
                    id: format!("msb-{request}"),
                }),
            });
        }
        self.files.groups.insert(request, tasks.len());
        tasks.into_iter().try_for_each(|task| self.queue_file(task))
    }

    fn queue_file(&mut self, waiting: Waiting) -> Result<()> {
        if self.files.waiting.len() >= MAX_WAITING {
            return Err(Error::refused(
                "too_many_requests",
                "too many files are being read or written; wait for some",
            ));
        }
        self.files.waiting.push_back(waiting);
        self.next_files();
        Ok(())
    }

    /// Starts what may run now. Reads wait while earlier answers have not been sent.
    fn next_files(&mut self) {
        loop {
            let writing = self.files.jobs.values().any(|job| job.writes);
            let readers = self.files.jobs.len() - usize::from(writing);
            let busy = self
                .connection()
                .is_some_and(|connection| connection.busy());
            let may = |waiting: &Waiting| match waiting.task {
                FileTask::Write(_) => !writing,
                FileTask::Read { .. } => readers < MAX_READERS && (!busy || readers == 0),
            };
            let Some(at) = self.files.waiting.iter().position(may) else {
                return;
            };
            let Some(waiting) = self.files.waiting.remove(at) else {
                return;
            };
            if let Err(error) = self.start_file(&waiting) {
                let (code, message) = error.answer();
                self.answer_file(waiting.request, Err((code, message)));
            }
        }
    }

    fn start_file(&mut self, waiting: &Waiting) -> Result<()> {
        let handle = self.next_handle();
        let (mut lane, writer) = Lane::new(Source::FileJob(handle))?;
        let pid = match sys::fork() {
            Ok(Forked::Parent(pid)) => pid,
            Ok(Forked::Child) => waiting.task.run(&waiting.user, self.switching, &writer),
            Err(error) => return Err(Error::system("start a process for a file", error)),
        };
        lane.watch(true, &self.poller);
        self.children.insert(pid, Child::FileJob(handle));
        self.timers.after(PATIENCE, Timer::FileJob(handle));
        let job = Job {
            request: waiting.request,
            pid,
            writes: matches!(waiting.task, FileTask::Write(_)),
            lane,
            answer: Vec::new(),
            overdue: false,
        };
        self.files.jobs.insert(handle, job);
        Ok(())
    }

    /// Reads what a child has to say; its end of the pipe is the end of the request.
    pub fn file_ready(&mut self, handle: u64) {
        let Some(job) = self.files.jobs.get_mut(&handle) else {
            return;
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = job.lane.take(&mut buffer, u64::MAX, &self.poller);
        if let Taken::Bytes(length) = taken {
            job.answer
                .extend_from_slice(buffer.get(..length).unwrap_or_default());
        }
        self.buffer = buffer;
        if taken != Taken::End {
            return;
        }
        let Some(job) = self.files.jobs.remove(&handle) else {
            return;
        };
        let answer = match FilePart::decode(&job.answer) {
            Some(Ok(_)) if job.writes => Ok(None),
            Some(Ok(part)) => Ok(Some(part)),
            Some(Err(errno)) => Err(file_task::explain(errno)),
            None if job.overdue => Err((
                "timed_out",
                "the file could not be read or written in time".into(),
            )),
            None => Err((
                "internal",
                "the process that reads and writes files was killed".into(),
            )),
        };
        self.answer_file(job.request, answer);
        self.next_files();
    }

    fn answer_file(
        &mut self,
        request: u64,
        answer: std::result::Result<Option<FilePart>, (&'static str, String)>,
    ) {
        if let Some(left) = self.files.groups.get_mut(&request) {
            *left -= 1;
            if *left > 0 && answer.is_ok() {
                return;
            }
            self.files.groups.remove(&request);
            self.files
                .waiting
                .retain(|waiting| waiting.request != request);
        }
        match answer {
            Ok(None) => self.done(request),
            Ok(Some(part)) => {
                let content = FileContent {
                    content: part.content,
                    size: part.size,
                    end: part.end,
                };
                self.send(request, agent_control::Body::FileContent(content));
            }
            Err((code, message)) => self.failure(request, code, &message),
        }
    }

    /// A child that takes too long is killed; its pipe's end answers.
    pub fn file_overdue(&mut self, handle: u64) {
        if let Some(job) = self.files.jobs.get_mut(&handle) {
            job.overdue = true;
            let _ = sys::kill(job.pid, libc::SIGKILL);
        }
    }

    /// Nobody waits for answers any more; what has begun is finished.
    pub fn forget_files(&mut self) {
        self.files.waiting.clear();
        self.files.groups.clear();
        for job in self.files.jobs.values_mut() {
            job.request = 0;
        }
    }
}

/// The path that a request means: relative ones begin at the user's home.
pub fn absolute(path: &str, user: &User) -> Result<PathBuf> {
    if path.is_empty() || path.contains('\0') {
        return Err(Error::refused(
            "invalid_request",
            "a path is empty or holds a NUL byte",
        ));
    }
    Ok(Path::new(&user.home).join(path))
}
