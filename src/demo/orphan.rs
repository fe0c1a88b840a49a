//! The orphaned segment: a child process of shmlens creates it and exits.

use crate::machine::control::{Control as _, NewSysv};
use crate::machine::real::RealMachine;
use crate::machine::{FinalAttributes, SegmentBuilder};
use crate::segment::{Bytes, Key, Mode, SegmentId, ShmId};
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The child's hidden subcommand: `demo-orphan KEY SIZE`, contents on stdin.
pub const COMMAND: &str = "demo-orphan";

/// Creates a segment in a child process, which then exits. Returns the id of the segment and the
/// pid of the child. `program` is the shmlens executable.
pub fn create_orphan(program: &Path, key: Key, size: Bytes, content: &[u8]) -> io::Result<(ShmId, u32)> {
    let mut child = Command::new(program)
        .args([COMMAND, &key.0.to_string(), &size.0.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ctrl-C in the terminal could end the child before it writes the mark.
        .process_group(0)
        .spawn()?;
    // If the child exits early, it prints no answer, which is detected below.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(content));
    let mut answer = String::new();
    let read = child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut answer));
    // If SIGCHLD is ignored, this returns an error but still waits for the child.
    let _ = child.wait();
    read.transpose()?;
    let word = answer.trim().split_once(' ').and_then(|(kind, number)| Some((kind, number.parse().ok()?)));
    match word {
        Some(("shmid", shmid)) => Ok((ShmId(shmid), child.id())),
        Some(("errno", errno)) => Err(io::Error::from_raw_os_error(errno)),
        _ => Err(io::ErrorKind::Interrupted.into()),
    }
}

/// Runs in the child: creates the segment and prints `shmid N` or `errno N`.
pub fn run_orphan(arguments: &[OsString]) -> io::Result<()> {
    let answer = match create(arguments) {
        Ok(SegmentId::Sysv(shmid)) => format!("shmid {shmid}"),
        Ok(_) => return Ok(()),
        Err(error) => format!("errno {}", error.raw_os_error().unwrap_or(libc::EIO)),
    };
    writeln!(io::stdout(), "{answer}")
}

fn create(arguments: &[OsString]) -> io::Result<SegmentId> {
    let number = |index: usize| arguments.get(index)?.to_str()?.parse::<u64>().ok();
    let key = number(0).and_then(|key| u32::try_from(key).ok());
    let (Some(key), Some(size)) = (key, number(1)) else {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    };
    let mut content = vec![];
    io::stdin().read_to_end(&mut content)?;
    create_sysv(Key(key), Bytes(size), &content)
}

/// Creates a private System V segment that starts with `content`.
pub(super) fn create_sysv(key: Key, size: Bytes, content: &[u8]) -> io::Result<SegmentId> {
    let mode = Mode::new(0o600);
    let mut builder = RealMachine.build_sysv(&NewSysv { key, size, mode, huge: false, no_reserve: false })?;
    builder.write_at(0, content)?;
    finish(builder.as_mut())
}

pub(super) fn finish(builder: &mut dyn SegmentBuilder) -> io::Result<SegmentId> {
    let finish = FinalAttributes { mode: Mode::new(0o600), owner: None, acl: None, used: None };
    builder.finish(&finish).map(|finished| finished.id)
}
