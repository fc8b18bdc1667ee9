//! How cells and interpreters end before their time.

use super::*;

/// What an interrupt may take here, where the machine is shared; the promise is 200 ms on a free one.
const SLACK: Duration = Duration::from_secs(10);

impl Words {
    /// `ready` is what the code prints once it stands where it is to be interrupted; empty where a moment will do.
    fn interrupted(&self, code: &str, ready: &str, lost: bool, most: Duration) {
        let Some(mut host) = self.host() else { return };
        host.run(self.context, self.set);
        let (stream, id) = host.open_cell(self.context, code);
        let mut run = Run::default();
        while run.started.is_none() || !run.out().contains(ready) {
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
        self.interrupted(self.sleep, "", false, SLACK);
    }

    pub fn a_loop_is_interrupted_and_state_kept(&self) {
        self.interrupted(self.spin, "", false, SLACK);
    }

    pub fn code_that_resists_is_killed_after_its_grace(&self) {
        self.interrupted(self.resist, "ready", true, Duration::from_secs(1) + SLACK);
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
