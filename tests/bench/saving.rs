//! Saves and restores segments, compared with `cp --sparse=always` of the same object and back.

mod support;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::Duration;
use support::{Contest, checked, discard, installed, shmlens, short};

const MIB: u64 = 1 << 20;
/// The required ratio of our speed: at least as fast as cp.
const REQUIRED_RATIO: Option<f64> = Some(1.0);

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    let rounds = if short() { 3 } else { 7 };
    let size = if short() { 128 } else { 512 } * MIB;
    let full = Object::new("full", size)?;
    full.fill(size)?;
    contests("random bytes", &full, size, rounds)?;
    drop(full);
    let sparse = Object::new("sparse", 64 * size)?;
    for at in 0..size / MIB {
        sparse.write(at * 64 * MIB, &vec![7; 64 << 10])?;
    }
    contests("64 KiB of data in each 64 MiB", &sparse, size / 16, rounds)
}

/// Saves and restores an object, in memory and on disk. `data` is the number of bytes that are not
/// holes.
fn contests(what: &str, object: &Object, data: u64, rounds: usize) -> io::Result<()> {
    let memory = Files::new(Path::new("/dev/shm"), "tmpfs")?;
    let disk = Files::new(&std::env::temp_dir(), "disk, with fsync")?;
    let cp = installed("cp");
    for files in [&memory, &disk] {
        let on_disk = files.path == disk.path;
        let mut contest = Contest::new(format!("save: {} MiB of {what}, to {}", data / MIB, files.place));
        let file = files.at("saved");
        let mut ours = shmlens();
        ours.arg("save").arg(object.id()).arg(&file);
        contest.add("shmlens save", data, None, without(file.clone(), own_command(ours, files)));
        if cp {
            contest.add(
                "cp --sparse=always",
                data,
                REQUIRED_RATIO,
                without(files.at("copied"), discard(copy(&object.path(), &files.at("copied"), on_disk))),
            );
        }
        contest.run(rounds);

        let mut contest =
            Contest::new(format!("restore: {} MiB of {what}, from {}", data / MIB, files.place));
        let moved = object.path().with_extension("aside");
        fs::rename(object.path(), &moved)?;
        let mut ours = shmlens();
        ours.arg("restore").arg(&file);
        contest.add("shmlens restore", data, None, without(object.path(), own_command(ours, files)));
        if cp {
            let to = object.path().with_extension("copy");
            contest.add(
                "cp --sparse=always",
                data,
                REQUIRED_RATIO,
                without(to.clone(), discard(copy(&files.at("copied"), &to, false))),
            );
            contest.run(rounds);
            fs::remove_file(to)?;
        } else {
            contest.run(rounds);
        }
        fs::rename(&moved, object.path())?;
    }
    Ok(())
}

/// Runs shmlens with its state in this directory.
fn own_command(mut command: Command, files: &Files) -> impl FnMut() -> Duration {
    command.env("XDG_STATE_HOME", files.at("state"));
    checked(command, |output| assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)))
}

/// Copies a file, and syncs it if shmlens does too.
fn copy(from: &Path, to: &Path, sync: bool) -> Command {
    if sync {
        let mut command = Command::new("sh");
        command.args(["-c", "cp --sparse=always \"$0\" \"$1\" && sync \"$1\""]).arg(from).arg(to);
        return command;
    }
    let mut command = Command::new("cp");
    command.arg("--sparse=always").arg(from).arg(to);
    command
}

/// Removes the file before each run of the command that creates it.
fn without(file: PathBuf, mut run: impl FnMut() -> Duration) -> impl FnMut() -> Duration {
    move || {
        let _ = fs::remove_file(&file);
        run()
    }
}

/// Files that are removed on drop.
struct Files {
    path: PathBuf,
    place: &'static str,
}

impl Files {
    fn new(root: &Path, place: &'static str) -> io::Result<Self> {
        let path = root.join(format!("shmlens-bench-saving-{}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self { path, place })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// An object that is named after this process and removed on drop.
struct Object {
    name: String,
}

impl Object {
    fn new(what: &str, size: u64) -> io::Result<Self> {
        let object = Self { name: format!("shmlens-bench-{what}-{}", process::id()) };
        File::create_new(object.path())?.set_len(size)?;
        Ok(object)
    }

    /// Writes random bytes, which cp does not turn into holes.
    fn fill(&self, size: u64) -> io::Result<()> {
        let file = File::options().write(true).open(self.path())?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..size / 8 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            file.write_all(&state.to_ne_bytes())?;
        }
        file.flush()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        File::options().write(true).open(self.path())?.write_all_at(bytes, offset)
    }

    fn path(&self) -> PathBuf {
        PathBuf::from("/dev/shm").join(&self.name)
    }

    fn id(&self) -> String {
        format!("posix:/{}", self.name)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}
