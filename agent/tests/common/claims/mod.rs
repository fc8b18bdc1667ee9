//! What holds for cells of every language; each language's test file gives the words.
#![allow(dead_code)]

use super::*;
use microsandbox_agent::frame::FrameType;

mod ends;
mod output;

/// How a language says the things that the claims need.
pub struct Words {
    pub context: &'static str,
    pub program: &'static str,
    /// Sets a variable.
    pub set: &'static str,
    /// Has the variable as its value.
    pub get: &'static str,
    /// Writes `hello` and a newline to stdout.
    pub hello: &'static str,
    pub sleep: &'static str,
    pub spin: &'static str,
    /// Code that resists an interrupt.
    pub resist: &'static str,
    /// Ends the process with code 3.
    pub exit: &'static str,
    /// Kills its own process.
    pub kill: &'static str,
    /// Raises an error named `oops`.
    pub raise: &'static str,
    /// Writes numbered lines of about 100 bytes, 20,000 of them.
    pub lots: &'static str,
    /// Writes without end.
    pub endless: &'static str,
    /// Closes its control socket, or whatever is above descriptor 2.
    pub sever: &'static str,
    /// Prints `late` half a second after its cell is over.
    pub late: &'static str,
    /// A child process prints `child` half a second after its cell is over.
    pub late_child: &'static str,
    /// Has the working directory as its value.
    pub directory: &'static str,
    /// Prints the environment variable `CONFIGURED`, or `None`.
    pub configured: &'static str,
    /// A path that is read at the interpreter's start: its variable, and what prints which of `/first`, `/second`, `/third` it was.
    pub start: (&'static str, &'static str),
}

impl Words {
    pub fn host(&self) -> Option<Host> {
        installed(self.program).then(Host::start)
    }

    pub fn state_is_kept(&self) {
        let Some(mut host) = self.host() else { return };
        host.run(self.context, self.set);
        let run = host.run(self.context, self.get);
        assert_eq!((run.value().as_str(), run.outcome()), ("7", Outcome::Ok));
        assert_eq!(run.started.unwrap().cell_number, 2);
    }

    pub fn an_error_ends_the_cell_and_keeps_the_state(&self) {
        let Some(mut host) = self.host() else { return };
        host.run(self.context, self.set);
        let run = host.run(self.context, self.raise);
        assert_eq!(run.outcome(), Outcome::Error);
        assert!(run.error.unwrap().traceback.contains("oops"));
        assert_eq!(run.order.last(), Some(&"finished"));
        assert_eq!(host.run(self.context, self.get).value(), "7");
    }

    pub fn cells_wait_in_their_order_and_can_be_taken_out_of_it(&self) {
        let Some(mut host) = self.host() else { return };
        let (first, first_id) = host.open_cell(self.context, self.sleep);
        let (second, second_id) = host.open_cell(self.context, self.raise);
        let (third, _) = host.open_cell(self.context, self.set);
        let (fourth, _) = host.open_cell(self.context, self.get);
        host.interrupt(&second_id, InterruptReason::Caller);
        let run = host.collect(second);
        assert_eq!((run.outcome(), run.started), (Outcome::Interrupted, None));
        host.interrupt(&first_id, InterruptReason::Caller);
        assert_eq!(host.collect(first).outcome(), Outcome::Interrupted);
        assert_eq!(host.collect(third).outcome(), Outcome::Ok);
        assert_eq!(host.collect(fourth).value(), "7");
    }

    pub fn a_full_queue_refuses(&self) {
        let Some(mut host) = self.host() else { return };
        let (first, id) = host.open_cell(self.context, self.sleep);
        let mut run = Run::default();
        while run.started.is_none() {
            host.step(first, &mut run, PATIENCE);
        }
        let streams: Vec<u32> = (0..65)
            .map(|_| host.open_cell(self.context, self.set).0)
            .collect();
        assert_eq!(host.collect(streams[64]).code(), "too_many_cells");
        host.interrupt(&id, InterruptReason::Caller);
        for stream in &streams[..64] {
            assert_eq!(host.collect(*stream).outcome(), Outcome::Ok);
        }
    }

    pub fn a_cell_sent_twice_runs_once(&self) {
        let Some(mut host) = self.host() else { return };
        let request = cell(self.context, self.hello);
        let first = host.open(host_open::Target::RunCell(request.clone()));
        let second = host.open(host_open::Target::RunCell(request.clone()));
        let (one, two) = (host.collect(first), host.collect(second));
        assert_eq!((one.out(), two.out()), ("hello\n".into(), "hello\n".into()));
        assert_eq!(one.started, two.started);
        host.reconnect();
        let third = host.open(host_open::Target::RunCell(request));
        let three = host.collect(third);
        assert_eq!(
            (three.out().as_str(), three.started),
            ("hello\n", one.started)
        );
        assert_eq!(
            host.run(self.context, self.hello)
                .started
                .unwrap()
                .cell_number,
            2
        );
    }

    pub fn source_longer_than_a_frame_comes_in_pieces(&self, comment: &str) {
        let Some(mut host) = self.host() else { return };
        let mut code = String::new();
        while code.len() < 400_000 {
            code.push_str(comment);
            code.push_str(" filler of no meaning\n");
        }
        code.push_str(self.hello);
        let (head, rest) = code.as_bytes().split_at(60_000);
        let request = RunCell {
            code_length: code.len() as u64,
            ..cell(self.context, std::str::from_utf8(head).unwrap())
        };
        let stream = host.open(host_open::Target::RunCell(request));
        let (mut credit, mut sent, mut out) = (0, 0, Vec::new());
        loop {
            while credit > 0 && sent < rest.len() {
                let part = credit.min(rest.len() - sent).min(50_000);
                host.send(stream, FrameType::Data, 0, &rest[sent..sent + part]);
                sent += part;
                credit -= part;
            }
            let (header, payload) = host.next_of(stream, PATIENCE).expect("a frame");
            match header.kind {
                FrameType::Opened => {
                    credit += Opened::decode(payload.as_slice()).unwrap().window as usize
                }
                FrameType::Credit => {
                    credit += Credit::decode(payload.as_slice()).unwrap().bytes as usize
                }
                FrameType::Data => out.extend(payload),
                FrameType::End => break,
                _ => {}
            }
        }
        assert_eq!(out, b"hello\n");
        let request = RunCell {
            code_length: (8 << 20) + 1,
            ..cell(self.context, "")
        };
        let stream = host.open(host_open::Target::RunCell(request));
        assert_eq!(host.collect(stream).code(), "body_too_large");
    }

    pub fn an_interpreter_started_ahead_is_told_the_environment(&self) {
        let Some(mut host) = self.host() else { return };
        let configure = |environment: &[(&str, &str)], unset: &[&str]| Configure {
            prestart: vec![self.context.into()],
            environment: environment
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            unset_environment: unset.iter().map(|name| name.to_string()).collect(),
            ..Configure::default()
        };
        host.request(host_control::Body::Configure(configure(&[], &[])));
        let end = Instant::now() + PATIENCE;
        while !host
            .contexts()
            .get(self.context)
            .is_some_and(|state| state.ready)
        {
            assert!(Instant::now() < end, "never ready");
            host.listen(Duration::from_millis(10));
        }
        let state = host.contexts()[self.context].clone();
        assert!(!state.interpreter_version.is_empty() && state.pid > 0);
        assert_eq!(host.run(self.context, self.configured).out().trim(), "None");
        host.request(host_control::Body::Configure(configure(
            &[("CONFIGURED", "yes")],
            &[],
        )));
        assert_eq!(host.run(self.context, self.configured).out().trim(), "yes");
        host.request(host_control::Body::Configure(configure(
            &[],
            &["CONFIGURED"],
        )));
        let run = host.run(self.context, self.configured);
        assert_eq!(run.out().trim(), "None");
        assert_eq!(
            run.started.unwrap().pid,
            state.pid,
            "still the interpreter that was started ahead"
        );
    }

    /// What the interpreter reads at its start and never again reaches one that was started ahead, by another start; whoever has
    /// used an interpreter keeps it.
    pub fn a_variable_of_the_start_renews_an_interpreter_started_ahead(&self) {
        let Some(mut host) = self.host() else { return };
        let configure = |value: &str, renew: &str| {
            let (name, _) = self.start;
            let environment = [(name.to_owned(), value.to_owned())].into();
            host_control::Body::Configure(Configure {
                prestart: vec![self.context.into()],
                environment,
                renew: vec![renew.into()],
                ..Configure::default()
            })
        };
        host.request(configure("/first", "another"));
        host.request(configure("/second", self.context));
        let run = host.run(self.context, self.start.1);
        assert_eq!(run.out().trim(), "/second");
        host.request(configure("/third", self.context));
        let after = host.run(self.context, self.start.1);
        assert_eq!(after.out().trim(), "/second");
        assert_eq!(after.started.unwrap().pid, run.started.unwrap().pid);
    }

    pub fn an_interpreter_started_ahead_follows_a_change_of_directory(&self) {
        let Some(mut host) = self.host() else { return };
        for directory in ["/usr", "/etc"] {
            let configure = Configure {
                prestart: vec![self.context.into()],
                working_directory: directory.into(),
                ..Configure::default()
            };
            host.request(host_control::Body::Configure(configure));
        }
        assert_eq!(
            host.run(self.context, self.directory)
                .value()
                .trim_matches('\''),
            "/etc"
        );
    }

    pub fn further_contexts_are_opened_and_closed(&self) {
        let Some(mut host) = self.host() else { return };
        let open = OpenContext {
            context_id: "second".into(),
            language: self.context.into(),
            ..OpenContext::default()
        };
        for _ in 0..2 {
            let answer = host.request(host_control::Body::OpenContext(open.clone()));
            assert!(matches!(answer, agent_control::Body::Done(_)), "{answer:?}");
        }
        host.run("second", self.set);
        assert_ne!(host.run(self.context, self.get).outcome(), Outcome::Ok);
        assert_eq!(host.run("second", self.get).value(), "7");
        let close = host_control::Body::CloseContext(CloseContext {
            context_id: "second".into(),
        });
        assert!(matches!(
            host.request(close.clone()),
            agent_control::Body::Done(_)
        ));
        assert_eq!(host.run("second", self.hello).code(), "context_not_found");
        assert!(matches!(
            host.request(close),
            agent_control::Body::Failure(_)
        ));
    }
}
