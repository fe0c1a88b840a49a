//! `shmlens demo`: its segments, their changes, and their removal; and the programs in assets/demo.

mod contents;
mod ending;
mod leftovers;
mod programs;
mod world;

use crate::support::{Child, SOON, shmlens, tool, wait_until};
use shmlens::machine::control::SysvStat;
use shmlens::machine::sysv_table;
use shmlens::segment::{SegmentId, ShmId};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// A running `shmlens demo --headless`.
struct Headless {
    child: Child,
    state: ShmId,
    orphan: ShmId,
    list: PathBuf,
    ring: PathBuf,
    sparse: PathBuf,
    /// The paths with their inodes. The next demo uses the same names.
    objects: [(PathBuf, u64); 3],
}

impl Headless {
    /// Waits until the segments are listed.
    fn start() -> Self {
        let mut child = Child::spawn_piped(shmlens().args(["demo", "--headless"]));
        let mut id = || {
            let line = child.line(SOON);
            let id = line.split(' ').next().unwrap_or_default().parse::<SegmentId>();
            id.unwrap_or_else(|error| panic!("{line:?}: {error}"))
        };
        let ids = [id(), id(), id(), id(), id()];
        let [ring, list, SegmentId::Sysv(state), SegmentId::Sysv(orphan), sparse] = ids else {
            panic!("{ids:?}");
        };
        let path = |id: SegmentId| match id {
            SegmentId::Posix(name) => PathBuf::from(format!("/dev/shm{name}")),
            other => panic!("{other} where an object was to be"),
        };
        let (ring, list, sparse) = (path(ring), path(list), path(sparse));
        let objects = [&ring, &list, &sparse].map(|path| (path.clone(), fs::metadata(path).unwrap().ino()));
        Self { child, state, orphan, list, ring, sparse, objects }
    }

    /// Waits until the C++ program has attached the state, if it can be compiled here.
    fn wait_for_monitor(&self) {
        if tool("g++").is_some() {
            wait_until(SOON, || row(self.state).is_some_and(|row| row.nattch == 3));
        }
    }

    /// Counts its segments that exist.
    fn count(&self) -> usize {
        let is_same =
            |(path, inode): &&(PathBuf, u64)| fs::metadata(path).is_ok_and(|now| now.ino() == *inode);
        self.objects.iter().filter(is_same).count()
            + [self.state, self.orphan].into_iter().filter_map(row).count()
    }
}

/// Returns all System V segments.
fn rows() -> Vec<SysvStat> {
    let table = sysv_table::parse(&fs::read("/proc/sysvipc/shm").unwrap());
    assert_eq!(table.problems, Vec::<String>::new());
    table.rows
}

fn row(shmid: ShmId) -> Option<SysvStat> {
    rows().into_iter().find(|row| row.shmid == shmid)
}

/// Counts the System V segments and the objects.
pub fn totals() -> (usize, usize) {
    (rows().len(), fs::read_dir("/dev/shm").unwrap().count())
}
