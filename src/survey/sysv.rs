//! System V segments, from `/proc/sysvipc/shm`.

use super::Names;
use crate::machine::Machine;
use crate::machine::control::SysvStat;
use crate::machine::sysv_table::Table;
use crate::segment::{Facts, Segment, SegmentId, SysvFacts, Times, plain_error};
use std::io;

/// Adds the segments of the table and its problems. Returns true if the table was complete.
pub fn add(
    table: io::Result<Table>,
    machine: &dyn Machine,
    names: &mut Names,
    segments: &mut Vec<Segment>,
    problems: &mut Vec<String>,
) -> bool {
    match table {
        Ok(table) => {
            let whole = table.problems.is_empty();
            problems.extend(table.problems);
            segments.extend(table.rows.iter().map(|row| segment(row, machine, names)));
            whole
        }
        Err(error) => {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => {
                    "no /proc/sysvipc/shm: the kernel has no System V shared memory, or /proc is not fully mounted"
                        .to_owned()
                }
                _ => format!("/proc/sysvipc/shm: {}", plain_error(&error)),
            };
            problems.push(format!("failed to list System V segments: {reason}"));
            false
        }
    }
}

/// Builds the segment of a row.
pub fn segment(row: &SysvStat, machine: &dyn Machine, names: &mut Names) -> Segment {
    let owner = names.owner(machine, row.uid, row.gid);
    let creator = if (row.creator_uid, row.creator_gid) == (row.uid, row.gid) {
        owner.clone()
    } else {
        names.owner(machine, row.creator_uid, row.creator_gid)
    };
    let facts = SysvFacts {
        key: row.key,
        creator,
        creator_pid: row.creator_pid,
        last_pid: row.last_pid,
        nattch: row.nattch,
        locked: row.locked,
        marked: row.marked,
    };
    Segment {
        resident: row.resident,
        swapped: row.swapped,
        times: Times { attach: row.attach, detach: row.detach, change: row.change, ..Times::default() },
        ..Segment::new(SegmentId::Sysv(row.shmid), row.size, row.mode, owner, Facts::Sysv(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Survey;
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::{Bytes, Mode};

    #[test]
    fn invalid_line_hides_no_other() {
        let machine = FakeMachine::new();
        machine.add_sysv(3, 0x4d2, FakeBytes::full(&[1; 5000]));
        machine.edit(|facts| facts.stray_lines.push("no segment".to_owned()));
        machine.add_sysv(4, 0, FakeBytes::hole(1 << 46));
        machine.edit(|facts| {
            let row = &mut facts.sysv[1].row;
            (row.mode, row.locked, row.marked) = (Mode::new(0o640), true, true);
        });
        let Survey { segments: found, problems, .. } = Survey::take(&machine, &mut Names::default());
        assert_eq!(problems.len(), 1);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].size, found[0].resident), (Bytes(5000), Some(Bytes(8192))));
        assert_eq!(found[0].owner.user.as_deref(), Some("ann"));
        let facts = found[1].sysv().unwrap();
        assert!(facts.locked && facts.marked);
        assert_eq!(found[1].mode, Mode::new(0o640));
    }
}
