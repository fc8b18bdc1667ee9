//! A network namespace whose only way out is the captured device.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use microsandbox_egress::{Device, await_ipv6};
use rustix::thread::{UnshareFlags, unshare_unsafe};

type Task = Box<dyn FnOnce() + Send>;

/// Runs code on a thread inside the namespace; threads that it starts are inside as well.
pub struct Sandbox {
    tasks: Sender<Task>,
}

impl Sandbox {
    /// None, said on standard output, where this machine does not let a test make one.
    pub fn create(test: &str) -> Option<(Self, Device)> {
        let (device_to, device_from) = channel();
        let (tasks, inbox) = channel::<Task>();
        thread::spawn(move || {
            // SAFETY: a network namespace of this thread's own takes nothing from others.
            let result = unsafe { unshare_unsafe(UnshareFlags::NEWNET) }
                .map_err(std::io::Error::from)
                .and_then(|()| Device::create(Path::new("/dev/net/tun")))
                .and_then(|device| await_ipv6().map(|()| device));
            device_to.send(result).unwrap();
            for task in inbox {
                task();
            }
        });
        match device_from.recv().unwrap() {
            Ok(device) => Some((Self { tasks }, device)),
            Err(error) if !rustix::process::geteuid().is_root() => {
                println!(
                    "SKIPPED {test}: needs root for a network namespace and a TUN device ({error})"
                );
                None
            }
            Err(error) => panic!("no captured device: {error}"),
        }
    }

    pub fn run<T: Send + 'static>(&self, program: impl FnOnce() -> T + Send + 'static) -> T {
        let (to, from) = channel();
        let task = Box::new(move || {
            let _ = to.send(program());
        });
        self.tasks.send(task).unwrap();
        from.recv().expect("the program inside failed")
    }
}
