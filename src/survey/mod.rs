//! Looks at the machine: every segment of both kinds, the limits, and the
//! difference between two looks.

mod alerts;
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
pub use diff::{Difference, difference};
pub use holdings::{Coverage, Depth, Holdings};
pub use limits::{DevShmUse, Limits};
pub use logout::{at_logout, logouts};
pub use names::Names;
pub use namesakes::{namesake_text, namesakes};
pub use usage::{ProcessUsage, Shmem, Sum, Usage, freed, promised, usage};

use crate::machine::sysv_table::{self, Table};
use crate::machine::{Machine, ObjectListing, Unreadable};
use crate::segment::{Bytes, Kind, ObjectName, Segment, Timestamp};
use std::collections::HashSet;
use std::io;
use std::panic::resume_unwind;
use std::thread;

/// One look at the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Every segment: System V by shmid, then POSIX by name.
    pub segments: Vec<Segment>,
    /// The limits and how much of them is used.
    pub limits: Limits,
    /// How many processes could be examined, once they were looked at.
    pub coverage: Option<Coverage>,
    /// What could not be looked at, each in a line that is safe to print.
    pub problems: Vec<String>,
    /// The names in `/dev/shm` that are no segments: directories, FIFOs, links, mount points.
    pub other_names: HashSet<ObjectName>,
    /// The kinds that could not be listed, or not all of them.
    pub unlisted: Vec<Kind>,
    /// Those of `unlisted` that lack more than other users' private directories.
    pub failed: Vec<Kind>,
    /// The files in `/dev/shm` that are no segments, directories and itself included.
    pub(crate) other_files: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// When the scan of the processes began that `join` took the holders from.
    pub scanned: Option<Timestamp>,
}

impl Survey {
    /// Looks at the machine once. Reads tables and stats files; opens and
    /// attaches nothing. What cannot be read is a line in `problems`.
    ///
    /// `names` remembers what users and groups are called from one look to the next.
    #[must_use]
    pub fn take(machine: &dyn Machine, names: &mut Names) -> Self {
        Self::with(machine, names, &|| match machine.sysv_table() {
            Ok(text) => Ok(sysv_table::parse(&text)),
            // Without /proc, or with a /proc that has only processes (subset=pid), system
            // calls still list the segments, only not how much of each is in memory.
            Err(_) => machine.sysv_rows(),
        })
    }

    /// As [`Survey::take`], but not how much of a System V segment is in memory,
    /// which takes most of the time where there are thousands.
    #[must_use]
    pub fn take_without_memory(machine: &dyn Machine, names: &mut Names) -> Self {
        Self::with(machine, names, &|| machine.sysv_rows())
    }

    fn with(machine: &dyn Machine, names: &mut Names, table: &AskTable<'_>) -> Self {
        let at = machine.now();
        names.begin(at);
        let mut problems = vec![];
        let (table, listing) = both(machine, table);
        let other_names = listing.iter().flat_map(|listing| listing.others.iter().chain(&listing.mounts));
        let other_names = other_names.cloned().collect();
        let mut segments = vec![];
        let sysv = sysv::add(table, machine, names, &mut segments, &mut problems);
        let sysv_count = segments.len();
        let other_files =
            listing.as_ref().map_or(0, |listing| listing.directories + listing.others.len() as u64);
        let denied = |listing: &ObjectListing| listing.unreadable.iter().any(Unreadable::is_denied);
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

    /// Takes in who holds what: each segment gets its holders, and what is in
    /// no directory any more and still held gets a segment. The look at the
    /// processes has to be older than this survey.
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

    /// Returns whether `/dev/shm` has more files than were found: unlinked objects, held in a way that was not
    /// looked for.
    #[must_use]
    pub fn misses_objects(&self) -> bool {
        let Some(used) = self.limits.dev_shm else { return false };
        if used.inodes > 0 {
            return used.inodes_used > self.other_files + usage::objects(self).count() as u64;
        }
        let listed: Bytes = usage::objects(self).filter_map(|segment| segment.resident).sum();
        used.used > listed
    }

    /// What all segments have in memory together.
    #[must_use]
    pub fn resident(&self) -> Bytes {
        self.segments.iter().filter_map(|segment| segment.resident).sum()
    }
}

/// How System V segments are asked for.
type AskTable<'a> = dyn Fn() -> io::Result<Table> + Sync + 'a;

/// Asks for both kinds, at the same time: with thousands of segments it is the
/// kernel's answers that take the time.
fn both(machine: &dyn Machine, table: &AskTable<'_>) -> (io::Result<Table>, io::Result<ObjectListing>) {
    thread::scope(|scope| {
        // Where there may be no more threads, one after the other does too.
        let Ok(table) = thread::Builder::new().spawn_scoped(scope, table) else {
            return (table(), machine.list_objects());
        };
        let listing = machine.list_objects();
        (table.join().unwrap_or_else(|panic| resume_unwind(panic)), listing)
    })
}
