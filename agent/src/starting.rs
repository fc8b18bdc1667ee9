//! How a process comes to be: its request checked, its pipes made, its program started.

use crate::agent::{Agent, Child};
use crate::environment;
use crate::error::{Error, Result};
use crate::lane::Lane;
use crate::object::{ObjectId, Runner};
use crate::poll::{Part, Source};
use crate::process::Process;
use crate::spawn::{self, Launch};
use crate::stdin::Stdin;
use crate::users::User;
use crate::wire::StartProcess;
use std::ffi::CString;
use std::time::Instant;

const MAX_PROCESSES: usize = 512;

impl Agent {
    /// Starts a process and shows it on a stream.
    pub fn start_process(&mut self, stream: u32, request: StartProcess) -> Result<()> {
        self.settle_capture();
        let id = ObjectId::parse(&request.object_id)?;
        if self.objects.get(&id).is_some() {
            return self.attach(stream, id, request.offset);
        }
        if self.processes.len() >= MAX_PROCESSES {
            let message =
                format!("this sandbox runs {MAX_PROCESSES} commands already; wait for some to end");
            return Err(Error::refused("too_many_processes", message));
        }
        let handle = self.next_handle();
        let process = self.launch(handle, id, stream, &request)?;
        self.children.insert(process.pid, Child::Process(handle));
        self.objects.add(id, Runner::Process(handle));
        self.processes.insert(handle, process);
        Ok(())
    }

    fn launch(
        &self,
        handle: u64,
        object: ObjectId,
        stream: u32,
        request: &StartProcess,
    ) -> Result<Process> {
        environment::check(&request.environment)?;
        let user = self.user(&request.user)?;
        let variables = self
            .settings
            .environment
            .compose(&user, &request.environment);
        let mut argv = Vec::with_capacity(request.argv.len());
        for argument in &request.argv {
            let argument = CString::new(argument.as_str());
            argv.push(
                argument.map_err(|_| {
                    Error::refused("invalid_request", "an argument holds a NUL byte")
                })?,
            );
        }
        let Some(program) = request.argv.first().filter(|program| !program.is_empty()) else {
            return Err(Error::refused(
                "invalid_request",
                "a command needs a program as its first argument",
            ));
        };
        let (out, out_writer) = Lane::new(Source::Process(handle, Part::Stdout))?;
        let (err, err_writer) = Lane::new(Source::Process(handle, Part::Stderr))?;
        let mut descriptors = vec![&self.null, &out_writer, &err_writer];
        let input = match request.stdin {
            true => Some(Stdin::new(Source::Process(handle, Part::Stdin))?),
            false => None,
        };
        if let (Some((_, reader)), Some(first)) = (&input, descriptors.first_mut()) {
            *first = reader;
        }
        let (pid, report) = spawn::start(&Launch {
            argv,
            environment: environment::strings(&variables),
            path: variables.get("PATH").cloned().unwrap_or_default(),
            directory: self.directory(&request.working_directory, &user)?,
            user: &user,
            switching: self.switching,
            descriptors,
        })?;
        self.poller
            .watch_read(&report, Source::Process(handle, Part::Report))?;
        Ok(Process {
            object,
            pid,
            wants_stdin: input.is_some(),
            stdin: input.map(|(stdin, _)| stdin),
            killed: false,
            program: program.clone(),
            lanes: [out, err],
            report: Some(report),
            pending: vec![(stream, request.offset)],
            exit: None,
            rest: None,
            began: Instant::now(),
        })
    }

    /// The directory that a program starts in: asked for, configured, or the user's home.
    pub fn directory(&self, asked: &str, user: &User) -> Result<CString> {
        let configured = &self.settings.working_directory;
        let chosen = match (asked, configured.as_str()) {
            ("", "") if std::path::Path::new(&user.home).is_dir() => user.home.clone(),
            ("", "") => "/".to_owned(),
            ("", configured) => configured.to_owned(),
            (asked, _) if asked.starts_with('/') => asked.to_owned(),
            (asked, _) => format!("{}/{asked}", user.home),
        };
        CString::new(chosen).map_err(|_| {
            Error::refused(
                "no_such_directory",
                "the working directory holds a NUL byte",
            )
        })
    }
}
