//! What the kernel really does, as far as shmlens stands on it: each fact is
//! tried on this kernel, through shmlens's own eyes.

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

/// One look at the machine.
fn survey() -> Survey {
    Survey::take(&RealMachine, &mut Names::default())
}

/// What a survey says of one segment.
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

/// The bytes at an offset, as many as there are of that number.
fn read(reader: &Reader, offset: u64, count: usize) -> Vec<u8> {
    let mut buffer = PageBuffer::default();
    reader.fill(&mut buffer, offset, count).unwrap();
    buffer.to_vec()
}

/// Reads all of it, a piece at a time, and counts the bytes that are not zero.
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

/// The runs of data: where each starts and ends.
fn data(reader: &Reader) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = vec![];
    let mut offset = 0;
    while let Some(extent) = reader.extent_at(offset, u64::MAX).unwrap() {
        if extent.kind == ExtentKind::Data {
            match runs.last_mut() {
                // What follows may be of the same kind.
                Some(last) if last.1 == offset => last.1 = extent.end,
                _ => runs.push((offset, extent.end)),
            }
        }
        offset = extent.end;
    }
    runs
}
