//! Mappings that extend past the end of their object, because the object was truncated or never
//! grown. Accessing a page past the end raises SIGBUS (`mmap(2)`), in shared and private mappings.

use super::{Alert, Survey};
use crate::segment::{Bytes, Holder, Segment};

/// Mappings that an alert lists.
const MAX_LISTED: usize = 5;

impl Survey {
    /// Returns the holders with a mapping past the end of the segment.
    ///
    /// A System V segment never shrinks. An object that changed after the scan may have been
    /// remapped, so it is not reported before the next scan.
    pub fn past_end<'a>(&self, segment: &'a Segment) -> impl Iterator<Item = &'a Holder> {
        let scanned = self.scanned.zip(segment.times.change).is_some_and(|(at, change)| change <= at);
        let checked = scanned && segment.posix().is_some();
        let holders = segment.holders.as_deref().filter(|_| checked).unwrap_or_default();
        // The rest of the last page is readable as zeros.
        let end = segment.size.0.checked_next_multiple_of(self.limits.page_size.max(1));
        // shmlens handles SIGBUS in its own mappings.
        let others = holders.iter().filter(|holder| !holder.is_observer());
        others.filter(move |holder| end.is_some_and(|end| holder.mapped_to > end))
    }

    /// Returns a line per holder, safe to print.
    #[must_use]
    pub fn past_end_lines(&self, segment: &Segment) -> Vec<String> {
        self.past_end(segment)
            .map(|holder| format!("{}: access past the end raises SIGBUS", past_end(segment, holder)))
            .collect()
    }
}

/// Describes a mapping: `writer (4121) maps /x up to 1.0 MiB, but its size is 4.0 KiB`.
fn past_end(segment: &Segment, holder: &Holder) -> String {
    let Holder { pid, mapped_to, .. } = holder;
    let command = holder.command_text();
    let label = segment.label();
    let size = segment.size;
    format!("{command} ({pid}) maps {label} up to {}, but its size is {size}", Bytes(*mapped_to))
}

pub(super) fn alert(survey: &Survey) -> Option<Alert> {
    let found: Vec<String> = survey
        .segments
        .iter()
        .flat_map(|segment| survey.past_end(segment).map(|holder| past_end(segment, holder)))
        .collect();
    let message = match found.len() {
        0 => return None,
        1 => "a mapping extends past the end of its object: access there raises SIGBUS".to_owned(),
        count => format!("{count} mappings extend past the end of their objects: access there raises SIGBUS"),
    };
    Some(Alert { message, users: found.into_iter().take(MAX_LISTED).collect(), urgent: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::machine::process::Processes as _;
    use crate::segment::{Access, Timestamp};
    use crate::survey::{Depth, Holdings, Names, alerts};

    /// Returns a machine on which `writer` maps the first page of `/x`, which has `size` bytes.
    fn machine(size: u64) -> FakeMachine {
        let machine = FakeMachine::new();
        machine.add_object("x", FakeBytes::hole(size));
        machine.add_process(4121, "writer");
        machine.map_in(4121, "x", Access::ReadWrite);
        machine
    }

    fn lines(machine: &FakeMachine) -> Vec<String> {
        let mut names = Names::default();
        let holdings = Holdings::scan(machine, Depth::Private, &[], &mut names);
        let mut survey = Survey::take(machine, &mut names);
        survey.join(&holdings, machine, &mut names);
        let lines = survey.segments.iter().flat_map(|segment| survey.past_end_lines(segment)).collect();
        let reported = alerts(&survey).iter().any(|alert| alert.message.contains("past the end"));
        assert_eq!(reported, !Vec::is_empty(&lines));
        lines
    }

    #[test]
    fn only_whole_pages_past_the_end_count() {
        for size in [1, 4095, 4096, 4097, 1 << 62] {
            assert_eq!(lines(&machine(size)), Vec::<String>::new(), "{size}");
        }
        let reported =
            ["writer (4121) maps /x up to 4.0 KiB, but its size is 0 B: access past the end raises SIGBUS"];
        assert_eq!(lines(&machine(0)), reported);
    }

    #[test]
    fn own_mapping_is_guarded() {
        let machine = machine(0);
        let own = machine.own_pid();
        machine.add_process(own, "shmlens");
        machine.map_in(own, "x", Access::Read);
        machine.end_process(4121);
        assert_eq!(lines(&machine), Vec::<String>::new());
    }

    #[test]
    fn open_descriptor_maps_nothing() {
        let machine = FakeMachine::new();
        machine.add_object("x", FakeBytes::hole(0));
        machine.add_process(4121, "writer");
        machine.open_in(4121, "x", Access::ReadWrite);
        assert_eq!(lines(&machine), Vec::<String>::new());
    }

    #[test]
    fn object_that_changed_after_the_scan_waits_for_the_next_scan() {
        let machine = machine(0);
        machine.edit(|facts| {
            let later = Timestamp::from_seconds(facts.now + 1);
            facts.posix.values_mut().for_each(|object| object.stat.change = later);
        });
        assert_eq!(lines(&machine), Vec::<String>::new());
    }
}
