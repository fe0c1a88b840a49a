//! Finds the channels that the user types. Runs on its own thread, because the types of segments may be
//! in large programs.

use super::evidence::Evidence;
use super::report::{Body, Report};
use super::request::{ChosenType, FindChannels};
use super::worker::{Job, Worker};
use super::{Clock, Request};
use crate::identify::typing::{Knowledge, Subject, placed_type};
use crate::machine::Machine;
use crate::scope::text::{Lookup, SegmentTypes, TypeResult, complete, resolve_signal};
use crate::segment::{Segment, ShownError};
use std::sync::Arc;
use std::time::Duration;

/// The time for which the type of a segment is kept, so that completion does not wait for each key.
const KEEP: Duration = Duration::from_secs(5);

/// The worker that finds channels.
pub struct ChannelWorker {
    evidence: Evidence,
    types: SegmentTypes,
    /// The time since which types are kept.
    since: Clock,
    /// All are answered.
    wanted: Vec<FindChannels>,
    /// The last text to complete.
    typed: Option<(String, Arc<[Segment]>, Vec<ChosenType>)>,
}

impl ChannelWorker {
    pub fn new(evidence: Evidence) -> Self {
        let types = SegmentTypes::default();
        Self { evidence, types, since: Clock::ZERO, wanted: vec![], typed: None }
    }

    fn with<T>(
        &mut self,
        machine: &dyn Machine,
        segments: &[Segment],
        chosen: &[ChosenType],
        then: impl FnOnce(&Lookup<'_>) -> T,
    ) -> T {
        let Self { evidence, types, .. } = self;
        let knowledge = evidence.knowledge.clone();
        let chosen = |segment: &Segment| {
            let is_of = |chosen: &&ChosenType| {
                chosen.id == segment.id && chosen.identity.matches(&segment.identity())
            };
            chosen.iter().find(is_of).map(|chosen| Ok(Some(chosen.placed.clone())))
        };
        let find = |segment: &Segment| type_of(evidence, machine, segment);
        types.with((machine, &knowledge), segments, find, |found| {
            // A choice may change, so that it is not kept.
            let type_of = |segment: &Segment| chosen(segment).unwrap_or_else(|| (found.type_of)(segment));
            then(&Lookup { segments, type_of: &type_of, parse_type: found.parse_type })
        })
    }
}

impl Worker for ChannelWorker {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        match job.request {
            Request::FindChannels(wanted) => self.wanted.push(*wanted),
            Request::CompleteChannel(text, segments, types) => self.typed = Some((text, segments, types)),
            _ => {}
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        (!self.wanted.is_empty() || self.typed.is_some()).then_some(Clock::ZERO)
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        if now.saturating_sub(self.since) >= KEEP {
            // The contents may have another type by now.
            (self.types, self.since) = (SegmentTypes::default(), now);
        }
        let mut reports = vec![];
        for FindChannels { number, texts, segments, types } in std::mem::take(&mut self.wanted) {
            let found = self.with(machine, &segments, &types, |lookup| {
                texts.iter().map(|text| resolve_signal(text, lookup).map_err(ShownError::of)).collect()
            });
            reports.push(Report::new(now, Body::ChannelsFound { number, found }));
        }
        if let Some((text, segments, types)) = self.typed.take() {
            let found = self.with(machine, &segments, &types, |lookup| complete(&text, lookup));
            reports.push(Report::new(now, Body::ChannelCompletions(text, found)));
        }
        reports
    }
}

/// Finds the type of a segment.
fn type_of(evidence: &mut Evidence, machine: &dyn Machine, segment: &Segment) -> TypeResult {
    let placed = |subject: &Subject<'_>, knowledge: &Knowledge| placed_type(machine, subject, knowledge);
    let reason = match evidence.examine(machine, segment, placed) {
        Ok(found) => return found,
        Err(reason) => reason,
    };
    // The config and the programs of the holders may know it without the contents.
    let unread = Subject { segment, size: segment.size.0, peek: &|_, _| false };
    placed(&unread, &evidence.knowledge).ok().flatten().map(Some).ok_or_else(|| reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layout::LayoutRule;
    use crate::decode::PlacedType;
    use crate::engine::{Feed, Options, Steps, SubscriptionId};
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::scope::Source;
    use crate::scope::text::{ResolvedSignal, Signal};
    use crate::survey::{Names, Survey};

    /// An array in the format of `NumPy`, with a fixed length of its header.
    fn npy(dtype: &str) -> FakeBytes {
        let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': (2,), }}");
        let mut file = b"\x93NUMPY\x01\0\x76\0".to_vec();
        file.extend(header.as_bytes());
        file.resize(127, b' ');
        file.push(b'\n');
        file.resize(4096, 0);
        FakeBytes::full(&file)
    }

    fn start(machine: &FakeMachine) -> (Steps, Arc<[Segment]>) {
        let rule = |name: &str, ty: &str| LayoutRule { name: name.to_owned(), ty: ty.to_owned() };
        let layouts = vec![rule("motor", "struct { uint64_t tick; double v[2]; }@16"), rule("1234", "u32")];
        let steps = Steps::new(Arc::new(machine.clone()), Options { layouts, ..Options::default() });
        (steps, Survey::take(machine, &mut Names::default()).segments.into())
    }

    /// Names and offsets, or messages.
    fn find(steps: &mut Steps, segments: &Arc<[Segment]>, texts: &[&str]) -> Vec<String> {
        let texts = texts.iter().map(|&text| text.to_owned()).collect();
        let request = FindChannels { number: 3, texts, segments: Arc::clone(segments), types: vec![] };
        let mut reports = steps.send(Request::FindChannels(Box::new(request)));
        let Some(Report { body: Body::ChannelsFound { number: 3, found }, .. }) = reports.pop() else {
            panic!("{reports:?}");
        };
        found.into_iter().map(shown).collect()
    }

    fn shown(found: Result<ResolvedSignal, ShownError>) -> String {
        match found.map(|found| found.signal) {
            Ok(Signal::Channel(channel)) => match channel.source {
                Source::Value(value) => format!("{} {}:{}", channel.name, value.offset, value.ty),
                Source::Expression(text) => format!("{} = {text}", channel.name),
                Source::Recorded => channel.name,
            },
            Ok(Signal::Waveform(found)) => {
                let elements = &found.array.elements;
                format!("{} {}:{}", found.name, elements.offset, elements.type_text())
            }
            Err(error) => error.to_string(),
        }
    }

    fn completions(reports: Vec<Report>) -> Vec<(String, Vec<String>)> {
        let completed = reports.into_iter().filter_map(|report| match report.body {
            Body::ChannelCompletions(text, found) => {
                Some((text, found.into_iter().map(|found| found.text).collect()))
            }
            _ => None,
        });
        completed.collect()
    }

    #[test]
    fn every_text_is_answered() {
        let machine = FakeMachine::new();
        machine.add_object("motor", FakeBytes::full(&[0; 4096]));
        let (mut steps, segments) = start(&machine);
        let found = find(
            &mut steps,
            &segments,
            &["v=/motor:v[1]", "p = v * 2", "/motor:tack", "/motor+8:u16", "/no:x", "/motor:v"],
        );
        assert_eq!(found[5], "/motor:v 24:f64[2]");
        assert_eq!(found[..2], ["v 32:f64", "p = v * 2"]);
        assert_eq!(found[2], "/motor has no field 'tack'; did you mean tick?");
        assert_eq!(found[3], "/motor+0x8:u16 8:u16");
        assert!(found[4].starts_with("no segment named '/no'"), "{found:?}");
        let found = find(&mut steps, &segments, &["/motor+8:Pose"]);
        assert!(
            found[0].ends_with("nor a type in the debug information of a program that holds /motor"),
            "{found:?}"
        );
    }

    #[test]
    fn segment_that_reading_leaves_a_trace_on_is_not_read() {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 0x4d2, FakeBytes::full(&[0; 4096]));
        machine.add_sysv(2, 0x4d3, npy("<i4"));
        let (mut steps, segments) = start(&machine);
        let found = find(&mut steps, &segments, &["0x4d2:", "0x4d3:data[1]"]);
        assert_eq!(found[0], "0x4d2: 0:u32", "the config needs no contents");
        assert!(found[1].contains("(sysv:2 was not read: that would attach it"), "{found:?}");
        machine.edit(|facts| assert_eq!(facts.attached, 0));

        steps.send(Request::Subscribe(SubscriptionId(1), Box::new(segments[1].clone()), Feed::Window));
        steps.advance(KEEP);
        assert_eq!(find(&mut steps, &segments, &["0x4d3:data[1]"]), ["0x4d3:data[1] 132:i32"]);
    }

    #[test]
    fn type_is_kept_while_the_user_types() {
        let machine = FakeMachine::new();
        machine.add_object("a", npy("<i4"));
        let (mut steps, segments) = start(&machine);
        assert_eq!(find(&mut steps, &segments, &["/a:data[0]"]), ["/a:data[0] 128:i32"]);
        machine.edit_object("a", |bytes| *bytes = npy("<f8"));
        steps.advance(KEEP / 2);
        assert_eq!(find(&mut steps, &segments, &["/a:data[0]"]), ["/a:data[0] 128:i32"]);
        steps.advance(KEEP / 2);
        assert_eq!(find(&mut steps, &segments, &["/a:data[0]"]), ["/a:data[0] 128:f64"]);

        machine.remove_object("a");
        machine.add_object("a", npy("<i4"));
        let segments = Survey::take(&machine, &mut Names::default()).segments.into();
        assert_eq!(find(&mut steps, &segments, &["/a:data[0]"]), ["/a:data[0] 128:i32"], "another segment");
    }

    #[test]
    fn chosen_type_takes_the_place_of_the_certain_one() {
        let machine = FakeMachine::new();
        machine.add_object("motor", FakeBytes::full(&[0; 4096]));
        let (mut steps, segments) = start(&machine);
        let ty = crate::decode::parse_type("struct { char c; float speed[3]; }", &|_| Err(String::new()));
        let placed = PlacedType { ty: ty.unwrap().ty, offset: Some(8) };
        let (id, identity) = (segments[0].id.clone(), segments[0].identity());
        let types = vec![ChosenType { id, identity, placed }];
        let texts = ["/motor:speed[1]", "/motor:speed", "/motor:tick"].map(str::to_owned).to_vec();
        let request =
            FindChannels { number: 1, texts, segments: Arc::clone(&segments), types: types.clone() };
        let mut reports = steps.send(Request::FindChannels(Box::new(request)));
        let Some(Report { body: Body::ChannelsFound { found, .. }, .. }) = reports.pop() else {
            panic!("{reports:?}");
        };
        let found: Vec<String> = found.into_iter().map(shown).collect();
        assert_eq!(found[..2], ["/motor:speed[1] 16:f32", "/motor:speed 12:f32[3]"]);
        assert!(found[2].contains("no field 'tick'"), "{found:?}");
        let request = Request::CompleteChannel("/motor:s".to_owned(), Arc::clone(&segments), types.clone());
        assert_eq!(completions(steps.send(request))[0].1, ["/motor:speed["]);
        // Another object of the name has no type that the user chose.
        machine.remove_object("motor");
        machine.add_object("motor", FakeBytes::full(&[0; 4096]));
        let segments = Survey::take(&machine, &mut Names::default()).segments.into();
        let request = Request::CompleteChannel("/motor:t".to_owned(), segments, types);
        assert_eq!(completions(steps.send(request))[0].1, ["/motor:tick"]);
    }

    #[test]
    fn only_the_last_text_is_completed() {
        let machine = FakeMachine::new();
        machine.add_object("motor", FakeBytes::full(&[0; 4096]));
        let (mut steps, segments) = start(&machine);
        let mut complete = |text: &str| {
            completions(steps.send(Request::CompleteChannel(text.to_owned(), Arc::clone(&segments), vec![])))
        };
        assert_eq!(complete("/mo"), [("/mo".to_owned(), vec!["/motor:".to_owned()])]);
        assert_eq!(complete("/motor:t"), [("/motor:t".to_owned(), vec!["/motor:tick".to_owned()])]);

        let mut worker =
            ChannelWorker::new(Evidence::new(Knowledge::default(), super::super::Readers::default()));
        for text in ["/m", "/mo"] {
            let job = Job::new(Request::CompleteChannel(text.to_owned(), Arc::clone(&segments), vec![]));
            assert!(worker.handle(&machine, Clock::ZERO, job).is_empty());
        }
        let completed = completions(worker.work(&machine, Clock::ZERO));
        assert_eq!(completed, [("/mo".to_owned(), vec!["/motor:".to_owned()])]);
        assert_eq!(worker.deadline(), None);
    }
}
