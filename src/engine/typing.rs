//! Ranks the types that fit a segment. Runs on its own thread, so that neither the table nor the
//! live contents wait for it.

use super::contents::Readers;
use super::report::{Body, Report, SegmentTypes};
use super::worker::{Job, Worker};
use super::{Clock, Request};
use crate::config::layout::LayoutRule;
use crate::identify::typing::candidates;
use crate::machine::{Machine, Trace};
use crate::memory::{Reader, WriteLeases};
use crate::segment::Segment;

/// The worker that types segments.
pub struct TypingWorker {
    rules: Vec<LayoutRule>,
    readers: Readers,
    leases: WriteLeases,
    /// The last segment to type.
    next: Option<Box<Segment>>,
}

impl TypingWorker {
    pub fn new(rules: Vec<LayoutRule>, readers: Readers) -> Self {
        Self { rules, readers, leases: WriteLeases::default(), next: None }
    }

    /// Returns the reader of a subscription, or opens the segment if that leaves no trace and breaks
    /// no lease.
    fn reader(&mut self, machine: &dyn Machine, segment: &Segment) -> Option<Reader> {
        self.readers.of(&segment.id).or_else(|| {
            let opened = Reader::open_unleased(machine, segment, &mut self.leases).ok();
            opened.filter(|reader| reader.trace() == Trace::None)
        })
    }
}

impl Worker for TypingWorker {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        if let Request::Types(segment) = job.request {
            self.next = Some(segment);
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        self.next.as_ref().map(|_| Clock::ZERO)
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        let Some(segment) = self.next.take() else { return vec![] };
        let reader = self.reader(machine, &segment);
        let found = reader.and_then(|reader| candidates(&reader, &segment, &self.rules).ok());
        let types =
            SegmentTypes { identity: segment.identity(), id: segment.id, found: found.unwrap_or_default() };
        vec![Report::new(now, Body::Types(types))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Feed, Options, Steps, SubscriptionId};
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};
    use std::sync::Arc;

    fn typed(steps: &mut Steps, machine: &FakeMachine, index: usize) -> Vec<String> {
        let survey = Survey::take(machine, &mut Names::default());
        let reports = steps.send(Request::Types(Box::new(survey.segments[index].clone())));
        let [Report { body: Body::Types(types), .. }] = reports.as_slice() else { panic!("{reports:?}") };
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
    }
}
