//! `shmlens demo`: its segments, their changes, and their removal; and the programs in assets/demo.

mod contents;
mod ending;
mod leftovers;
mod programs;
mod world;

use crate::support::{Child, SOON, shmlens};
use shmlens::machine::control::SysvStat;
use shmlens::machine::sysv_table;
use shmlens::segment::{SegmentId, ShmId};
use std::fs;
use std::path::PathBuf;

/// A running `shmlens demo --headless`.
struct Headless {
    child: Child,
    state: ShmId,
    orphan: ShmId,
    list: PathBuf,
    picture: PathBuf,
    sparse: PathBuf,
}

impl Headless {
    /// Starts one and waits until it has printed its segments.
    fn start() -> Self {
        let mut child = Child::spawn_piped(shmlens().args(["demo", "--headless"]));
        let mut id = || {
            let line = child.line(SOON);
            let id = line.split(' ').next().unwrap_or_default().parse::<SegmentId>();
            id.unwrap_or_else(|error| panic!("{line:?}: {error}"))
        };
        let ids = [id(), id(), id(), id(), id()];
        let [SegmentId::Sysv(state), SegmentId::Sysv(orphan), list, picture, sparse] = ids else {
            panic!("{ids:?}");
        };
        let path = |id: SegmentId| match id {
            SegmentId::Posix(name) => PathBuf::from(format!("/dev/shm{name}")),
            other => panic!("{other} where an object was to be"),
        };
        let (list, picture, sparse) = (path(list), path(picture), path(sparse));
        Self { child, state, orphan, list, picture, sparse }
    }

    /// Returns how many of the five exist.
    fn count(&self) -> usize {
        let objects = [&self.list, &self.picture, &self.sparse];
        objects.iter().filter(|path| path.exists()).count()
            + [self.state, self.orphan].into_iter().filter_map(row).count()
    }
}

/// Returns every System V segment.
fn rows() -> Vec<SysvStat> {
    let table = sysv_table::parse(&fs::read("/proc/sysvipc/shm").unwrap());
    assert_eq!(table.problems, Vec::<String>::new());
    table.rows
}

fn row(shmid: ShmId) -> Option<SysvStat> {
    rows().into_iter().find(|row| row.shmid == shmid)
}

/// Returns the number of System V segments and of objects.
pub fn totals() -> (usize, usize) {
    (rows().len(), fs::read_dir("/dev/shm").unwrap().count())
}
