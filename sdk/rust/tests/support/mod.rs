//! What the tests stand on.

pub mod blocks;
pub mod canned;
pub mod project;

pub mod server;
pub mod web;

use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::Trial;

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The folder of the crate.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the checkout.
pub fn root() -> PathBuf {
    package()
        .join("../..")
        .canonicalize()
        .expect("the checkout's folder")
}

/// Reads a file of the checkout.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A test that is a function.
pub fn trial(name: impl Into<String>, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        body();
        Ok(())
    })
}

/// A test that is a future, in a runtime of its own, which begins when what it needs is there.
pub fn trial_async<F: Future<Output = ()>>(
    name: impl Into<String>,
    needed: fn(),
    body: impl FnOnce() -> F + Send + 'static,
) -> Trial {
    trial(name, move || {
        needed();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            tokio::time::timeout(PATIENCE, body())
                .await
                .expect("the test did not end")
        });
    })
}

/// Makes a list of tests of functions, whose names are their claims.
#[macro_export]
macro_rules! trials {
    ($theme:literal: $($name:ident),+ $(,)?) => { $crate::trials!($theme after (|| {}): $($name),+) };
    ($theme:literal after $needed:tt: $($name:ident),+ $(,)?) => {
        vec![$($crate::support::trial_async(
            concat!($theme, ": ", stringify!($name)).replace('_', " "), $needed, $name)),+]
    };
}
