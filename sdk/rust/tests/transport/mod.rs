//! The client's side of HTTP, against small servers that behave well and badly.

mod failures;
mod requests;
mod streams;

use libtest_mimic::Trial;

use crate::support::canned::Canned;

const FINISHED: &str = r#"{"outcome": "ok", "exit_code": null, "has_error": false}"#;

pub fn trials() -> Vec<Trial> {
    [requests::trials(), failures::trials(), streams::trials()]
        .into_iter()
        .flatten()
        .collect()
}

fn stops(server: &Canned) -> usize {
    server
        .seen()
        .iter()
        .filter(|seen| seen.path.ends_with("/stop"))
        .count()
}
