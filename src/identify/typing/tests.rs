//! Tests of the ranking.

use super::{CandidateSource, Knowledge, Subject, candidates};
use crate::config::layout::LayoutRule;
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::memory::Reader;
use crate::survey::{Names, Survey};

/// A list of Python with the integer 7.
fn list() -> FakeBytes {
    let mut bytes = FakeBytes::hole(4096);
    for (at, word) in [1_u64, 0, 8, 7].iter().enumerate() {
        bytes.write(8 * at as u64, &word.to_le_bytes());
    }
    bytes.write(32, b"q\0\0\0\0\0\0\0\0");
    bytes
}

#[test]
fn certain_types_come_first_and_those_of_the_user_before_others() {
    let machine = FakeMachine::new();
    machine.add_object("list_7", list());
    let survey = Survey::take(&machine, &mut Names::default());
    let reader = Reader::open(&machine, &survey.segments[0]).unwrap();
    let rule = |name: &str, ty: &str| LayoutRule { name: name.to_owned(), ty: ty.to_owned() };
    let rules = [
        rule("list_\\d", "u64[1000]"),
        rule("list", "u32"),
        rule("list_\\d", "u64@8"),
        rule("list_\\d", "sharedlist"),
        rule("list_\\d", "npy"),
    ];
    let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
    let subject = Subject { segment: &survey.segments[0], size: 4096, peek: &peek };
    let knowledge = Knowledge { rules: rules.into(), ..Knowledge::default() };
    let found = candidates(&machine, &subject, &knowledge).candidates;
    let shown: Vec<_> =
        found.iter().map(|found| (found.name.as_str(), found.source, found.certain, found.count)).collect();
    assert_eq!(
        shown,
        [
            ("u64@8", CandidateSource::Config, true, 1),
            ("sharedlist", CandidateSource::Config, true, 1),
            ("sharedlist", CandidateSource::Contents, true, 1),
            ("u64[1000]", CandidateSource::Config, false, 0),
        ]
    );
    assert_eq!(found[3].evidence[1], "the type takes 8000 bytes, of which the segment has 4096");
}
