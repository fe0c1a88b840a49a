//! What the judgement of the catalogue asks of the machine.

use super::catalogue::{Lives, World, is_helper};
use super::settled::{self, Settled};
use super::{Created, Life, Living, Proofs, Seen};
use crate::config::maker::Whose;
use crate::machine::Machine;
use crate::machine::process::CommandLine;
use crate::segment::{ObjectName, Segment, SegmentId, Timestamp};
use crate::survey::{Holdings, Survey};
use std::cell::OnceCell;
use std::collections::HashMap;

/// The machine as it was when a survey was taken.
pub struct Around<'a> {
    machine: &'a dyn Machine,
    at: Timestamp,
    /// The processes.
    pub living: Living<'a>,
    holdings: Option<&'a Holdings>,
    held: HashMap<ObjectName, Option<bool>>,
    commands: &'a Commands,
    created: Option<&'static dyn Created>,
}

/// What every process was started with, asked once for each look at them: it
/// costs as much as a look.
#[derive(Debug, Default)]
pub struct Commands {
    of: Option<Timestamp>,
    lines: OnceCell<Vec<CommandLine>>,
}

impl Commands {
    /// Forgets them, unless they were asked for with that very look.
    pub fn keep_for(&mut self, holdings: Option<&Holdings>) {
        let look = holdings.map(|holdings| holdings.at);
        if look.is_none() || self.of != look {
            *self = Self { of: look, lines: OnceCell::new() };
        }
    }
}

impl<'a> Around<'a> {
    pub fn new(
        machine: &'a dyn Machine,
        living: Living<'a>,
        survey: &Survey,
        holdings: Option<&'a Holdings>,
        (proofs, commands): (&Proofs<'_>, &'a Commands),
        created: Option<&'static dyn Created>,
    ) -> Self {
        let held = survey.segments.iter().filter_map(|segment| match &segment.id {
            SegmentId::Posix(name) => Some((name.clone(), is_held(segment, holdings, proofs))),
            _ => None,
        });
        Self { machine, at: survey.at, living, holdings, held: held.collect(), commands, created }
    }

    /// The pid of this program.
    pub fn own_pid(&self) -> u32 {
        self.machine.own_pid()
    }

    /// Returns whether this program created or restored the segment.
    pub fn was_created_here(&self, segment: &Segment) -> bool {
        self.created.is_some_and(|created| created.has(self.machine, segment, self.at))
    }

    /// Returns whether attachments by earlier runs of this program are remembered.
    pub fn keeps_uses(&self) -> bool {
        self.created.is_none_or(Created::keeps_uses)
    }

    /// The same, asked for one segment.
    pub const fn of<'b>(&'b self, segment: &'b Segment) -> Of<'b, 'a> {
        Of { around: self, segment }
    }
}

/// `None`: no holder was found, and it is not proven that there is none.
fn is_held(segment: &Segment, holdings: Option<&Holdings>, proofs: &Proofs<'_>) -> Option<bool> {
    if segment.holders.as_ref()?.iter().any(|holder| !holder.looks_on()) {
        return Some(true);
    }
    let holdings = holdings?;
    if !holdings.locks(segment).is_empty() || holdings.mount_point(segment).is_some() {
        return Some(true);
    }
    match settled::posix(segment, holdings, proofs) {
        Settled::Unheld(_) => Some(false),
        Settled::Held(_) => Some(true),
        Settled::TooFresh(_) | Settled::Open(_) => None,
    }
}

/// The machine, asked for one segment.
pub struct Of<'b, 'a> {
    around: &'b Around<'a>,
    segment: &'b Segment,
}

impl Of<'_, '_> {
    /// Returns whether a process is of the segment's owner, or of a user that can become the owner: a program
    /// that drops its privileges leaves its helpers as they were.
    fn serves(&self, line: &CommandLine) -> bool {
        const CAP_SETUID: u64 = 1 << 7;
        if line.uid == self.segment.owner.uid {
            return true;
        }
        let machine = self.around.machine;
        let credentials = || machine.process_credentials(line.pid);
        let may_drop = line.uid == 0 || credentials().is_some_and(|who| who.capabilities & CAP_SETUID != 0);
        may_drop && machine.may_reach_objects(line.pid)
    }

    fn made(&self) -> Option<Timestamp> {
        let times = &self.segment.times;
        times.birth.or(times.change)
    }
}

impl World for Of<'_, '_> {
    fn lives(&self, pid: u32) -> Lives {
        match self.around.living.of(pid, Seen::There, self.made()) {
            Life::Lives(_) => Lives::Yes,
            Life::Elsewhere => Lives::Elsewhere,
            Life::Gone | Life::PassedOn(_) => Lives::No,
            Life::Unclear(_) => Lives::Untold,
        }
    }

    fn runs(&self, helper: &[u8], whose: Whose) -> Option<bool> {
        let around = self.around;
        let commands = around.commands.lines.get_or_init(|| around.machine.command_lines());
        let runs = commands.iter().any(|line| {
            let arguments: Vec<&[u8]> = line.arguments.iter().map(Vec::as_slice).collect();
            is_helper(helper, &line.command, &arguments) && (whose == Whose::Anyone || self.serves(line))
        });
        let hidden = around.living.visibility();
        if runs {
            Some(true)
        } else if hidden.hides || hidden.outside {
            None
        } else {
            Some(false)
        }
    }

    fn is_held(&self, name: &[u8]) -> Option<bool> {
        match ObjectName::new(name).and_then(|name| self.around.held.get(&name).copied()) {
            Some(held) => held,
            None => self.around.holdings.map(|_| false),
        }
    }
}
