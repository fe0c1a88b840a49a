//! The processes of the demo, which hold and change its segments. Each is this program under
//! another name.
//!
//! | process | writes | reads |
//! |---|---|---|
//! | `writer` | ring, struct | list |
//! | `reader.py` | list | ring, struct |
//! | `monitor` | | struct, if g++ is installed |

use super::list;
use super::owned::OwnedSegment;
use super::part::{Part, item, items};
use super::{error::DemoError, mark::Maker, monitor, ring, state};
use crate::machine::real::DEV_SHM;
use crate::segment::SegmentId;
use crate::sys::mapping::Mapping;
use crate::sys::shared_mutex::SharedMutex;
use crate::sys::shm::Attachment;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The hidden subcommand: `demo-child NAME MADE_BY RING LIST SHMID`.
pub const COMMAND: &str = "demo-child";

const WRITER: &str = "writer";
const READER: &str = "reader.py";

/// The duration of a tick in milliseconds.
const TICK_MILLIS: u8 = 50;

/// The running processes. Dropping this ends them.
#[derive(Debug)]
pub struct Children(Vec<Child>);

impl Children {
    /// Starts the processes and waits until they hold the segments. They end with this thread.
    pub fn start(program: &Path, maker: &Maker, segments: &[OwnedSegment]) -> Result<Self, DemoError> {
        let mut arguments = vec![OsString::from(maker.line(Part::List.name()))];
        for part in [Part::Ring, Part::List, Part::State] {
            let ids = segments.iter().filter(|segment| segment.part == part).map(|segment| &segment.id);
            arguments.extend(ids.map(|id| match id {
                SegmentId::Posix(name) => Path::new(DEV_SHM).join(name.as_path()).into(),
                id => id.to_string().split_off("sysv:".len()).into(),
            }));
        }
        let mut children = Self(vec![]);
        for name in [WRITER, READER, monitor::NAME] {
            let mut command = Command::new(program);
            command.arg0(name).args([COMMAND, name]).args(&arguments);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            // Ctrl-C and ^Z in the terminal are for shmlens.
            children.0.push(command.process_group(0).spawn().map_err(DemoError::Start)?);
        }
        // The monitor takes a moment to compile, and the demo is complete without it.
        for child in children.0.iter_mut().take(2) {
            let ready = child.stdout.as_mut().map(|stdout| stdout.read_exact(&mut [0]));
            ready.transpose().map_err(DemoError::Start)?;
        }
        Ok(children)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended already. If SIGCHLD is ignored, `wait` fails but still waits.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs in a child: holds the segments and changes them until the demo ends.
pub fn run_child(arguments: &[OsString]) -> io::Result<()> {
    let [name, made_by, ring, list, shmid] = arguments else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let text = |word: &OsString| word.to_str().map(str::to_owned).ok_or(io::ErrorKind::InvalidInput);
    let (name, made_by) = (text(name)?, text(made_by)?);
    // If this fails, the end of the pipe still ends the child, unless it is stopped.
    let _ = set_pdeathsig(Signal::SIGKILL);
    if name == monitor::NAME {
        return Err(monitor::run(&text(shmid)?));
    }
    let shmid = text(shmid)?.parse().map_err(io::Error::other)?;
    // The name is cosmetic, so an error does not matter.
    let _ = std::fs::write("/proc/self/comm", &name);
    let writes = name == WRITER;
    let ring_memory = map(ring.into(), writes)?;
    let list_memory = map(list.into(), !writes)?;
    let state_memory = if writes { Attachment::read_write(shmid)? } else { Attachment::read_only(shmid)? };
    let mutex = if writes { Some(SharedMutex::new(&state_memory, state::LOCK_OFFSET)?) } else { None };
    let mut stdout = io::stdout();
    stdout.write_all(b"\n")?;
    stdout.flush()?;
    for tick in 1.. {
        if demo_has_ended()? {
            break;
        }
        let Some(mutex) = &mutex else {
            step_list(&list_memory, &made_by, tick);
            continue;
        };
        for (offset, bytes) in ring::changes(tick) {
            ring_memory.write(offset, &bytes);
        }
        mutex.run_locked(|| {
            for (offset, bytes) in state::changes(tick) {
                state_memory.store(offset as u64, &bytes);
            }
        })?;
    }
    Ok(())
}

fn step_list(memory: &Mapping, made_by: &str, tick: u32) {
    let (before, now) = (items(made_by, tick - 1), items(made_by, tick));
    for index in [item::TICK, item::SINE, item::RISING, item::STATE] {
        if before[index] != now[index] {
            memory.write(list::slot_start(&now, index), &now[index].bytes());
        }
    }
}

fn map(path: PathBuf, writable: bool) -> io::Result<Mapping> {
    Mapping::new(&File::options().read(true).write(writable).open(path)?, writable)
}

/// Waits for a tick. Returns true if the pipe from the demo is closed.
fn demo_has_ended() -> io::Result<bool> {
    let stdin = io::stdin();
    let mut pipe = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut pipe, PollTimeout::from(TICK_MILLIS))? > 0)
}
