//! A frozen view: bytes that have been on screen do not change, even after scrolling away and back.
//! Bytes that come into view later are read once.

use super::view::{Content, View};
use crate::engine::Clock;
use crate::memory::Quiet;
use std::collections::BTreeMap;
use std::ops::Range;

const PAGE: u64 = 4096;
/// Maximum number of pages (4 MiB), and of runs.
const MAX_PAGES: usize = 1024;

#[derive(Debug, Clone, Default)]
pub struct Frozen {
    pub since: Clock,
    pages: BTreeMap<u64, Vec<Option<u8>>>,
    /// The runs of zeros that were not read.
    runs: Vec<(Range<u64>, Quiet)>,
}

impl Frozen {
    pub fn new(since: Clock) -> Self {
        Self { since, ..Self::default() }
    }

    /// Returns a view with the contents seen before, and stores the others.
    pub fn overlay(&mut self, view: &View) -> View {
        let mut shown = View::new(view.offset, vec![], vec![]);
        let mut new = vec![];
        for (range, content) in view.parts() {
            let mut at = range.start;
            while at < range.end {
                let page = at / PAGE;
                let run = self.runs.iter().find(|(run, _)| run.contains(&at)).cloned();
                let starts = self.runs.iter().map(|(run, _)| run.start).filter(|start| *start > at);
                let limit = starts.min().unwrap_or(u64::MAX).min(range.end);
                let page_end = ((page + 1) * PAGE).min(limit);
                let start = at;
                match (run, content) {
                    (Some((run, quiet)), _) => {
                        at = run.end.min(range.end);
                        shown.push(start, Content::Quiet(quiet), at);
                    }
                    (None, Content::Quiet(quiet)) if !self.pages.contains_key(&page) => {
                        let next = self.pages.range(page..).next();
                        at = next.map_or(limit, |(page, _)| limit.min(page * PAGE));
                        shown.push(start, Content::Quiet(quiet), at);
                        new.push((start..at, quiet));
                    }
                    (None, content) => {
                        at = page_end;
                        let within =
                            |offset: u64| usize::try_from(offset - range.start).unwrap_or(usize::MAX);
                        let mut bytes = match content {
                            Content::Bytes(bytes) => bytes[within(start)..within(at)].to_vec(),
                            Content::Quiet(_) => vec![0; within(at) - within(start)],
                        };
                        self.overlay_page(start, &mut bytes);
                        shown.push(start, Content::Bytes(&bytes), at);
                    }
                }
            }
        }
        self.runs.extend(new);
        self.runs.drain(..self.runs.len().saturating_sub(MAX_PAGES));
        shown
    }

    /// Overwrites bytes of a page with those seen before, and stores the others.
    fn overlay_page(&mut self, offset: u64, bytes: &mut [u8]) {
        let page = offset / PAGE;
        if !self.pages.contains_key(&page) && self.pages.len() >= MAX_PAGES {
            self.pages.pop_first();
        }
        // Less than 4096, so the cast is lossless.
        let within = usize::try_from(offset % PAGE).unwrap_or(0);
        let seen = self.pages.entry(page).or_insert_with(|| vec![None; 4096]);
        for (byte, seen) in bytes.iter_mut().zip(&mut seen[within..]) {
            *byte = *seen.get_or_insert(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(offset: u64, bytes: &[u8]) -> View {
        View::new(offset, bytes.to_vec(), vec![])
    }

    #[test]
    fn frozen_bytes_do_not_change() {
        let mut frozen = Frozen::default();
        frozen.overlay(&bytes(4090, &[1; 10]));
        let seen = frozen.overlay(&bytes(4085, &[2; 20]));
        assert_eq!(seen.read(4085, 20), [2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        let again = frozen.overlay(&bytes(4085, &[3; 20]));
        assert!(again.parts().eq(seen.parts()));
    }

    #[test]
    fn frozen_runs_and_bytes_do_not_replace_each_other() {
        let mut frozen = Frozen::default();
        let run = |range: Range<u64>| View::new(range.start, vec![], vec![(range, Quiet::Hole)]);
        frozen.overlay(&run(4096..8192));
        frozen.overlay(&bytes(0, &[1; 4096]));
        let seen = frozen.overlay(&bytes(0, &[2; 12288]));
        let parts: Vec<_> = seen.parts().collect();
        let expected = [
            (0..4096, Content::Bytes(&[1; 4096])),
            (4096..8192, Content::Quiet(Quiet::Hole)),
            (8192..12288, Content::Bytes(&[2; 4096])),
        ];
        assert_eq!(parts, expected);
        let again = frozen.overlay(&run(0..12288));
        assert!(again.parts().eq(seen.parts()));
    }

    #[test]
    fn number_of_pages_is_limited() {
        let mut frozen = Frozen::default();
        for page in 0..5000 {
            frozen.overlay(&bytes(page * PAGE, &[1; 4096]));
        }
        assert_eq!(frozen.pages.len(), MAX_PAGES);
    }
}
