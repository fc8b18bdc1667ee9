//! Cargo projects of users: a folder with programs, compiled together.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::package;

/// A project that is compiled. Its programs lie in the target folder that all of the crate's tests share.
pub struct Project {
    pub folder: TempDir,
    name: &'static str,
}

impl Project {
    /// A project with these lines after `[dependencies]`, these programs, and the versions of a lock file.
    pub fn compile(
        name: &'static str,
        dependencies: &str,
        programs: &[(String, String)],
        lock: &Path,
    ) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("msb-")
            .tempdir_in("/tmp")
            .expect("a folder");
        let sources = folder.path().join("src/bin");
        std::fs::create_dir_all(&sources).expect("a folder");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\nrust-version = \"1.85\"\n\n\
            [lints.rust]\nwarnings = \"deny\"\n\n[dependencies]\n{dependencies}\n"
        );
        std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
        std::fs::copy(lock, folder.path().join("Cargo.lock")).expect("a file");
        for (program, source) in programs {
            std::fs::write(sources.join(format!("{name}-{program}.rs")), source).expect("a file");
        }
        let done = cargo()
            .arg("build")
            .arg("--quiet")
            .current_dir(folder.path())
            .output()
            .expect("cargo runs");
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        Self { folder, name }
    }

    /// Where a program of it is.
    pub fn program(&self, program: &str) -> PathBuf {
        target().join(format!("debug/{}-{program}", self.name))
    }

    /// Runs a program of it as a user would, and gives what came of it.
    pub fn run(&self, program: &str, environment: &[(&str, String)]) -> Output {
        Command::new(self.program(program))
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the program runs")
    }

    /// Runs a program of it that has to succeed, and gives what it printed.
    pub fn printed(&self, program: &str, environment: &[(&str, String)]) -> String {
        let done = self.run(program, environment);
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).expect("text")
    }
}

/// The cargo that runs these tests, with the target folder that they share.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.env("CARGO_TARGET_DIR", target());
    cargo
}

/// That folder.
pub fn target() -> PathBuf {
    package().join("target")
}
