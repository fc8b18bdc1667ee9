//! The sandbox's state in numbers, and its end.

use crate::agent::Agent;
use crate::sys;
use crate::timers::Timer;
use crate::users::Switching;
use crate::wire::{Status, agent_control};
use std::time::Duration;

const DEFAULT_GRACE: Duration = Duration::from_secs(1);

/// An end under way.
#[derive(Debug)]
pub struct Ending {
    /// The request that asked for it, 0 for a signal.
    pub request: u64,
}

impl Agent {
    pub fn report_status(&mut self, request: u64) {
        let disk = rustix::fs::statvfs("/").ok();
        let bytes = |blocks: fn(&rustix::fs::StatVfs) -> u64| {
            disk.as_ref()
                .map_or(0, |disk| blocks(disk).saturating_mul(disk.f_frsize))
        };
        let total = bytes(|disk| disk.f_blocks);
        let status = Status {
            disk_used: total.saturating_sub(bytes(|disk| disk.f_bfree)),
            disk_total: total,
            processes: processes(),
            contexts: self.context_states(),
        };
        self.send(request, agent_control::Body::Status(status));
    }

    /// Ends everything, politely first, and then this agent.
    pub fn shut_down(&mut self, request: u64, grace_ms: u32) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(Ending { request });
        let grace = match grace_ms {
            0 => DEFAULT_GRACE,
            given => Duration::from_millis(u64::from(given)),
        };
        self.signal_all(libc::SIGTERM);
        self.timers.after(grace, Timer::ShutdownGrace);
        // Not only when a child ends: there may never have been one.
        self.reap();
    }

    /// Those that are still there have had their time.
    pub fn shutdown_overdue(&mut self) {
        if self.ending.is_some() {
            self.signal_all(libc::SIGKILL);
            self.timers.after(DEFAULT_GRACE, Timer::ShutdownGrace);
            self.end_if_alone();
        }
    }

    /// As PID 1 everything there is; else what was started here.
    fn signal_all(&self, signal: i32) {
        match self.switching {
            Switching::ByName => drop(sys::kill(-1, signal)),
            Switching::Never => {
                for pid in self.children.keys() {
                    let _ = sys::kill(-pid, signal);
                    let _ = sys::kill(*pid, signal);
                }
            }
        }
    }

    /// Ends the agent where nothing else is left.
    pub fn end_if_alone(&mut self) {
        let alone = match self.switching {
            Switching::ByName => self.childless,
            Switching::Never => self.children.is_empty(),
        };
        let Some(ending) = self.ending.as_ref().filter(|_| alone) else {
            return;
        };
        let request = ending.request;
        // What was written goes to the layer when the kernel unmounts it. Asking for that here would wait for the disks of
        // the whole host: sync(2) knows no sandboxes.
        self.done(request);
        self.flush();
        self.over = true;
    }
}

fn processes() -> u32 {
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let numbered = folder.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name();
        name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
    });
    numbered.count() as u32
}
