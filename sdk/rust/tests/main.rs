//! The crate's tests beside its unit tests, as one program: names are made from pages, vectors and the catalogue, and the
//! servers that they share are ended after the last one.

mod contracts;
mod old_client;
mod programs;
mod sandboxes;
mod support;
mod transport;

use libtest_mimic::Arguments;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = contracts::trials();
    trials.extend(transport::trials());
    trials.extend(sandboxes::trials());
    trials.extend(programs::trials());
    trials.extend(old_client::trials());
    let conclusion = libtest_mimic::run(&arguments, trials);
    support::server::end_shared();
    conclusion.exit();
}
