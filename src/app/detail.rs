//! The facts on the Detail screen.

use crate::identify::about::{Fact, Probe, SegmentDetails};
use crate::segment::field::Field;
use crate::segment::field::Group::{
    self, Contents, Evidence, Holders, Identity, Limits, Maker, Owner, Size, State, Times, Warnings,
};
use crate::segment::{Segment, SegmentId, State as SegmentState};
use crate::survey::Survey;

/// Facts under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailGroup {
    pub title: &'static str,
    /// Set if a wide terminal shows the group in the right column.
    pub right: bool,
    pub lines: Vec<DetailLine>,
}

/// A line of a Detail group: a fact, or its continuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailLine {
    /// At most 11 letters; empty for a continuation. `None` for a line of full width.
    pub label: Option<&'static str>,
    /// Safe to print.
    pub text: String,
    /// The state that the line names.
    pub state: Option<SegmentState>,
}

/// The headings with their groups, most important first. The first five contain complete messages.
const HEADINGS: [(&str, &[Group]); 10] = [
    ("STATE", &[State, Evidence]),
    ("CONTENTS", &[Contents]),
    ("HOLDERS", &[Holders]),
    ("MAKER", &[Maker]),
    ("WARNINGS", &[Warnings]),
    ("SIZE", &[Size]),
    ("OWNER", &[Owner]),
    ("TIMES", &[Times]),
    ("IDENTITY", &[Identity]),
    ("LIMITS", &[Limits]),
];
const LEFT_GROUPS: usize = 5;

/// The facts about a segment in a survey. They are computed once, and not for each frame.
#[derive(Debug, Default)]
pub struct Details {
    of: Option<(SegmentId, Option<Probe>)>,
    groups: Vec<DetailGroup>,
}

impl Details {
    /// `probe` has the facts that require access to the segment.
    pub fn new(segment: &Segment, survey: &Survey, probe: Option<&Probe>) -> Self {
        let groups = groups(segment, survey, probe.cloned().unwrap_or_default());
        Self { of: Some((segment.id.clone(), probe.cloned())), groups }
    }

    /// Returns true if these are the facts about a segment of the same survey.
    pub fn is_of(&self, segment: &Segment, probe: Option<&Probe>) -> bool {
        self.of.as_ref().is_some_and(|(id, before)| *id == segment.id && before.as_ref() == probe)
    }

    pub fn groups(&self) -> &[DetailGroup] {
        &self.groups
    }
}

fn groups(segment: &Segment, survey: &Survey, probe: Probe) -> Vec<DetailGroup> {
    let facts = SegmentDetails::new(segment, survey, probe).facts();
    let lines = |groups: &[Group]| {
        let mut lines = vec![];
        for group in groups {
            let within = facts.iter().filter(|fact| fact.field.group() == *group);
            lines.extend(within.flat_map(|fact| lines_of(fact, segment)));
        }
        lines
    };
    let groups = HEADINGS.iter().enumerate().map(|(index, (title, groups))| DetailGroup {
        title,
        right: index >= LEFT_GROUPS,
        lines: lines(groups),
    });
    groups.filter(|group| !group.lines.is_empty()).collect()
}

fn lines_of<'a>(fact: &'a Fact<'_>, segment: &'a Segment) -> impl Iterator<Item = DetailLine> + use<'a> {
    let labels = std::iter::once(fact.field.label()).chain(std::iter::repeat(""));
    // The heading names the holders, and their lines are long.
    let labels = labels.map(|label| (fact.field != Field::Holders).then_some(label));
    let state = (fact.field.group() == State).then_some(segment.verdict.state);
    labels.zip(&fact.lines).map(move |(label, text)| DetailLine { label, text: text.clone(), state })
}

/// The resident fraction, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a share to draw a bar by")]
pub fn resident_share(segment: &Segment) -> Option<f64> {
    let resident = segment.resident?;
    // The kernel counts whole pages: a segment of 100 bytes has 4096 bytes resident.
    (segment.size.0 > 0).then(|| (resident.0 as f64 / segment.size.0 as f64).clamp(0.0, 1.0))
}
