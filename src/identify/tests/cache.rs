//! Tests of the cache between surveys.

use super::*;
use crate::machine::process::Object;

/// A fake machine that is surveyed repeatedly with the same `Identifier`, to exercise its cache.
/// Each survey follows a new holder scan.
struct RepeatedSurvey {
    machine: FakeMachine,
    identifier: Identifier,
    names: Names,
}

impl RepeatedSurvey {
    fn new(machine: &FakeMachine) -> Self {
        Self { machine: machine.clone(), identifier: Identifier::default(), names: Names::default() }
    }

    /// Returns the first segment five seconds later.
    fn first(&mut self) -> Segment {
        self.machine.edit(|facts| facts.now += 5);
        let holdings = Holdings::scan(&self.machine, Depth::Private, &[], &mut self.names);
        self.identifier.survey(&self.machine, Some(&holdings), &mut self.names).segments.remove(0)
    }

    fn state(&mut self) -> State {
        self.first().verdict.state
    }

    fn maker(&mut self) -> Option<String> {
        self.first().made_by.map(|maker| maker.id().to_owned())
    }
}

#[test]
fn lease_counts_until_the_next_scan() {
    let machine = with_object("nccl-a1B2c3");
    machine.edit(|facts| facts.visibility.outside = true);
    let mut repeated = RepeatedSurvey::new(&machine);
    assert_eq!(repeated.state(), CERTAIN);
    // Mapping an object does not change its times.
    machine.add_process(7, "writer");
    machine.map_in(7, "nccl-a1B2c3", Access::ReadWrite);
    machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
    assert_eq!(repeated.state(), State::Unknown);
    machine.end_process(7);
    assert_eq!(repeated.state(), CERTAIN);
}

#[test]
fn helpers_are_searched_after_every_scan() {
    let machine = with_object("psm_1f09ab2c");
    let mut repeated = RepeatedSurvey::new(&machine);
    assert_eq!(repeated.state(), CERTAIN);
    machine.add_process(8, "resource_tracker");
    assert_eq!(repeated.state(), State::Idle);
    machine.end_process(8);
    assert_eq!(repeated.state(), CERTAIN);
}

/// A `ShareableList` with the single value 42.
fn list() -> Vec<u8> {
    let head: [u8; 24] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0];
    [&head[..], &[0x2a; 8], b"q\0\0\0\0\0\0\0", &[0]].concat()
}

fn with_list() -> FakeMachine {
    let machine = with_object("psm_1f09ab2c");
    machine.add_object("psm_1f09ab2c", FakeBytes::full(&list()));
    edit(&machine, |object, now| set_times(object, now - 3600));
    machine
}

#[test]
fn replaced_or_resized_object_is_identified_again() {
    let machine = with_list();
    let mut repeated = RepeatedSurvey::new(&machine);
    assert_eq!(repeated.maker().as_deref(), Some("cpython-shareablelist"));
    machine.add_object("psm_1f09ab2c", FakeBytes::hole(list().len() as u64));
    edit(&machine, |object, now| set_times(object, now - 3600));
    assert_eq!(repeated.maker().as_deref(), Some("cpython-shared-memory"));

    let machine = with_list();
    let mut repeated = RepeatedSurvey::new(&machine);
    assert_eq!(repeated.maker().as_deref(), Some("cpython-shareablelist"));
    machine.edit_object("psm_1f09ab2c", |bytes| bytes.size = 20);
    assert_eq!(repeated.maker().as_deref(), Some("cpython-shared-memory"));
}

#[test]
fn limited_number_of_new_objects_is_read_for_each_survey() {
    const MANY: usize = 310;
    let machine = FakeMachine::new();
    for number in 0..MANY {
        machine.add_object(&format!("psm_{number:08x}"), FakeBytes::full(&list()));
    }
    machine.edit(|facts| facts.posix.values_mut().for_each(|object| set_times(object, facts.now - 3600)));
    let (mut identifier, mut names) = (Identifier::for_repeated_surveys(Rules::default()), Names::default());
    let mut lists = || {
        let survey = identifier.survey(&machine, None, &mut names);
        let makers = survey.segments.iter().filter_map(|segment| segment.made_by.as_ref());
        makers.filter(|maker| maker.id() == "cpython-shareablelist").count()
    };
    assert_eq!([lists(), lists(), lists()], [0, 300, MANY]);
}

#[test]
fn new_holder_may_identify_the_maker() {
    let machine = with_object("infotainment");
    edit(&machine, |object, _| object.stat.mode = 0o100_660);
    let mut repeated = RepeatedSurvey::new(&machine);
    assert_eq!(repeated.maker(), None);
    machine.add_process(7, "iox-roudi");
    machine.open_in(7, "infotainment", Access::ReadWrite);
    assert_eq!(repeated.maker().as_deref(), Some("iceoryx1-legacy-payload"));
}

#[test]
fn contents_are_not_read_if_that_leaves_a_trace() {
    let machine = with_list();
    let mut repeated = RepeatedSurvey::new(&machine);
    assert_eq!(repeated.maker().as_deref(), Some("cpython-shareablelist"));
    // Reading another user's object changes its access time.
    machine.edit(|facts| facts.effective_uid = 1001);
    edit(&machine, |object, _| object.stat.mode = 0o100_666);
    assert_eq!(RepeatedSurvey::new(&machine).maker().as_deref(), Some("cpython-shared-memory"));
}

#[test]
fn reused_descriptor_describes_no_other_object() {
    let machine = with_object("a");
    machine.add_object("b", FakeBytes::full(&[1; 500]));
    machine.add_process(7, "writer");
    machine.open_in(7, "a", Access::Read);
    machine.open_in(7, "b", Access::Read);
    let files: Vec<Object> =
        machine.edit(|facts| facts.processes[&7].uses.iter().map(|one| one.of).collect());
    let mut names = Names::default();
    let holdings = Holdings::scan(&machine, Depth::Private, &[], &mut names);
    let unlinked = |names: &mut Names| {
        let survey = Identifier::default().survey(&machine, Some(&holdings), names);
        survey.segments.into_iter().map(|segment| segment.id.to_string()).collect::<Vec<_>>()
    };
    // A linked object that is not listed must be in an unreadable directory.
    let listed = machine.edit(|facts| std::mem::take(&mut facts.posix));
    assert_eq!(unlinked(&mut names), [""; 0]);
    machine.edit(|facts| facts.posix = listed);
    machine.remove_object("a");
    machine.remove_object("b");
    assert_eq!(unlinked(&mut names), ["deleted:1a:2", "deleted:1a:3"]);
    // The process has replaced the descriptor since the scan.
    machine.edit(|facts| facts.processes.get_mut(&7).unwrap().uses[0].of = files[1]);
    assert_eq!(unlinked(&mut names), ["deleted:1a:3"]);
}
