//! Ranks the types that fit a segment. Runs on its own thread, so that neither the table nor the
//! live contents wait for it.

use super::evidence::Evidence;
use super::report::{Body, Report, SegmentTypes};
use super::worker::{Job, Worker};
use super::{Clock, Request};
use crate::identify::typing::{Knowledge, Subject, Typed, candidates, quick_candidates};
use crate::machine::Machine;
use crate::segment::Segment;

/// A segment to type.
struct Next {
    segment: Box<Segment>,
    /// Set if the types that are found quickly were reported.
    is_known: bool,
}

/// The worker that types segments.
pub struct TypingWorker {
    evidence: Evidence,
    /// The last segment to type.
    next: Option<Next>,
}

impl TypingWorker {
    pub const fn new(evidence: Evidence) -> Self {
        Self { evidence, next: None }
    }

    /// Returns the types that fit, if the segment can be read without a trace.
    ///
    /// `is_quick`: only if a type is certain without the programs of the holders.
    fn found(&mut self, machine: &dyn Machine, segment: &Segment, is_quick: bool) -> Option<Typed> {
        let found = |subject: &Subject<'_>, knowledge: &Knowledge| {
            if is_quick {
                return quick_candidates(subject, knowledge);
            }
            Some(candidates(machine, subject, knowledge))
        };
        self.evidence.examine(machine, segment, found).ok().flatten()
    }
}

impl Worker for TypingWorker {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        if let Request::Types(segment) = job.request {
            self.next = Some(Next { segment, is_known: false });
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        self.next.as_ref().map(|_| Clock::ZERO)
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        let Some(Next { segment, is_known }) = self.next.take() else { return vec![] };
        let quick = if is_known { None } else { self.found(machine, &segment, true) };
        let answer = match quick {
            Some(quick) => {
                self.next = Some(Next { segment: segment.clone(), is_known: true });
                quick
            }
            None => self.found(machine, &segment, false).unwrap_or_default(),
        };
        let Typed { candidates: found, problems } = answer;
        let types = SegmentTypes { identity: segment.identity(), id: segment.id, found, problems };
        vec![Report::new(now, Body::Types(types))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layout::LayoutRule;
    use crate::engine::{Feed, Options, Steps, SubscriptionId};
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};
    use std::sync::Arc;

    fn typed(steps: &mut Steps, machine: &FakeMachine, index: usize) -> Vec<String> {
        let survey = Survey::take(machine, &mut Names::default());
        let reports = steps.send(Request::Types(Box::new(survey.segments[index].clone())));
        // The last answer is complete.
        let Some(Report { body: Body::Types(types), .. }) = reports.last() else { panic!("{reports:?}") };
        assert_eq!(types.id, survey.segments[index].id);
        types.found.iter().map(|found| found.name.clone()).collect()
    }

    #[test]
    fn only_an_open_segment_is_read_where_reading_leaves_a_trace() {
        let machine = FakeMachine::new();
        let mut file =
            b"\x93NUMPY\x01\0\x40\0{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }".to_vec();
        file.resize(4096, b' ');
        machine.add_object("a", FakeBytes::full(&file));
        machine.add_sysv(1, 0x4d2, FakeBytes::full(&file));
        let layouts = vec![LayoutRule { name: "a".to_owned(), ty: "u32@8".to_owned() }];
        let mut steps = Steps::new(Arc::new(machine.clone()), Options { layouts, ..Options::default() });
        assert_eq!(typed(&mut steps, &machine, 1), ["u32@8", "npy"]);
        assert_eq!(typed(&mut steps, &machine, 0), Vec::<String>::new());
        machine.edit(|facts| assert_eq!(facts.attached, 0));
        let survey = Survey::take(&machine, &mut Names::default());
        let open = Request::Subscribe(SubscriptionId(1), Box::new(survey.segments[0].clone()), Feed::Window);
        steps.send(open);
        assert_eq!(typed(&mut steps, &machine, 0), ["npy"]);
        machine.edit_object("a", |bytes| bytes.swapped = [0].into());
        assert_eq!(typed(&mut steps, &machine, 1), ["u32@8"], "contents that are swapped out are not read");
    }
}
