//! Users of the sandbox, read from its own files at every use: packages add users while it runs.

use crate::error::{Error, Result};
use crate::kept_file;
use std::path::Path;

pub const DEFAULT_USER: &str = "sandbox";
const DEFAULT_ID: u32 = 1000;
const MAX_FILE: u64 = 1 << 20;

/// Who a program is run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// All of the user's groups, the primary one among them.
    pub groups: Vec<u32>,
    pub home: String,
    pub shell: String,
}

/// Whether programs are run as other users than the agent's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switching {
    /// As PID 1 of a sandbox: by name, from the sandbox's files.
    ByName,
    /// Outside of one: everything runs as the agent's user.
    Never,
}

impl Switching {
    /// Looks up a user; an empty name means the default user.
    pub fn look_up(self, name: &str) -> Result<User> {
        let name = if name.is_empty() { DEFAULT_USER } else { name };
        match self {
            Switching::ByName => by_name(name, &file("/etc/passwd"), &file("/etc/group")),
            Switching::Never => Ok(own(name)),
        }
    }
}

fn file(path: &str) -> String {
    let bytes = kept_file::read(Path::new(path), MAX_FILE).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn own(name: &str) -> User {
    let uid = rustix::process::getuid().as_raw();
    let variable =
        |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.into());
    User {
        name: name.into(),
        uid,
        gid: rustix::process::getgid().as_raw(),
        groups: Vec::new(),
        home: variable("HOME", "/"),
        shell: variable("SHELL", "/bin/sh"),
    }
}

fn by_name(name: &str, passwd: &str, group: &str) -> Result<User> {
    let entry = passwd.lines().find_map(|line| entry(line, name));
    let mut user = match entry {
        Some(user) => user,
        None => absent(name)?,
    };
    user.groups = groups(name, user.gid, group);
    Ok(user)
}

/// The two users that every sandbox has, whether its image lists them or not.
fn absent(name: &str) -> Result<User> {
    let (id, home) = match name {
        DEFAULT_USER => (DEFAULT_ID, "/home/sandbox"),
        "root" => (0, "/root"),
        _ => {
            let message =
                format!("there is no user {name:?} in this sandbox; use \"sandbox\" or \"root\"");
            return Err(Error::refused("unknown_user", message));
        }
    };
    let home = if Path::new(home).is_dir() { home } else { "/" };
    Ok(User {
        name: name.into(),
        uid: id,
        gid: id,
        groups: Vec::new(),
        home: home.into(),
        shell: "/bin/sh".into(),
    })
}

fn entry(line: &str, name: &str) -> Option<User> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let home = fields
        .nth(1)
        .filter(|home| home.starts_with('/'))
        .unwrap_or("/");
    let shell = fields
        .next()
        .filter(|shell| shell.starts_with('/'))
        .unwrap_or("/bin/sh");
    Some(User {
        name: name.into(),
        uid,
        gid,
        groups: Vec::new(),
        home: home.into(),
        shell: shell.into(),
    })
}

fn groups(name: &str, primary: u32, file: &str) -> Vec<u32> {
    let member = |line: &str| {
        let mut fields = line.split(':');
        let id = fields.nth(2)?.parse::<u32>().ok()?;
        let members = fields.next()?;
        members
            .split(',')
            .any(|member| member == name)
            .then_some(id)
    };
    let mut groups: Vec<u32> = file.lines().filter_map(member).take(64).collect();
    groups.push(primary);
    groups.sort_unstable();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nsandbox:x:1000:1001::/home/sandbox:/bin/sh\nbad:x:y:1::/:/\n";
    const GROUP: &str = "root:x:0:\nvideo:x:44:sandbox,other\nsandbox:x:1001:\n";

    #[test]
    fn a_user_comes_with_home_shell_and_all_groups() {
        let user = by_name("sandbox", PASSWD, GROUP).unwrap();
        assert_eq!(
            (user.uid, user.gid, user.groups),
            (1000, 1001, vec![44, 1001])
        );
        assert_eq!(
            (user.home.as_str(), user.shell.as_str()),
            ("/home/sandbox", "/bin/sh")
        );
    }

    #[test]
    fn a_line_that_is_no_entry_is_an_unknown_user() {
        for name in ["bad", "nobody", "", "root:x"] {
            assert!(by_name(name, PASSWD, GROUP).is_err(), "{name}");
        }
    }

    #[test]
    fn sandbox_and_root_exist_without_an_entry() {
        assert_eq!(by_name("sandbox", "", "").unwrap().uid, 1000);
        assert_eq!(by_name("root", "", "").unwrap().uid, 0);
    }
}
