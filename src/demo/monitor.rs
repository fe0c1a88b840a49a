//! The C++ program of the demo, assets/demo/monitor.cpp: it reads the struct of the System V segment
//! under its lock. Compiled with debug information, which tells the type of the segment, where g++ is
//! installed; the demo goes on without it elsewhere.

use nix::sys::memfd::{MFdFlags, memfd_create};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

/// The name of the process and of its program.
pub const NAME: &str = "monitor";

const SOURCE: &str = include_str!("../../assets/demo/monitor.cpp");
const HEADER: &str = include_str!("../../assets/demo/world.h");

/// Compiles the program in memory, which leaves no files behind, and becomes it. Returns only if that
/// fails.
pub fn run(shmid: &str) -> io::Error {
    match compile() {
        Ok(program) => Command::new(path(&program)).arg0(NAME).arg(shmid).exec(),
        Err(error) => error,
    }
}

fn compile() -> io::Result<OwnedFd> {
    // The compiler and the program inherit it.
    let program = memfd_create(NAME, MFdFlags::empty())?;
    let mut compiler = Command::new("g++");
    compiler.args(["-std=c++17", "-g", "-pipe", "-pthread", "-x", "c++", "-o", &path(&program), "-"]);
    let mut child = compiler.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let include = "#include \"world.h\"\n";
    let (before, after) = SOURCE.split_once(include).ok_or(io::ErrorKind::InvalidData)?;
    let next = before.lines().count() + 2;
    let source = format!(
        "#line 1 \"monitor.cpp\"\n{before}#line 1 \"world.h\"\n{HEADER}#line {next} \"monitor.cpp\"\n{after}"
    );
    if let Some(mut input) = child.stdin.take() {
        input.write_all(source.as_bytes())?;
    }
    if child.wait()?.success() { Ok(program) } else { Err(io::Error::other("g++ failed")) }
}

fn path(program: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", program.as_raw_fd())
}
