//! What holds for cells of every language; each language's test file gives the words.
#![allow(dead_code)]

use super::*;
use microsandbox_agent::frame::FrameType;

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

    fn interrupted(&self, code: &str, lost: bool, most: Duration) {
        let Some(mut host) = self.host() else { return };
        host.run(self.context, self.set);
        let (stream, id) = host.open_cell(self.context, code);
        let mut run = Run::default();
        while run.started.is_none() {
            host.step(stream, &mut run, PATIENCE);
        }
        host.listen(Duration::from_millis(200));
        let began = Instant::now();
        host.interrupt(&id, InterruptReason::Timeout);
        while !host.step(stream, &mut run, PATIENCE) {}
        let took = began.elapsed();
        assert_eq!(
            (run.outcome(), run.finished().state_lost),
            (Outcome::TimedOut, lost),
            "{run:?}"
        );
        assert!(took < most, "{took:?}");
        let kept = host.run(self.context, self.get);
        assert_eq!(kept.outcome() == Outcome::Ok, !lost, "{kept:?}");
        assert_eq!(host.run(self.context, self.hello).out(), "hello\n");
    }

    pub fn a_sleep_is_interrupted_and_state_kept(&self) {
        self.interrupted(self.sleep, false, SLACK);
    }

    pub fn a_loop_is_interrupted_and_state_kept(&self) {
        self.interrupted(self.spin, false, SLACK);
    }

    pub fn code_that_resists_is_killed_after_its_grace(&self) {
        self.interrupted(self.resist, true, Duration::from_secs(1) + SLACK);
    }

    pub fn endless_output_is_interrupted(&self) {
        let Some(mut host) = self.host() else { return };
        let (stream, id) = host.open_cell(self.context, self.endless);
        // No credit is ever given: the program stands in a full pipe.
        let mut got = 0;
        while got < WINDOW as usize {
            let (header, payload) = host.next_of(stream, PATIENCE).expect("output");
            got += if header.kind == FrameType::Data {
                payload.len()
            } else {
                0
            };
        }
        assert!(
            host.next_of(stream, Duration::from_millis(300)).is_none(),
            "more than the window"
        );
        let began = Instant::now();
        host.interrupt(&id, InterruptReason::Caller);
        host.credit(stream, 1 << 20);
        let mut run = Run::default();
        while !host.step(stream, &mut run, PATIENCE) {}
        assert_eq!(
            (run.outcome(), run.finished().state_lost),
            (Outcome::Interrupted, false),
            "{:?}",
            run.finished
        );
        assert!(began.elapsed() < SLACK, "{:?}", began.elapsed());
    }

    pub fn a_process_that_exits_loses_its_state_and_is_replaced(&self) {
        let Some(mut host) = self.host() else { return };
        host.run(self.context, self.set);
        let run = host.run(self.context, self.exit);
        let finished = run.finished();
        assert_eq!(
            (run.outcome(), finished.exit_code, finished.state_lost),
            (Outcome::Exited, 3, true)
        );
        assert_ne!(host.run(self.context, self.get).outcome(), Outcome::Ok);
        let run = host.run(self.context, self.kill);
        let finished = run.finished();
        assert_eq!(
            (run.outcome(), finished.signal, finished.state_lost),
            (Outcome::Signaled, libc::SIGKILL, true)
        );
        assert!(finished.oom_suspected);
        assert_eq!(host.run(self.context, self.hello).out(), "hello\n");
    }

    pub fn a_lost_control_socket_is_a_dead_interpreter(&self) {
        let Some(mut host) = self.host() else { return };
        let run = host.run(self.context, self.sever);
        assert!(run.finished().state_lost, "{run:?}");
        assert_eq!(host.run(self.context, self.hello).out(), "hello\n");
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

    pub fn a_slow_reader_makes_the_program_wait_and_loses_nothing(&self) {
        let Some(mut host) = self.host() else { return };
        let stream = host.open_with(
            host_open::Target::RunCell(cell(self.context, self.lots)),
            10_000,
        );
        let mut got = 0;
        let mut text = Vec::new();
        while let Some((header, payload)) = host.next_of(stream, Duration::from_millis(700)) {
            assert_ne!(
                header.kind,
                FrameType::End,
                "the cell ended although nobody read"
            );
            if header.kind == FrameType::Data {
                got += payload.len();
                text.extend(payload);
            }
        }
        assert_eq!(got, 10_000);
        host.credit(stream, 500_000);
        let run = host.collect(stream);
        text.extend(run.stdout);
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 20_000);
        for (number, line) in lines.iter().enumerate() {
            assert!(line.starts_with(&format!("{number} ")), "{line}");
        }
        assert_eq!(run.finished.unwrap().output_end, text.len() as u64);
    }

    pub fn output_is_complete_before_the_end_however_large(&self) {
        let Some(mut host) = self.host() else { return };
        let run = host.run(self.context, self.lots);
        assert_eq!(run.out().lines().count(), 20_000);
        assert_eq!(run.order.last(), Some(&"finished"));
    }

    pub fn a_cell_outlives_the_connection_and_is_attached_to_again(&self) {
        let Some(mut host) = self.host() else { return };
        let (stream, id) = host.open_cell(self.context, self.lots);
        let mut run = Run::default();
        while run.stdout.len() < 50_000 {
            host.step(stream, &mut run, PATIENCE);
        }
        let seen = run.stdout.len() as u64;
        host.reconnect();
        let pushed_out = host
            .hello
            .objects
            .iter()
            .find(|object| object.object_id == id)
            .expect("listed in hello");
        assert!(pushed_out.output_end >= seen);
        let stream = host.attach(&id, seen);
        let rest = host.collect(stream);
        let offset = rest.opened.unwrap().offset;
        assert!(offset >= seen);
        assert_eq!(
            offset + rest.stdout.len() as u64,
            rest.finished().output_end
        );
        assert_eq!(rest.outcome(), Outcome::Ok);
        // The tail is still there, from any offset, as often as it is asked for.
        let end = rest.finished().output_end;
        for back in [0, 1, 1_000] {
            let stream = host.attach(&id, end - back);
            let again = host.collect(stream);
            assert_eq!(
                (again.opened.unwrap().offset, again.stdout.len() as u64),
                (end - back, back)
            );
        }
        let stream = host.attach(&id, 0);
        let all = host.collect(stream);
        assert!(all.stdout.len() >= 1 << 20, "a MiB is kept");
        assert_eq!(all.opened.unwrap().offset + all.stdout.len() as u64, end);
        host.request(host_control::Body::Acknowledge(Acknowledge {
            object_ids: vec![id.clone()],
        }));
        let stream = host.attach(&id, 0);
        assert_eq!(host.collect(stream).code(), "run_not_found");
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

    pub fn a_result_is_sent_again_to_who_attaches_before_it(&self) {
        let Some(mut host) = self.host() else { return };
        let (stream, id) = host.open_cell(
            self.context,
            &format!("{}\n{}", self.hello, self.set.replace('=', "= 5 +")),
        );
        host.collect(stream);
        let (stream, value) = host.open_cell(self.context, self.get);
        let run = host.collect(stream);
        host.reconnect();
        for offset in [0, run.finished().output_end] {
            let stream = host.attach(&value, offset);
            let again = host.collect(stream);
            assert_eq!(again.value(), "12");
        }
        let stream = host.attach(&id, 0);
        assert_eq!(
            host.collect(stream).order,
            ["opened", "started", "stdout", "finished"]
        );
    }

    pub fn a_detached_cell_goes_on(&self) {
        let Some(mut host) = self.host() else { return };
        let stream = host.open_with(
            host_open::Target::RunCell(cell(self.context, self.lots)),
            10_000,
        );
        assert!(host.next_of(stream, PATIENCE).is_some());
        host.send(
            stream,
            FrameType::Reset,
            0,
            &Reset::default().encode_to_vec(),
        );
        assert_eq!(
            host.run(self.context, self.hello).out(),
            "hello\n",
            "the first cell is over, read by nobody"
        );
    }

    pub fn output_after_a_cell_is_background_output(&self) {
        let Some(mut host) = self.host() else { return };
        assert_eq!(host.run(self.context, self.late).outcome(), Outcome::Ok);
        let run = host.run(self.context, self.hello);
        assert_eq!(run.out(), "hello\n");
        assert!(host.background(self.context, "late").0.contains("late"));
    }

    pub fn a_childs_output_after_a_cell_is_background_output(&self) {
        let Some(mut host) = self.host() else { return };
        assert_eq!(
            host.run(self.context, self.late_child).outcome(),
            Outcome::Ok
        );
        assert!(host.background(self.context, "child").0.contains("child"));
        assert_eq!(host.run(self.context, self.hello).out(), "hello\n");
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

    pub fn a_missing_interpreter_is_said_to_be_missing(&self) {
        let mut host = Host::start_with(&[("PATH", "/no/such/folder")]);
        for _ in 0..2 {
            let run = host.run(self.context, self.hello);
            assert_eq!(run.code(), "unknown_language");
            assert!(run.reset.unwrap().message.contains(self.program));
        }
        let open = OpenContext {
            context_id: "x".into(),
            language: self.context.into(),
            ..OpenContext::default()
        };
        match host.request(host_control::Body::OpenContext(open)) {
            agent_control::Body::Failure(failure) => assert_eq!(failure.code, "unknown_language"),
            other => panic!("{other:?}"),
        }
    }

    /// Another program under the interpreter's name, which says something and ends.
    pub fn an_interpreter_that_dies_at_its_start_fails_its_cells_and_does_not_spin(&self) {
        let folder = Folder::new();
        let fake = folder.0.join(self.program);
        let count = folder.0.join("count");
        std::fs::write(
            &fake,
            format!(
                "#!/bin/sh\necho x >> {}\necho 'last words' >&2\nexit 9\n",
                count.display()
            ),
        )
        .unwrap();
        std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.0.display());
        let mut host = Host::start_with(&[("PATH", &path)]);
        let run = host.run(self.context, self.hello);
        assert_eq!(run.code(), "interpreter_failed");
        assert!(run.reset.unwrap().message.contains("last words"));
        for _ in 0..20 {
            assert_eq!(
                host.run(self.context, self.hello).code(),
                "interpreter_failed"
            );
        }
        host.listen(Duration::from_millis(500));
        let starts = std::fs::read_to_string(count).unwrap().lines().count();
        assert!(starts <= 8, "{starts} starts");
    }
}

/// What an interrupt may take here, where the machine is shared; the promise is 200 ms on a free one.
const SLACK: Duration = Duration::from_millis(1_500);
