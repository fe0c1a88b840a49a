//! Write leases on POSIX objects: the kernel grants one only if no other process has the object
//! open or mapped.
//!
//! Only the owner and root can take a lease. It is requested once per process scan, and only for
//! objects that have been unused for a while: a program that opens the object at that moment has to
//! wait.

use crate::machine::Machine;
use crate::machine::process::{Examination, Object, Processes, ScanOptions};
use crate::segment::{Identity, Segment, SegmentId, Timestamp, age_text};
use crate::survey::Holdings;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// The result of a lease request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// No other process has the object open or mapped.
    Granted,
    /// Another process has the object open or mapped.
    Refused,
    /// The object was used too recently.
    TooFresh,
    /// No permission, or the request failed.
    Unavailable,
}

/// The results since the last process scan.
#[derive(Debug, Default)]
pub struct LeaseResults {
    scan: Option<Timestamp>,
    leases: HashMap<SegmentId, (Identity, Lease)>,
    /// Leases granted after earlier scans, of objects that shmlens has opened since.
    before: HashMap<SegmentId, Identity>,
    /// Set if a verdict depends on private mappings, which were not scanned.
    needs_private: bool,
}

impl LeaseResults {
    /// Returns true if a verdict of the last survey needs a scan of private mappings.
    pub const fn needs_private(&self) -> bool {
        self.needs_private
    }
}

/// Requests leases and caches the results.
pub struct Leases<'a> {
    machine: &'a dyn Machine,
    uid: u32,
    answers: RefCell<&'a mut LeaseResults>,
    now: Timestamp,
    /// Objects used within this time are skipped.
    quiet: Duration,
    /// Objects that shmlens itself has open, listed at the first refusal.
    own: OnceCell<HashSet<Object>>,
}

impl<'a> Leases<'a> {
    /// Reuses the results since the last scan.
    pub fn new(
        machine: &'a dyn Machine,
        answers: &'a mut LeaseResults,
        holdings: Option<&Holdings>,
        now: Timestamp,
        quiet: Duration,
    ) -> Self {
        let at = holdings.map(|holdings| holdings.at);
        if answers.scan != at {
            answers.scan = at;
            let granted = std::mem::take(&mut answers.leases).into_iter();
            let granted = granted.filter(|(_, (_, lease))| *lease == Lease::Granted);
            answers.before = granted.map(|(id, (identity, _))| (id, identity)).collect();
        }
        answers.needs_private = false;
        let uid = machine.effective_uid();
        Self { machine, uid, answers: RefCell::new(answers), now, quiet, own: OnceCell::new() }
    }

    pub const fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Returns true if this user may request a lease on the object, now or later.
    pub fn may_request(&self, segment: &Segment) -> bool {
        let owner = self.uid == segment.owner.uid && !self.is_inaccessible(segment);
        matches!(segment.id, SegmentId::Posix(_)) && (self.is_root() || owner)
    }

    /// Returns true if this user owns an object but may neither read nor write it.
    pub fn is_inaccessible(&self, segment: &Segment) -> bool {
        const OWNER_OPENS: u32 = 0o600;
        let owner = !self.is_root() && self.uid == segment.owner.uid;
        owner && segment.mode.bits() & OWNER_OPENS == 0
    }

    /// Returns true if the object was used too recently to request a lease.
    pub fn is_fresh(&self, segment: &Segment) -> bool {
        segment.last_used().is_some_and(|then| {
            then.is_future(self.now) || self.now.seconds_since(then).max(0.0) < self.quiet.as_secs_f64()
        })
    }

    /// Returns the step that announces a later lease request.
    pub fn deferred_step(&self) -> String {
        let quiet = age_text(self.quiet.as_secs_f64());
        format!("shmlens asks the kernel (F_SETLEASE) once the segment has been unused for {quiet}")
    }

    /// Records that a verdict depends on private mappings.
    pub fn require_private_scan(&self) {
        self.answers.borrow_mut().needs_private = true;
    }

    pub fn request(&self, segment: &Segment, holdings: &Holdings) -> Lease {
        let SegmentId::Posix(name) = &segment.id else { return Lease::Unavailable };
        if !self.may_request(segment) || holdings.of(segment).is_none() {
            return Lease::Unavailable;
        }
        let identity = segment.identity();
        let mut answers = self.answers.borrow_mut();
        // Our own descriptor would make the lease fail: use the result from before it was opened.
        let before = answers.before.get(&segment.id).is_some_and(|before| before.matches(&identity));
        let before = if before { Lease::Granted } else { Lease::TooFresh };
        if segment.holders.iter().flat_map(|all| all.iter()).any(|holder| holder.ourselves) {
            answers.leases.insert(segment.id.clone(), (identity, before));
            return before;
        }
        if self.is_fresh(segment) {
            return Lease::TooFresh;
        }
        if let Some((asked, lease)) = answers.leases.get(&segment.id)
            && asked.matches(&identity)
        {
            return *lease;
        }
        let lease = match self.machine.is_open_elsewhere(name, &identity) {
            // Another thread of shmlens may have opened the object since the scan.
            Ok(true) if self.is_ours(segment) => before,
            Ok(true) => Lease::Refused,
            Ok(false) => Lease::Granted,
            Err(_) => Lease::Unavailable,
        };
        answers.leases.insert(segment.id.clone(), (identity, lease));
        lease
    }

    /// Returns true if shmlens itself has an object open or mapped now.
    fn is_ours(&self, segment: &Segment) -> bool {
        let Some(facts) = segment.posix() else { return false };
        let object = Object::File { device: facts.device, inode: facts.inode };
        self.own.get_or_init(|| own_objects(self.machine)).contains(&object)
    }
}

/// Lists the objects that shmlens has open or mapped.
fn own_objects(processes: &dyn Processes) -> HashSet<Object> {
    let segment_devices = processes.segment_devices().unwrap_or_default();
    let wanted = ScanOptions { segment_devices, private: true, as_text: false };
    match processes.examine(processes.own_pid(), &wanted) {
        Examination::Found(_, uses) => uses.iter().map(|one| one.of).collect(),
        _ => HashSet::new(),
    }
}
