//! The server of this machine, for clients that named none.

use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::address::{Address, DEFAULT_SOCKET, DEFAULT_URL};
use crate::connect::Connector;
use crate::error::SandboxError;

const START_LIMIT: Duration = Duration::from_secs(60);
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// The last attempt to start it: when it ended, and what was wrong.
static LAST_ATTEMPT: Mutex<Option<(Instant, Result<(), String>)>> = Mutex::const_new(None);

/// Gives the address of the local server; starts it where none answers.
pub(crate) async fn local_server() -> Result<Address, SandboxError> {
    if let Some(found) = find_local().await? {
        return Ok(found);
    }
    start_once()
        .await
        .map_err(|why| SandboxError::unreachable(why, None))?;
    find_local().await?.ok_or_else(|| {
        let message = "the local server was started but does not answer; see: msb server status";
        SandboxError::unreachable(message, None)
    })
}

async fn find_local() -> Result<Option<Address>, SandboxError> {
    for address in [
        Address::of_socket(DEFAULT_SOCKET),
        Address::parse(DEFAULT_URL)?,
    ] {
        if answers(&address).await {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

/// Whether something accepts connections there, and this user may connect.
async fn answers(address: &Address) -> bool {
    let endpoint = address.endpoint.clone();
    let connecting = Connector { endpoint }.connect();
    matches!(timeout(PROBE_LIMIT, connecting).await, Ok(Ok(_)))
}

/// Many sandboxes may be created at once, but one server is started: who waited for an attempt shares what came of it.
async fn start_once() -> Result<(), String> {
    let asked = Instant::now();
    let mut last = LAST_ATTEMPT.lock().await;
    match &*last {
        Some((ended, outcome)) if *ended >= asked => return outcome.clone(),
        _ => {}
    }
    let outcome = start().await;
    *last = Some((Instant::now(), outcome.clone()));
    outcome
}

/// Runs `msb server start`, by sudo where this is not root, and says so.
async fn start() -> Result<(), String> {
    let msb = Search::of_process().msb().ok_or(
        "no server answers and the msb command is not on the PATH; start one with: msb server start",
    )?;
    let mut words: Vec<OsString> = vec![msb.clone().into(), "server".into(), "start".into()];
    if !rustix::process::geteuid().is_root() {
        words.splice(0..0, ["sudo".into(), "-n".into()]);
    }
    let shown = words.join(" ".as_ref());
    eprintln!(
        "microsandbox: no server answers, starting the local one ({})",
        shown.to_string_lossy()
    );
    let starting = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .output();
    let reason = match timeout(START_LIMIT, starting).await {
        Ok(Ok(done)) if done.status.success() => return Ok(()),
        Ok(Ok(done)) => String::from_utf8_lossy(&done.stderr).trim().to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("nothing within {} s", START_LIMIT.as_secs()),
    };
    Err(format!(
        "the local server could not be started; try: sudo {} server start\n{reason}",
        msb.display()
    ))
}

/// Where the `msb` command is looked for: what was named, the PATH, and the checkout that this crate was built in.
struct Search {
    named: Option<OsString>,
    path: OsString,
    source: PathBuf,
    user: u32,
}

impl Search {
    fn of_process() -> Self {
        Self {
            named: std::env::var_os("MSB_PATH").filter(|value| !value.is_empty()),
            path: std::env::var_os("PATH").unwrap_or_default(),
            source: env!("CARGO_MANIFEST_DIR").into(),
            user: rustix::process::geteuid().as_raw(),
        }
    }

    fn msb(&self) -> Option<PathBuf> {
        if let Some(named) = &self.named {
            return Some(named.into());
        }
        let on_path = std::env::split_paths(&self.path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("msb"))
            .find(|path| is_program(path));
        on_path.or_else(|| self.msb_of_checkout())
    }

    /// The crate's folder is that of the machine where it was built; elsewhere somebody else may have made one of that
    /// name, so the program there must belong to root or to this user.
    fn msb_of_checkout(&self) -> Option<PathBuf> {
        let root = self.source.ancestors().find(|folder| {
            is_program(&folder.join("msb")) && folder.join("spec/openapi.yaml").is_file()
        })?;
        let owner = root.join("msb").metadata().ok()?.uid();
        (owner == 0 || owner == self.user).then(|| root.join("msb"))
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn make_program(path: &Path) {
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn msb_is_found_by_its_name_then_the_path_then_the_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let checkout = folder.path().join("checkout");
        fs::create_dir_all(checkout.join("spec")).unwrap();
        fs::create_dir_all(checkout.join("sdk/rust")).unwrap();
        fs::write(checkout.join("spec/openapi.yaml"), "").unwrap();
        make_program(&checkout.join("msb"));
        make_program(&folder.path().join("msb"));
        let mut search = Search {
            named: Some("/named/msb".into()),
            path: format!("relative:/nothing:{}", folder.path().display()).into(),
            source: checkout.join("sdk/rust"),
            user: rustix::process::geteuid().as_raw(),
        };
        assert_eq!(search.msb(), Some("/named/msb".into()));
        search.named = None;
        assert_eq!(search.msb(), Some(folder.path().join("msb")));
        search.path = "/nothing".into();
        assert_eq!(search.msb(), Some(checkout.join("msb")));
        search.source = folder.path().join("elsewhere");
        assert_eq!(search.msb(), None);
    }

    #[test]
    fn msb_of_a_checkout_that_is_somebody_elses_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("spec")).unwrap();
        fs::write(folder.path().join("spec/openapi.yaml"), "").unwrap();
        make_program(&folder.path().join("msb"));
        let owner = folder.path().metadata().unwrap().uid();
        let search = |user| Search {
            named: None,
            path: OsString::new(),
            source: folder.path().into(),
            user,
        };
        assert!(search(owner).msb().is_some());
        // What root owns is trusted by everybody.
        assert_eq!(search(owner + 1).msb().is_some(), owner == 0);
    }
}
