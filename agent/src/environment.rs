//! The environment that programs of the sandbox are given.

use crate::error::{Error, Result};
use crate::users::User;
use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

pub const CA_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Tools that bring authorities of their own are pointed at the system's by these.
const CA_VARIABLES: [&str; 4] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
];
const USER_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";
const ROOT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub type Variables = BTreeMap<String, String>;

/// What environments are made of, from the weakest to the strongest: the image's, the user's, the host's words.
#[derive(Debug, Default)]
pub struct Environment {
    image: Variables,
    configured: Variables,
    unset: Vec<String>,
    authorities: bool,
    version: u64,
}

impl Environment {
    /// Takes the agent's own environment, which is the image's, without what was meant for the agent.
    pub fn of_process() -> Self {
        let text = |value: OsString| String::from_utf8_lossy(&value.into_vec()).into_owned();
        let image = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        Environment {
            image: image
                .filter(|(name, _)| !name.starts_with("MSB_"))
                .collect(),
            ..Environment::default()
        }
    }

    /// Replaces what the host had configured, where it says something now. What it takes away stays away until it is given
    /// again.
    pub fn configure(&mut self, variables: Variables, unset: Vec<String>) {
        self.version += 1;
        if !unset.is_empty() {
            self.configured.retain(|name, _| !unset.contains(name));
            self.unset = unset;
        }
        if !variables.is_empty() {
            self.configured = variables;
        }
    }

    /// The host has given authorities of its own, so that tools are to be pointed at the system's bundle.
    pub fn set_authorities(&mut self) {
        self.version += u64::from(!self.authorities);
        self.authorities = true;
    }

    /// Counts the changes, for those who have composed one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The whole environment for a program of `user`, with what its request adds.
    pub fn compose(&self, user: &User, requested: &Variables) -> Variables {
        let mut all = self.image.clone();
        let path = if user.uid == 0 { ROOT_PATH } else { USER_PATH };
        all.entry("PATH".into()).or_insert_with(|| path.into());
        for (name, value) in [
            ("HOME", &user.home),
            ("USER", &user.name),
            ("LOGNAME", &user.name),
            ("SHELL", &user.shell),
        ] {
            all.insert(name.into(), value.clone());
        }
        if self.authorities {
            for name in CA_VARIABLES {
                all.entry(name.into()).or_insert_with(|| CA_BUNDLE.into());
            }
        }
        for name in &self.unset {
            all.remove(name);
        }
        all.extend(self.configured.clone());
        all.extend(requested.clone());
        all
    }
}

/// Whether the system can hold these variables.
pub fn check(variables: &Variables) -> Result<()> {
    for (name, value) in variables {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            let message = format!(
                "the environment variable {name:?} has a name or value that no program can be given"
            );
            return Err(Error::refused("invalid_request", message));
        }
    }
    Ok(())
}

/// `NAME=value` for exec; what could not be passed is left out.
pub fn strings(variables: &Variables) -> Vec<CString> {
    let pair = |(name, value): (&String, &String)| CString::new(format!("{name}={value}")).ok();
    variables.iter().filter_map(pair).collect()
}
