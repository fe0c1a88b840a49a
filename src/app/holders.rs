//! The list of a segment's holders, including the other segments that they hold, and the dialog for
//! terminating a holder.

use super::list::List;
use super::sentence::{label_of, name_of};
use crate::act::Termination;
use crate::engine::Clock;
use crate::segment::{Access, Bytes, Holder, Segment, SegmentId, State};
use crate::survey::Survey;
use std::collections::HashMap;

/// Maximum number of other segments named per holder.
const MAX_NAMED: usize = 4;

#[derive(Debug, Clone)]
pub struct Holders {
    pub segment: Box<Segment>,
    pub gone: bool,
    pub rows: Vec<HolderRow>,
    pub list: List,
}

/// A holder and its other segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderRow {
    pub holder: Holder,
    pub others: Vec<OtherSegment>,
    /// The resident size of all segments that the process holds.
    pub resident: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherSegment {
    pub id: SegmentId,
    pub label: String,
    pub access: Access,
    pub resident: Bytes,
    /// Set if the segment was removed and this process is its only holder, so that it is freed on
    /// exit.
    pub freed: bool,
}

/// The dialog for terminating a process.
#[derive(Debug, Clone)]
pub struct Terminate {
    pub termination: Termination,
    pub row: HolderRow,
    /// The time when the dialog appeared.
    pub since: Clock,
    pub acting: bool,
    /// The list that Esc returns to.
    pub back: Holders,
}

impl Holders {
    pub fn new(segment: &Segment, survey: &Survey) -> Self {
        let rows = rows(segment, survey);
        Self { segment: Box::new(segment.clone()), gone: false, rows, list: List::default() }
    }

    /// Updates the list from a new survey. The selection stays on its process.
    pub fn refresh(&mut self, survey: &Survey) {
        let found = survey.segments.iter().find(|segment| {
            segment.id == self.segment.id && self.segment.identity().matches(&segment.identity())
        });
        let Some(segment) = found else {
            self.gone = true;
            self.rows.clear();
            return;
        };
        let chosen = self.rows.get(self.list.selected).map(|row| row.holder.clone());
        *self.segment = segment.clone();
        self.rows = rows(segment, survey);
        let place = |one: &Holder| self.rows.iter().position(|row| row.holder.is_same_process(one));
        let last = self.rows.len().saturating_sub(1);
        self.list.selected = chosen.as_ref().and_then(place).unwrap_or(self.list.selected.min(last));
    }

    pub fn title(&self) -> String {
        format!("Holders of {}", name_of(&self.segment.id))
    }

    /// The reasons why the list may be incomplete, one per line.
    pub fn reasons_for_doubt(&self, survey: &Survey, root: bool) -> Vec<String> {
        let mut lines = vec![];
        if self.segment.holders.is_none() && !self.gone {
            lines.push("holders not checked yet".to_owned());
            return lines;
        }
        if let (true, Some(facts)) = (self.segment.unseen() > 0, self.segment.sysv()) {
            let unseen = self.segment.unseen();
            let found = facts.nattch - unseen;
            let shows_root_hint =
                !root && survey.coverage.as_ref().is_some_and(|coverage| coverage.unreadable > 0);
            let root = if shows_root_hint { ". Run as root" } else { "" };
            lines.push(match (found, unseen) {
                (0, 1) => format!("1 attachment in a process you cannot inspect{root}"),
                (0, many) => format!("{many} attachments in processes you cannot inspect{root}"),
                _ => format!(
                    "nattch {}: {found} found, {} in processes you cannot inspect",
                    facts.nattch, unseen
                ),
            });
        }
        let Some(coverage) = &survey.coverage else { return lines };
        if coverage.unreadable > 0 {
            lines.push(format!(
                "{} of {} processes can be inspected",
                coverage.processes - coverage.unreadable,
                coverage.processes
            ));
        }
        if coverage.visibility.hides {
            lines.push("processes of other users are hidden (/proc is mounted with hidepid)".to_owned());
        }
        if coverage.visibility.outside {
            lines.push("processes outside this container (pid namespace) are not visible".to_owned());
        }
        lines
    }
}

impl HolderRow {
    /// Describes how the process holds the segment: `mapped twice, open once`.
    pub fn access_text(&self) -> String {
        let Holder { mappings, descriptors, private, .. } = self.holder;
        let mut parts = vec![];
        if mappings > 0 {
            let privately = if private { ", private" } else { "" };
            parts.push(format!("mapped {}{privately}", times(mappings)));
        }
        if descriptors > 0 {
            parts.push(format!("open {}", times(descriptors)));
        }
        parts.join(", ")
    }

    /// Describes everything that the process holds: `324 MiB resident in 3 segments, also #32771,
    /// /camera0`.
    pub fn holds_text(&self) -> String {
        let mut names: Vec<&str> =
            self.others.iter().take(MAX_NAMED).map(|other| other.label.as_str()).collect();
        let more = format!("+{}", self.others.len().saturating_sub(MAX_NAMED));
        if self.others.len() > MAX_NAMED {
            names.push(&more);
        }
        match self.others.len() {
            0 => format!("{} resident, no other segments", self.resident),
            count => {
                format!("{} resident in {} segments, also {}", self.resident, count + 1, names.join(", "))
            }
        }
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

fn rows(segment: &Segment, survey: &Survey) -> Vec<HolderRow> {
    let holders = segment.holders.as_deref().unwrap_or_default();
    let mut rows: Vec<HolderRow> = holders
        .iter()
        .map(|holder| {
            let resident = segment.resident.unwrap_or_default();
            HolderRow { holder: holder.clone(), others: vec![], resident }
        })
        .collect();
    let places: HashMap<(u32, u64), usize> =
        holders.iter().enumerate().map(|(index, holder)| ((holder.pid, holder.start), index)).collect();
    for other in survey.segments.iter().filter(|other| other.id != segment.id) {
        for holder in other.holders.as_deref().unwrap_or_default() {
            let Some(&index) = places.get(&(holder.pid, holder.start)) else { continue };
            let resident = other.resident.unwrap_or_default();
            rows[index].resident = Bytes(rows[index].resident.0.saturating_add(resident.0));
            rows[index].others.push(OtherSegment {
                id: other.id.clone(),
                label: label_of(other),
                access: holder.access,
                resident,
                freed: is_freed_with_its_holder(other),
            });
        }
    }
    // Only the first `MAX_NAMED` are listed.
    for row in &mut rows {
        row.others.sort_by(|a, b| b.resident.cmp(&a.resident).then_with(|| a.id.cmp(&b.id)));
    }
    rows
}

/// Returns true if the segment was removed and has a single holder.
pub fn is_freed_with_its_holder(segment: &Segment) -> bool {
    let one = segment.holders.as_deref().is_some_and(|holders| holders.len() == 1);
    segment.verdict.state == State::Removed && one && segment.unseen() == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::Identifier;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Depth, Holdings, Names};

    fn survey(machine: &FakeMachine) -> Survey {
        let mut names = Names::default();
        let holdings = Holdings::scan(machine, Depth::Private, &[], &mut names);
        Identifier::default().survey(machine, Some(&holdings), &mut names)
    }

    fn shown(machine: &FakeMachine, name: &str) -> (Holders, Survey) {
        let survey = survey(machine);
        let segment = survey.segments.iter().find(|segment| segment.label() == name).unwrap();
        (Holders::new(segment, &survey), survey)
    }

    fn machine() -> FakeMachine {
        let machine = FakeMachine::new();
        machine.add_object("camera", FakeBytes::full(&[1; 8192]));
        machine.add_object("gone", FakeBytes::full(&[1; 4096]));
        machine.add_sysv(5, 0, FakeBytes::full(&[1; 4096]));
        machine.add_process(7, "writer");
        machine.add_process(8, "reader");
        machine.map_in(7, "camera", Access::ReadWrite);
        machine.map_in(7, "camera", Access::Read);
        machine.open_in(7, "camera", Access::Read);
        machine.open_in(8, "camera", Access::Read);
        machine.attach_in(7, 5, Access::Read);
        machine.map_in(7, "gone", Access::ReadWrite);
        machine.remove_object("gone");
        machine
    }

    #[test]
    fn other_segments_and_resident_sizes_are_listed_per_holder() {
        let (shown, survey) = shown(&machine(), "/camera");
        let [writer, reader] = &shown.rows[..] else { panic!("{shown:?}") };
        assert_eq!(
            (writer.access_text(), reader.access_text()),
            ("mapped twice, open once".into(), "open once".into())
        );
        assert_eq!(writer.holds_text(), "16 KiB resident in 3 segments, also sysv:5, /gone");
        assert_eq!(reader.holds_text(), "8.0 KiB resident, no other segments");
        // `/y` has no name and no other holder.
        assert_eq!(writer.others.iter().map(|other| other.freed).collect::<Vec<_>>(), [false, true]);
        assert_eq!(shown.reasons_for_doubt(&survey, false), Vec::<String>::new());
    }

    #[test]
    fn unmapped_pages_are_not_counted() {
        let machine = machine();
        machine.add_object("sparse", FakeBytes::hole(1 << 30));
        machine.map_in(8, "sparse", Access::ReadWrite);
        let (shown, _) = shown(&machine, "/camera");
        assert_eq!(shown.rows[1].holds_text(), "8.0 KiB resident in 2 segments, also /sparse");
    }

    #[test]
    fn missing_holders_are_reported() {
        let machine = machine();
        machine.attach_in(8, 5, Access::Read);
        machine.attach_in(8, 5, Access::Read);
        machine.edit(|facts| facts.processes.get_mut(&8).unwrap().readable = false);
        let (shown, survey) = shown(&machine, "sysv:5");
        assert_eq!(shown.rows.len(), 1);
        assert_eq!(
            shown.reasons_for_doubt(&survey, false),
            ["nattch 3: 1 found, 2 in processes you cannot inspect", "1 of 2 processes can be inspected"]
        );
    }

    #[test]
    fn segments_with_unseen_attachments_are_never_freed() {
        let machine = machine();
        machine.edit(|facts| facts.sysv[0].row.marked = true);
        let last = || {
            let (shown, _) = shown(&machine, "/camera");
            shown.rows[0].others.iter().map(|other| (other.label.clone(), other.freed)).collect::<Vec<_>>()
        };
        assert_eq!(last(), [("sysv:5".to_owned(), true), ("/gone".to_owned(), true)]);
        machine.edit(|facts| facts.sysv[0].row.nattch += 1);
        assert_eq!(last(), [("sysv:5".to_owned(), false), ("/gone".to_owned(), true)]);
    }

    #[test]
    fn selection_follows_the_process_and_not_a_reused_pid() {
        let machine = machine();
        let (mut shown, _) = shown(&machine, "/camera");
        shown.list.selected = 1;
        machine.add_process(3, "early");
        machine.open_in(3, "camera", Access::Read);
        shown.refresh(&survey(&machine));
        assert_eq!((shown.rows.len(), shown.rows[shown.list.selected].holder.pid), (3, 8));
        machine.end_process(8);
        machine.add_process(8, "other");
        machine.edit(|facts| facts.processes.get_mut(&8).unwrap().started.seconds += 9);
        shown.refresh(&survey(&machine));
        assert_eq!((shown.rows.len(), shown.list.selected), (2, 1));
        machine.remove_object("camera");
        machine.end_process(3);
        machine.end_process(7);
        shown.refresh(&survey(&machine));
        assert!(shown.gone && shown.rows.is_empty());
    }
}
