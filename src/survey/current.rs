//! Finds the segment that has the name or key of an earlier one, without a survey.

use super::{Names, posix, sysv};
use crate::machine::Machine;
use crate::segment::{Segment, SegmentId};
use std::io;

/// Returns the segment that now has the name or the key of `segment`: the same one, or its
/// successor. Its holders are not known.
///
/// # Errors
/// `NotFound` if there is none. A segment without a name or key has no successor.
pub fn current(machine: &dyn Machine, segment: &Segment) -> io::Result<Segment> {
    let mut names = Names::default();
    names.begin(machine.now());
    match &segment.id {
        SegmentId::Posix(name) => {
            let stat = machine.stat_object(name)?;
            Ok(posix::from_stat(segment.id.clone(), &stat, None, machine, &mut names))
        }
        SegmentId::Sysv(_) => {
            let key = segment.sysv().map(|facts| facts.key).ok_or(io::ErrorKind::NotFound)?;
            let row = machine.sysv_stat(machine.sysv_of_key(key)?)?;
            Ok(sysv::segment(&row, machine, &mut names))
        }
        SegmentId::Deleted { .. } => Err(io::ErrorKind::NotFound.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::ShmId;
    use crate::survey::Survey;

    #[test]
    fn successor_has_the_name_or_the_key() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(&[1; 8]));
        machine.add_sysv(3, 0x4d2, FakeBytes::full(&[1; 8]));
        machine.add_sysv(4, 0, FakeBytes::full(&[1; 8]));
        let [keyed, private, object] = &Survey::take(&machine, &mut Names::default()).segments[..] else {
            panic!("three segments")
        };
        for segment in [keyed, object] {
            assert_eq!(current(&machine, segment).unwrap().identity(), segment.identity());
        }
        assert!(current(&machine, private).is_err());
        machine.edit(|facts| facts.sysv.clear());
        machine.remove_object("a");
        assert!(current(&machine, keyed).is_err() && current(&machine, object).is_err());
        machine.add_object("a", FakeBytes::full(&[2; 16]));
        machine.add_sysv(7, 0x4d2, FakeBytes::full(&[2; 16]));
        let found = [keyed, object].map(|segment| current(&machine, segment).unwrap());
        assert_eq!((&found[0].id, found[0].size.0), (&SegmentId::Sysv(ShmId(7)), 16));
        assert_eq!((&found[1].id, found[1].size.0), (&object.id, 16));
        assert!(found[1].identity() != object.identity());
    }
}
