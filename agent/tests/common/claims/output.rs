//! Whose output is it, and who gets it when.

use super::*;

impl Words {
    pub fn a_slow_reader_makes_the_program_wait_and_loses_nothing(&self) {
        let Some(mut host) = self.host() else { return };
        let stream = host.open_with(
            host_open::Target::RunCell(cell(self.context, self.lots)),
            10_000,
        );
        let mut got = 0;
        let mut text = Vec::new();
        while got < 10_000 {
            let (header, payload) = host.next_of(stream, PATIENCE).expect("output");
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
        assert!(
            host.next_of(stream, Duration::from_millis(700)).is_none(),
            "more than was granted"
        );
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
}
