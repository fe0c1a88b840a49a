//! `PostgreSQL`: the interlock that prevents a second postmaster, and the memory of queries.

use super::{Verdict, directory_of, isolated_user, kill_and_wait, listed, made_by, run_by, verdict};
use crate::support::{Child, Namespaces, Object, SOON, skip, wait_until};
use nix::mount::{MsFlags, mount};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The timeout for `initdb`, which is slow.
const INITDB_TIMEOUT: Duration = Duration::from_secs(60);

/// A server with an empty data directory, run by a user without other processes.
struct Server {
    user: u32,
    directory: tempfile::TempDir,
    programs: PathBuf,
    postmaster: Child,
}

impl Server {
    /// Starts a server in these namespaces. `None` if it is not installed.
    fn start() -> Option<Self> {
        let programs = programs()?;
        let user = isolated_user();
        name(user);
        let directory = directory_of(user);
        let data = directory.path().join("data");
        let mut make = Command::new(programs.join("initdb"));
        make.args(["--no-sync", "--no-locale", "--auth=trust", "--username=tester", "-D"]).arg(&data);
        let output = run_by(user, make).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let postmaster = Self::run(&programs, user, directory.path());
        Some(Self { user, directory, programs, postmaster })
    }

    fn run(programs: &Path, user: u32, directory: &Path) -> Child {
        let mut run = Command::new(programs.join("postgres"));
        run.arg("-D").arg(directory.join("data")).arg("-k").arg(directory);
        for setting in ["listen_addresses=", "dynamic_shared_memory_type=posix", "fsync=off"] {
            run.args(["-c", setting]);
        }
        let mut run = run_by(user, run);
        let postmaster = Child::spawn(run.stdout(Stdio::null()).stderr(Stdio::null()));
        let file = directory.join("data/postmaster.pid");
        // A killed server leaves its lock file behind.
        let first = format!("{}\n", postmaster.pid());
        let is_ready = |text: String| text.starts_with(&first) && text.contains("ready");
        wait_until(INITDB_TIMEOUT, || fs::read_to_string(&file).is_ok_and(is_ready));
        postmaster
    }

    /// Kills the postmaster and its children.
    fn kill_all(&mut self) {
        let pid = self.postmaster.pid().as_raw();
        let workers = children(pid);
        assert!(!workers.is_empty());
        self.postmaster.end();
        workers.into_iter().for_each(kill_and_wait);
    }
}

/// Finds the server programs, which Debian does not put into PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let places = versions.map(|version| version.path().join("bin")).chain(["/usr/bin".into()]);
    let found = places.filter(|place| place.join("initdb").exists() && place.join("postgres").exists()).max();
    if found.is_none() {
        skip("needs PostgreSQL's server (initdb, postgres), which is not installed");
    }
    found
}

/// Adds a user in these namespaces only, because `initdb` needs a name.
fn name(user: u32) {
    let mut users = fs::read_to_string("/etc/passwd").unwrap();
    writeln!(users, "shmlens-test:x:{user}:{user}::/:/bin/sh").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), users).unwrap();
    std::os::unix::fs::chown(file.path(), Some(0), Some(0)).unwrap();
    fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let none: Option<&str> = None;
    mount(Some(file.path()), "/etc/passwd", none, MsFlags::MS_BIND, none).unwrap();
}

fn children(parent: i32) -> Vec<i32> {
    let all =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parent_of = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(") ").next()?.split(' ').nth(1)?.parse::<i32>().ok()
    };
    all.filter(|pid| parent_of(pid) == Some(parent)).collect()
}

/// Returns the interlock, the only System V segment.
#[track_caller]
fn interlock() -> Verdict {
    let all = listed().into_iter().filter(|verdict| verdict.segment["kind"] == "sysv");
    let mut all: Vec<Verdict> = all.collect();
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn postgresql_segments_leak_only_after_the_server_died() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut server) = Server::start() else { return };
    let postmaster = server.postmaster.pid().as_raw();
    let lock = interlock();
    lock.assert_is("in-use", &["nattch"]);
    assert_eq!(lock.maker, "postgresql-sysv-live");
    assert!(lock.holders.contains(&postmaster) && lock.holders.len() > 1, "{lock:#?}");
    let memory = made_by("postgresql-dsm");
    assert!(!memory.is_empty(), "{:#?}", listed());
    for one in &memory {
        one.assert_is("in-use", &[]);
    }
    // A segment without holders is needed while the server runs.
    let between = Object::new("PostgreSQL.1804289383", 4096, 0o600).owned_by(server.user, server.user);
    let id = between.id().to_string();
    verdict(&id).assert_is("in-use", &[]);
    // Dropping the object removes it by name.
    fs::rename(between.path(), "/dev/shm/PostgreSQL.1804289384").unwrap();
    drop(between);
    let unheld = verdict("posix:/PostgreSQL.1804289384");
    unheld.assert_is("protected", &["protected: postgres of its owner or root is running"]);

    server.kill_all();
    let left = interlock();
    left.assert_is("leaked certain", &[&format!("creator's pid {postmaster}"), "nattch 0"]);
    let memory = made_by("postgresql-dsm");
    assert!(memory.len() > 1, "{memory:#?}");
    for one in memory {
        one.assert_is("leaked certain", &["no postgres of its owner or root is running"]);
    }
    // The server starts again without the leftovers.
    let removed =
        crate::support::shmlens().args(["clean", "--yes", "--no-copy", "--settle", "0s"]).output().unwrap();
    assert_eq!(removed.status.code(), Some(0), "{removed:?}");
    assert!(listed().is_empty());
    server.postmaster = Server::run(&server.programs, server.user, server.directory.path());
    assert_eq!(interlock().state, "in-use");
    server.postmaster.signal(nix::sys::signal::Signal::SIGINT);
    assert!(server.postmaster.wait(INITDB_TIMEOUT).success());
    wait_until(SOON, || listed().is_empty());
}
