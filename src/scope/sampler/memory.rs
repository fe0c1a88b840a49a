//! The memory of parts of real segments: loads from a mapping where the pages exist, and reads
//! elsewhere.

use super::part::Memory;
use super::plan::SourcePlan;
use crate::machine::ExtentKind;
use crate::memory::{PageBuffer, Reader};
use crate::scope::Rate;
use crate::sys::page_size;
use crate::sys::view::View;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The pages of a part: shared by the thread that loads from them and the one that checks them.
#[derive(Debug)]
pub struct Pages {
    range: Range<u64>,
    /// Set if they existed when the part was opened, which is then mapped if possible.
    mapped: bool,
    /// Set if all pages exist: loads from a hole would allocate it.
    exist: AtomicBool,
    /// Set if a page was missing at a load, so that the mapping is of no use anymore.
    lost: AtomicBool,
}

struct PartMemory {
    reader: Reader,
    start: u64,
    buffer: PageBuffer,
    /// `None` to read only.
    view: Option<(View, Arc<Pages>)>,
}

/// Opens the parts of a plan, in its order. Returns the pages of those that should be mapped, to
/// check now and then.
///
/// Maps only pages that exist, as a mapping past the end is a mistake of which shmlens warns.
pub fn open(plan: &SourcePlan, reader: &Reader, rate: Rate) -> (Vec<Box<dyn Memory>>, Vec<Arc<Pages>>) {
    let (mut memories, mut all_pages) = (Vec::<Box<dyn Memory>>::new(), vec![]);
    let needs_views = plan.needs_views(rate);
    for part in plan.all_parts() {
        let mut view = None;
        if needs_views {
            let (range, exist) = (part.range(), exist(reader, &part.range()).unwrap_or(false));
            // Without a mapping, reading is slower but works.
            let mapping = exist.then(|| reader.view(range.clone()).ok()).flatten();
            let (mapped, lost) = (exist, false.into());
            let pages = Arc::new(Pages { range, mapped, exist: exist.into(), lost });
            view = mapping.map(|view| (view, Arc::clone(&pages)));
            all_pages.push(pages);
        }
        let (reader, start) = (reader.clone(), part.start);
        memories.push(Box::new(PartMemory { reader, start, buffer: PageBuffer::default(), view }));
    }
    (memories, all_pages)
}

impl Pages {
    /// Checks whether the pages exist. Returns false if the parts have to be opened again, because a
    /// mapping is missing, useless, or of pages that are gone.
    pub fn check(&self, reader: &Reader) -> bool {
        let exist = exist(reader, &self.range).unwrap_or(false);
        self.exist.store(exist, Ordering::Release);
        exist == self.mapped && !self.lost.load(Ordering::Relaxed)
    }
}

/// Returns true if all pages of a range have data.
fn exist(reader: &Reader, range: &Range<u64>) -> io::Result<bool> {
    let size = reader.size()?;
    let end = range.end.next_multiple_of(page_size()).min(size);
    let mut at = range.start - range.start % page_size();
    if at >= end || range.end > size.next_multiple_of(8) {
        return Ok(false);
    }
    while at < end {
        match reader.extent_at(at, end - at)? {
            Some(extent) if extent.kind == ExtentKind::Data => at = extent.end.max(at + 1),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

impl Memory for PartMemory {
    fn copy(&mut self, words: &[u16], into: &mut [u64]) -> usize {
        if let Some((view, pages)) = &self.view
            && pages.exist.load(Ordering::Acquire)
        {
            for &word in words {
                let word = usize::from(word);
                into[word] = view.load(word).unwrap_or(0);
            }
            if !view.is_lost() {
                return 8 * into.len();
            }
            pages.lost.store(true, Ordering::Relaxed);
            self.view = None;
        }
        self.read(words, into).unwrap_or(0)
    }
}

impl PartMemory {
    fn read(&mut self, words: &[u16], into: &mut [u64]) -> io::Result<usize> {
        let count = self.reader.fill(&mut self.buffer, self.start, 8 * into.len())?;
        for &word in words {
            let at = (8 * usize::from(word)).min(count);
            let bytes = &self.buffer[at..count.min(at + 8)];
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            into[usize::from(word)] = u64::from_ne_bytes(padded);
        }
        Ok(count)
    }
}
