//! What the host says about this sandbox: its name, environment, authorities, files and interpreters.

use crate::agent::Agent;
use crate::environment::{self, CA_BUNDLE};
use crate::error::{Error, Result};
use crate::kept_file;
use crate::wire::{Configure, HostName};
use std::path::{Path, PathBuf};

const MAX_CA: usize = 48 << 10;
const MAX_BUNDLE: u64 = 8 << 20;
/// Everything below this line of the bundle is the host's.
const MARK: &str = "# Authorities added by microsandbox\n";
/// Where Debian's update-ca-certificates finds them again.
const CA_SOURCE: &str = "/usr/local/share/ca-certificates/microsandbox.crt";
/// Nothing is resolved, and nothing waits for that.
const NO_RESOLVER: &str = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";

impl Agent {
    /// Takes a configuration; answers once its files are written.
    pub fn configure(&mut self, request: u64, configure: Configure) -> Result<()> {
        environment::check(&configure.environment)?;
        if configure.ca_bundle.len() > MAX_CA {
            return Err(Error::refused(
                "invalid_request",
                "the bundle of authorities has at most 48 KiB",
            ));
        }
        let environment = &mut self.settings.environment;
        environment.configure(configure.environment, configure.unset_environment);
        self.set_places(configure.default_user, configure.working_directory);
        self.name_host(configure.hostname, configure.hosts)?;
        if let Some(egress) = configure.egress {
            self.set_egress(egress.enabled)?;
        }
        if !configure.ca_bundle.is_empty() {
            self.settings.environment.set_authorities();
            self.add_authorities(&configure.ca_bundle)?;
        }
        for language in &configure.renew {
            self.renew_unused(|id| id == language);
        }
        for language in configure.prestart {
            if let Err(error) = self.prestart(&language) {
                self.diagnose(
                    "warning",
                    &format!("the {language} interpreter is not started ahead: {error}"),
                );
            }
        }
        if configure.files.is_empty() {
            self.done(request);
            return Ok(());
        }
        self.write_configured(request, configure.files)
    }

    /// Where and as whom programs run. Interpreters that were started ahead of this word are started again.
    fn set_places(&mut self, user: String, directory: String) {
        let before = (
            self.settings.default_user.clone(),
            self.settings.working_directory.clone(),
        );
        if !user.is_empty() {
            self.settings.default_user = user;
        }
        if !directory.is_empty() {
            self.settings.working_directory = directory;
        }
        if before.0 != self.settings.default_user || before.1 != self.settings.working_directory {
            self.renew_unused(|_| true);
        }
    }

    fn set_egress(&mut self, enabled: bool) -> Result<()> {
        self.enable_capture(enabled);
        let resolver = if enabled {
            microsandbox_egress::resolv_conf()
        } else {
            NO_RESOLVER.into()
        };
        self.keep("/etc/resolv.conf", &resolver)
    }

    fn name_host(&mut self, hostname: String, hosts: Vec<HostName>) -> Result<()> {
        let names = hosts
            .iter()
            .flat_map(|host| std::iter::once(&host.address).chain(&host.names));
        if hostname.len() > 64
            || !names
                .chain(Some(&hostname).filter(|name| !name.is_empty()))
                .all(|name| is_name(name))
        {
            return Err(Error::refused(
                "invalid_request",
                "a host's name or address holds what no such name can",
            ));
        }
        if !hostname.is_empty() {
            if self.system_root.as_deref() == Some(Path::new("/")) {
                let _ = rustix::system::sethostname(hostname.as_bytes());
            }
            self.keep("/etc/hostname", &format!("{hostname}\n"))?;
            self.settings.hostname = hostname;
        }
        if !hosts.is_empty() {
            self.settings.hosts = hosts;
        }
        let mut file =
            String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
        if !self.settings.hostname.is_empty() {
            file.push_str(&format!("127.0.1.1 {}\n", self.settings.hostname));
        }
        for host in &self.settings.hosts {
            file.push_str(&format!("{} {}\n", host.address, host.names.join(" ")));
        }
        self.keep("/etc/hosts", &file)
    }

    fn add_authorities(&mut self, bundle: &[u8]) -> Result<()> {
        let Some(path) = self.system_path(CA_BUNDLE) else {
            return Ok(());
        };
        let before = kept_file::read(&path, MAX_BUNDLE).unwrap_or_default();
        let mut text = String::from_utf8_lossy(&before).into_owned();
        text.truncate(text.find(MARK).unwrap_or(text.len()));
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(MARK);
        text.push_str(&String::from_utf8_lossy(bundle));
        self.keep(CA_SOURCE, &String::from_utf8_lossy(bundle))?;
        self.keep(CA_BUNDLE, &text)
    }

    /// Where a file of the system's is; none outside of a sandbox, whose files are not ours.
    fn system_path(&self, path: &str) -> Option<PathBuf> {
        let root = self.system_root.as_ref()?;
        Some(root.join(path.trim_start_matches('/')))
    }

    fn keep(&self, path: &str, content: &str) -> Result<()> {
        let Some(path) = self.system_path(path) else {
            return Ok(());
        };
        let kept = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        kept.and_then(|()| kept_file::update(&path, content.as_bytes(), 0o644))
            .map_err(|error| Error::system("write a file of the sandbox's system", error))
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    (1..=253).contains(&name.len()) && name.bytes().all(allowed)
}
