//! Surveys the machine: all segments, their holders and the limits, and the difference between two
//! surveys.

mod alerts;
mod current;
mod diff;
mod holdings;
mod limits;
mod logout;
mod names;
mod namesakes;
mod past_end;
mod posix;
mod sysv;
mod usage;

pub use alerts::{Alert, alerts};
pub use current::current;
pub use diff::{Difference, difference};
pub use holdings::{Coverage, Depth, Holdings};
pub use limits::{DevShmUse, Limits};
pub use logout::{at_logout, logouts};
pub use names::Names;
pub use namesakes::{namesake_text, namesakes};
pub use usage::{ProcessUsage, Shmem, Sum, Usage, freed, promised_memory, usage};

use crate::machine::sysv_table::{self, Table};
use crate::machine::{Machine, ObjectListing, UnreadableDirectory};
use crate::segment::{Bytes, Kind, ObjectName, Segment, Timestamp};
use std::collections::HashSet;
use std::io;
use std::panic::resume_unwind;
use std::thread;

/// Segments and limits of a machine at one point in time.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// System V by shmid, then POSIX by name.
    pub segments: Vec<Segment>,
    pub limits: Limits,
    /// `None` until the processes are scanned.
    pub coverage: Option<Coverage>,
    /// Problems with listing, one per line, safe to print.
    pub problems: Vec<String>,
    /// Names in `/dev/shm` that are not segments: directories, FIFOs, links, mount points.
    pub other_names: HashSet<ObjectName>,
    /// The kinds whose segments could not all be listed.
    pub unlisted: Vec<Kind>,
    /// The kinds in `unlisted` for which more is missing than private directories of other users.
    pub failed: Vec<Kind>,
    /// Files in `/dev/shm` that are not segments, including directories and `/dev/shm` itself.
    pub(crate) other_files: u64,
    pub at: Timestamp,
    /// The start time of the holder scan.
    pub scanned: Option<Timestamp>,
}

impl Survey {
    /// Surveys the segments. Reads tables and stats files, but opens and attaches nothing. Adds
    /// errors to `problems`.
    #[must_use]
    pub fn take(machine: &dyn Machine, names: &mut Names) -> Self {
        Self::with(machine, names, &|| match machine.sysv_table() {
            Ok(text) => Ok(sysv_table::parse(&text)),
            // Without /proc, or if it only shows processes (subset=pid), system calls can still
            // list the segments, but not their resident memory.
            Err(_) => machine.sysv_rows(),
        })
    }

    /// Like [`Survey::take`], but without the resident memory of System V segments, which takes
    /// most of the time if there are thousands of segments.
    #[must_use]
    pub fn take_without_memory(machine: &dyn Machine, names: &mut Names) -> Self {
        Self::with(machine, names, &|| machine.sysv_rows())
    }

    fn with(machine: &dyn Machine, names: &mut Names, table: &ReadTable<'_>) -> Self {
        let at = machine.now();
        names.begin(at);
        let mut problems = vec![];
        let (table, listing) = list_both(machine, table);
        let other_names = listing.iter().flat_map(|listing| listing.others.iter().chain(&listing.mounts));
        let other_names = other_names.cloned().collect();
        let rows = table.as_ref().map_or(0, |table| table.rows.len());
        let objects = listing.as_ref().map_or(0, |listing| listing.objects.len());
        let mut segments = Vec::with_capacity(rows + objects);
        let sysv = sysv::add(table, machine, names, &mut segments, &mut problems);
        let sysv_count = segments.len();
        let other_files =
            listing.as_ref().map_or(0, |listing| listing.directories + listing.others.len() as u64);
        let denied = |listing: &ObjectListing| listing.unreadable.iter().any(UnreadableDirectory::is_denied);
        let denied = listing.as_ref().is_ok_and(denied);
        let posix = posix::add(listing, machine, names, &mut segments, &mut problems);
        let kinds = |listed: [bool; 2]| {
            let kinds = [Kind::Sysv, Kind::Posix].into_iter().zip(listed);
            kinds.filter(|(_, listed)| !listed).map(|(kind, _)| kind).collect()
        };
        let (unlisted, failed) = (kinds([sysv, posix && !denied]), kinds([sysv, posix]));
        let (sysv, posix) = segments.split_at_mut(sysv_count);
        sysv.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        posix.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let limits = Limits::new(machine.limits(), sysv);
        Self {
            segments,
            limits,
            coverage: None,
            problems,
            other_names,
            unlisted,
            failed,
            other_files,
            at,
            scanned: None,
        }
    }

    /// Adds the holders of each segment, and unlinked objects that are still held. The scan must be
    /// older than this survey.
    pub fn join(&mut self, holdings: &Holdings, machine: &dyn Machine, names: &mut Names) {
        for segment in &mut self.segments {
            segment.holders = holdings.of(segment);
        }
        let listed = self.segments.len();
        holdings::add_unlinked(holdings, machine, names, &mut self.segments);
        for segment in &mut self.segments[listed..] {
            segment.holders = holdings.of(segment);
        }
        if let Some(failed) = &holdings.coverage.failed {
            self.problems.push(format!("failed to find unlinked objects: {failed}"));
            self.unlisted.push(Kind::Deleted);
            self.failed.push(Kind::Deleted);
        }
        self.coverage = Some(holdings.coverage.clone());
        self.scanned = Some(holdings.at);
    }

    /// Returns true if `/dev/shm` has more files than were found: the rest are unlinked objects
    /// whose holders were not scanned.
    #[must_use]
    pub fn misses_objects(&self) -> bool {
        let Some(used) = self.limits.dev_shm else { return false };
        if used.inodes > 0 {
            return used.inodes_used > self.other_files + usage::objects(self).count() as u64;
        }
        let listed: Bytes = usage::objects(self).filter_map(|segment| segment.resident).sum();
        used.used > listed
    }

    #[must_use]
    pub fn resident(&self) -> Bytes {
        self.segments.iter().filter_map(|segment| segment.resident).sum()
    }
}

type ReadTable<'a> = dyn Fn() -> io::Result<Table> + Sync + 'a;

/// Lists both kinds in parallel. With thousands of segments, the kernel takes most of the time.
fn list_both(machine: &dyn Machine, table: &ReadTable<'_>) -> (io::Result<Table>, io::Result<ObjectListing>) {
    thread::scope(|scope| {
        // Without a second thread, list them in turn.
        let Ok(table) = thread::Builder::new().spawn_scoped(scope, table) else {
            return (table(), machine.list_objects());
        };
        let listing = machine.list_objects();
        (table.join().unwrap_or_else(|panic| resume_unwind(panic)), listing)
    })
}
