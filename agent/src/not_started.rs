//! Why a program did not start, as its child reports it and as the host is told.

/// What the child was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    Prepare = 1,
    User = 2,
    Directory = 3,
    Exec = 4,
}

/// Why a program did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotStarted {
    pub stage: Stage,
    pub errno: i32,
}

impl NotStarted {
    /// Reads what the child wrote: nothing where exec succeeded.
    pub fn parse(report: &[u8]) -> Option<Self> {
        let (stage, errno) = report.split_first()?;
        let errno = i32::from_be_bytes(errno.try_into().unwrap_or_default());
        let stage = match stage {
            2 => Stage::User,
            3 => Stage::Directory,
            4 => Stage::Exec,
            _ => Stage::Prepare,
        };
        Some(NotStarted { stage, errno })
    }
}

/// The code and message for the host.
pub fn explain(reason: NotStarted, program: &str) -> (&'static str, String) {
    match (reason.stage, reason.errno) {
        (Stage::Directory, libc::EACCES) => (
            "permission_denied",
            "the user may not enter the working directory".into(),
        ),
        (Stage::Directory, _) => (
            "no_such_directory",
            "the working directory does not exist in the sandbox; create it first".into(),
        ),
        (Stage::Exec, libc::ENOENT | libc::ENOTDIR) => (
            "command_not_found",
            format!(
                "there is no program {program:?} on the user's PATH; install it or give its full path"
            ),
        ),
        (Stage::Exec, libc::E2BIG) => (
            "invalid_request",
            "arguments and environment are larger than the system takes".into(),
        ),
        (Stage::Exec, libc::ENOMEM) => (
            "out_of_memory",
            "the sandbox has no memory left to start a program".into(),
        ),
        (Stage::Exec, _) => (
            "command_not_executable",
            format!("{program:?} cannot be executed; check its mode, format and interpreter line"),
        ),
        (_, errno) => {
            let error = std::io::Error::from_raw_os_error(errno);
            (
                "internal",
                format!("the program could not be started as this user: {error}"),
            )
        }
    }
}
