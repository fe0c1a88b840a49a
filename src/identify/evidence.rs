//! The inputs of a verdict, other than the segment itself.

use super::catalog::{MakerMatch, is_helper};
use super::hidden_holders::{self, Conclusion};
use super::{CreationLog, Leases, ProcessStates};
use crate::config::maker::HelperOwner;
use crate::machine::Machine;
use crate::machine::process::CommandLine;
use crate::segment::{ObjectName, Segment, SegmentId, Timestamp};
use crate::survey::{Holdings, Survey};
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// The machine at the time of a survey.
pub struct Evidence<'a> {
    pub machine: &'a dyn Machine,
    /// `None` before the first scan.
    pub holdings: Option<&'a Holdings>,
    pub leases: &'a Leases<'a>,
    pub states: ProcessStates<'a>,
    pub held: HashMap<ObjectName, Option<bool>>,
    pub commands: &'a Commands,
    pub created: Option<&'static dyn CreationLog>,
    pub now: Timestamp,
    /// See [`super::Rules::settle`].
    pub settle: Option<Duration>,
}

/// The command lines of all processes. Reading them takes as long as a scan, so they are read at
/// most once per scan.
#[derive(Debug, Default)]
pub struct Commands {
    of: Option<Timestamp>,
    lines: OnceCell<Vec<CommandLine>>,
    /// Set for a helper that is running. Thousands of segments may share a helper.
    running: RefCell<HashMap<Helper, bool>>,
}

/// A helper, its users, and the owner of the segments.
type Helper = (Vec<u8>, HelperOwner, u32);

impl Commands {
    /// Drops the command lines if they are older than this scan.
    pub fn keep_for(&mut self, holdings: Option<&Holdings>) {
        let scan = holdings.map(|holdings| holdings.at);
        if scan.is_none() || self.of != scan {
            *self = Self { of: scan, ..Self::default() };
        }
    }
}

impl Evidence<'_> {
    /// Returns true if shmlens created or restored the segment.
    pub fn was_created_here(&self, segment: &Segment) -> bool {
        self.created.is_some_and(|created| created.contains(self.machine, segment, self.now))
    }

    /// Returns true if attachments by earlier shmlens runs are recorded.
    pub fn records_uses(&self) -> bool {
        self.created.is_none_or(CreationLog::records_uses)
    }

    /// Returns true if a helper of this segment is running; `None` if /proc may hide it.
    pub fn is_helper_running(&self, helper: &[u8], whose: HelperOwner, segment: &Segment) -> Option<bool> {
        let commands = self.commands.lines.get_or_init(|| self.machine.command_lines());
        let key = (helper.to_vec(), whose, segment.owner.uid);
        let runs = *self.commands.running.borrow_mut().entry(key).or_insert_with(|| {
            commands.iter().any(|line| {
                let arguments: Vec<&[u8]> = line.arguments.iter().map(Vec::as_slice).collect();
                is_helper(helper, &line.command, &arguments)
                    && (whose == HelperOwner::Anyone || self.can_act_for_owner(line, segment))
            })
        });
        let visibility = self.states.visibility();
        (runs || !(visibility.hides || visibility.outside)).then_some(runs)
    }

    /// Returns true if a process runs as the segment's owner, or as a user that can become the
    /// owner: the helpers of a program keep the privileges that it drops.
    fn can_act_for_owner(&self, line: &CommandLine, segment: &Segment) -> bool {
        const CAP_SETUID: u64 = 1 << 7;
        if line.uid == segment.owner.uid {
            return true;
        }
        let credentials = || self.machine.process_credentials(line.pid);
        let may_drop = line.uid == 0 || credentials().is_some_and(|who| who.capabilities & CAP_SETUID != 0);
        may_drop && self.machine.may_reach_objects(line.pid)
    }

    /// Returns true if a process holds a POSIX object by a mapping, a descriptor or a lock; `None`
    /// if unknown.
    pub fn is_held(&self, name: &[u8]) -> Option<bool> {
        match ObjectName::new(name).and_then(|name| self.held.get(&name).copied()) {
            Some(held) => held,
            None => self.holdings.map(|_| false),
        }
    }
}

/// Maps each POSIX object that a maker names to true if a process holds it, or to `None` if the
/// scan may have missed a holder.
pub fn held(
    survey: &Survey,
    makers: &[Option<Arc<MakerMatch<'_>>>],
    holdings: Option<&Holdings>,
    leases: &Leases<'_>,
) -> HashMap<ObjectName, Option<bool>> {
    let wanted: HashSet<&[u8]> =
        makers.iter().flatten().flat_map(|maker_match| &maker_match.with).map(Vec::as_slice).collect();
    let objects = survey.segments.iter().filter_map(|segment| match &segment.id {
        SegmentId::Posix(name) if wanted.contains(name.as_bytes()) => {
            Some((name.clone(), is_held(segment, holdings, leases)))
        }
        _ => None,
    });
    objects.collect()
}

fn is_held(segment: &Segment, holdings: Option<&Holdings>, leases: &Leases<'_>) -> Option<bool> {
    if segment.holders.as_ref()?.iter().any(|holder| !holder.is_observer()) {
        return Some(true);
    }
    let holdings = holdings?;
    if !holdings.locks(segment).is_empty() || holdings.mount_point(segment).is_some() {
        return Some(true);
    }
    match hidden_holders::check(segment, holdings, leases) {
        Conclusion::Unheld(_) => Some(false),
        Conclusion::Held(_) => Some(true),
        Conclusion::TooFresh(_) | Conclusion::Unknown(_) => None,
    }
}
