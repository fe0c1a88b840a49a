//! Kernel behavior that shmlens depends on, checked with the code of shmlens.

mod future;
mod mounts;
mod names;
mod no_proc;
mod posix;
mod sysv;
mod table;

use shmlens::machine::ExtentKind;
use shmlens::machine::real::RealMachine;
use shmlens::memory::{OpenError, PageBuffer, Reader};
use shmlens::segment::{Segment, SegmentId};
use shmlens::survey::{Names, Survey};

fn survey() -> Survey {
    Survey::take(&RealMachine, &mut Names::default())
}

/// Returns a segment from a new survey.
#[track_caller]
fn listed(id: &SegmentId) -> Segment {
    let survey = survey();
    assert_eq!(survey.problems, Vec::<String>::new());
    survey
        .segments
        .into_iter()
        .find(|segment| segment.id == *id)
        .unwrap_or_else(|| panic!("{id} is not listed"))
}

fn open(id: &SegmentId) -> Result<Reader, OpenError> {
    Reader::open(&RealMachine, &listed(id))
}

/// Reads bytes at an offset.
fn read(reader: &Reader, offset: u64, count: usize) -> Vec<u8> {
    let mut buffer = PageBuffer::default();
    reader.fill(&mut buffer, offset, count).unwrap();
    buffer.to_vec()
}

/// Reads the whole segment in pieces, and counts the nonzero bytes.
fn read_through(reader: &Reader) -> usize {
    let zeros = vec![0; 1 << 16];
    let mut buffer = PageBuffer::default();
    let (mut offset, mut written) = (0, 0);
    loop {
        let count = reader.fill(&mut buffer, offset, 1 << 16).unwrap();
        if count == 0 {
            return written;
        }
        if buffer[..count] != zeros[..count] {
            written += buffer[..count].iter().filter(|&&byte| byte != 0).count();
        }
        offset += count as u64;
    }
}

/// Returns the data extents as start and end.
fn data(reader: &Reader) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = vec![];
    let mut offset = 0;
    while let Some(extent) = reader.extent_at(offset, u64::MAX).unwrap() {
        if extent.kind == ExtentKind::Data {
            match runs.last_mut() {
                // The next extent may be of the same kind.
                Some(last) if last.1 == offset => last.1 = extent.end,
                _ => runs.push((offset, extent.end)),
            }
        }
        offset = extent.end;
    }
    runs
}
