//! The lines of the Inspect screen: rows of bytes, and folded runs of zeros or holes.

use super::view::{Content, View};
use crate::memory::Quiet;
use std::ops::Range;

/// Runs of more rows than this are folded.
const MIN_ROWS: u64 = 3;
/// Rows around the cursor that stay open within a run.
const OPEN_ROWS: u64 = 3;

/// A line on screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The row of bytes at this offset.
    Row(u64),
    Fold(Fold),
    /// The bytes from this offset on have not been read yet.
    Unread(u64),
}

/// A run of rows that is shown as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    pub range: Range<u64>,
    pub quiet: Quiet,
}

impl Line {
    /// The offset of the first byte.
    pub const fn start(&self) -> u64 {
        match self {
            Self::Row(offset) | Self::Unread(offset) => *offset,
            Self::Fold(fold) => fold.range.start,
        }
    }
}

/// All lines of a segment. Only the folds are stored.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// The length of a row in bytes.
    row: u64,
    size: u64,
    folds: Vec<Fold>,
}

impl Lines {
    /// The lines without folds.
    pub const fn plain(row: u64, size: u64) -> Self {
        Self { row, size, folds: vec![] }
    }

    /// Folds the runs of zeros and holes in a view, except the rows around the cursor and those with
    /// bytes in the `open` ranges.
    pub fn folded(view: &View, row: u64, size: u64, cursor: u64, mut open: Vec<Range<u64>>) -> Self {
        let runs = quiet_runs(view, row);
        let cursor_row = cursor / row * row;
        let in_row = |run: &&Fold| run.range.start <= cursor_row && cursor < run.range.end;
        if let Some(run) = runs.iter().find(in_row) {
            let reach = OPEN_ROWS * row;
            let start = cursor_row.saturating_sub(reach).max(run.range.start);
            open.push(start..cursor_row.saturating_add(reach + row).min(run.range.end));
        }
        open.sort_by_key(|range| range.start);
        let mut lines = Self::plain(row, size);
        for Fold { range, quiet } in runs {
            let mut start = range.start.next_multiple_of(row);
            // The last row of the segment may be short.
            let end = if range.end >= size { size } else { range.end / row * row };
            let mut fold = |range: Range<u64>| {
                if range.end > range.start && (range.end - range.start).div_ceil(row) > MIN_ROWS {
                    lines.folds.push(Fold { range, quiet });
                }
            };
            for open in open.iter().skip_while(|open| open.end <= range.start) {
                if open.start >= end {
                    break;
                }
                fold(start..open.start / row * row);
                start = start.max(open.end.next_multiple_of(row));
            }
            fold(start..end);
        }
        lines
    }

    /// Returns the line that contains an offset.
    pub fn at(&self, offset: u64) -> Line {
        let after = self.folds.partition_point(|fold| fold.range.end <= offset);
        match self.folds.get(after).filter(|fold| fold.range.start <= offset) {
            Some(fold) => Line::Fold(fold.clone()),
            None => Line::Row(offset / self.row * self.row),
        }
    }

    /// Returns the end of a line, within the segment.
    pub fn end(&self, line: &Line) -> u64 {
        match line {
            Line::Row(offset) => offset.saturating_add(self.row).min(self.size),
            Line::Fold(fold) => fold.range.end,
            Line::Unread(offset) => *offset,
        }
    }

    pub fn after(&self, line: &Line) -> Option<Line> {
        let end = self.end(line);
        (end < self.size).then(|| self.at(end))
    }

    pub fn before(&self, line: &Line) -> Option<Line> {
        line.start().checked_sub(1).map(|offset| self.at(offset))
    }

    /// Moves from the line of an offset by a number of lines, and stops at the ends.
    pub fn step(&self, offset: u64, by: isize) -> Line {
        let mut line = self.at(offset);
        for _ in 0..by.unsigned_abs() {
            let next = if by < 0 { self.before(&line) } else { self.after(&line) };
            match next {
                Some(next) => line = next,
                None => break,
            }
        }
        line
    }

    /// Moves from a row by a number of lines. Folds at the target are passed over; at the end of the
    /// segment the outermost row is the target. Returns the offset of the row.
    pub fn step_rows(&self, offset: u64, by: isize) -> u64 {
        let mut line = self.step(offset, by);
        while let Line::Fold(fold) = &line {
            let (beyond, outermost) = if by < 0 {
                (self.before(&line), fold.range.start)
            } else {
                (self.after(&line), fold.range.end.saturating_sub(1) / self.row * self.row)
            };
            match beyond {
                Some(beyond) => line = beyond,
                None => return outermost,
            }
        }
        line.start()
    }

    /// Returns the first offset outside of folds in a direction, or the offset itself if there is none.
    pub fn beside_folds(&self, offset: u64, forward: bool) -> u64 {
        let mut beside = offset;
        while let Line::Fold(Fold { range, .. }) = self.at(beside) {
            if forward && range.end < self.size {
                beside = range.end;
            } else if !forward && range.start > 0 {
                beside = range.start - 1;
            } else {
                return offset;
            }
        }
        beside
    }

    /// Returns the lines on a screen of `height` rows. Rows past the end of a view that covers `top`
    /// are unread.
    pub fn on_screen(&self, top: u64, height: u16, view: &View) -> Vec<Line> {
        let first = (self.size > 0).then(|| self.at(top));
        let mut lines: Vec<Line> =
            std::iter::successors(first, |line| self.after(line)).take(height.into()).collect();
        let known = view.offset..view.end();
        if known.contains(&top)
            && let Some(at) = lines.iter().position(|line| line.start() >= known.end)
        {
            let start = lines[at].start();
            lines.truncate(at);
            lines.push(Line::Unread(start));
        }
        lines
    }

    /// Returns the top of a screen of `height` lines that shows the line of `offset`: as close to
    /// `top` as possible, and without empty lines past the end.
    pub fn scrolled(&self, top: u64, offset: u64, height: usize) -> u64 {
        let distance = |from: u64, to: u64| {
            let lines = std::iter::successors(Some(self.at(from)), |line| self.after(line));
            let target = self.at(to);
            lines.take(height).position(|line| line == target)
        };
        let last = isize::try_from(height).unwrap_or(isize::MAX).max(1) - 1;
        // A fold at the top may begin above what is known, so its start may still move.
        let (first, lowest) = (self.at(top), self.step(self.size.saturating_sub(1), -last).start());
        if offset < first.start() {
            self.at(offset).start().min(lowest)
        } else if distance(top, offset).is_none() {
            self.step(offset, -last).start().min(lowest)
        } else if first.start() > lowest {
            lowest
        } else if matches!(first, Line::Row(_)) {
            first.start()
        } else {
            top
        }
    }
}

/// Returns the runs of zeros of at least a row, and the holes.
fn quiet_runs(view: &View, row: u64) -> Vec<Fold> {
    let mut runs: Vec<Fold> = vec![];
    let mut add = |range: Range<u64>, quiet: Quiet| match runs.last_mut() {
        Some(last) if last.range.end == range.start && last.quiet == quiet => last.range.end = range.end,
        _ => runs.push(Fold { range, quiet }),
    };
    for (range, content) in view.parts() {
        match content {
            Content::Quiet(quiet) => add(range, quiet),
            Content::Bytes(bytes) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let start = range.end - rest.len() as u64;
                    let zeros = rest.iter().position(|&byte| byte != 0).unwrap_or(rest.len());
                    // A short run at the edge may continue in the next part.
                    if zeros as u64 >= row || zeros > 0 && (zeros == rest.len() || start == range.start) {
                        add(start..start + zeros as u64, Quiet::Zeros);
                    }
                    rest = &rest[zeros..];
                    let data = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
                    rest = &rest[data..];
                }
            }
        }
    }
    runs
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of ranges is what is meant")]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 31;

    /// A page with data in its first row, a hole of 1 GiB, and a page with data in its row 2.
    fn view() -> View {
        let mut first = vec![0; 4096];
        first[0] = 1;
        let mut second = vec![0; 4096];
        second[32] = 2;
        let bytes = [first, second].concat();
        View::new(0, bytes, vec![(4096..4096 + (1 << 30), Quiet::Hole)])
    }

    fn lines(cursor: u64, open: Vec<Range<u64>>) -> Lines {
        Lines::folded(&view(), 16, SIZE, cursor, open)
    }

    fn folds(lines: &Lines) -> Vec<Range<u64>> {
        lines.folds.iter().map(|fold| fold.range.clone()).collect()
    }

    const SECOND: u64 = 4096 + (1 << 30);

    #[test]
    fn runs_of_more_than_three_rows_fold_by_kind() {
        let lines = lines(0, vec![]);
        assert_eq!(folds(&lines), [16..4096, 4096..SECOND, SECOND + 48..SECOND + 4096]);
        let kinds: Vec<Quiet> = lines.folds.iter().map(|fold| fold.quiet).collect();
        assert_eq!(kinds, [Quiet::Zeros, Quiet::Hole, Quiet::Zeros]);
        let zeros = |count: u64| {
            let bytes = [&[1; 8][..], &vec![0; usize::try_from(count).unwrap()], &[1; 8]].concat();
            let size = bytes.len() as u64;
            folds(&Lines::folded(&View::new(0, bytes, vec![]), 16, size, 0, vec![]))
        };
        assert_eq!(zeros(8 + 3 * 16 + 8), []);
        assert_eq!(zeros(8 + 4 * 16), [16..80]);
        // Rows that are partly zero are not folded.
        assert_eq!(zeros(8 + 3 * 16 + 15), []);
    }

    #[test]
    fn short_last_row_is_part_of_a_fold() {
        let view = View::new(0, vec![0; 70], vec![]);
        assert_eq!(folds(&Lines::folded(&view, 16, 70, 1000, vec![])), [0..70]);
        // More of the segment is not known.
        assert_eq!(folds(&Lines::folded(&view, 16, 80, 1000, vec![])), [0..64]);
    }

    #[test]
    fn cursor_and_open_ranges_split_a_fold() {
        let middle = 1 << 20;
        let hole = folds(&lines(middle + 5, vec![]))[1..3].to_vec();
        assert_eq!(hole, [4096..middle - 48, middle + 64..SECOND]);
        // A cursor next to a fold opens nothing.
        assert_eq!(folds(&lines(SECOND + 32, vec![])), folds(&lines(0, vec![])));
        let open = folds(&lines(0, vec![8000..8040, middle..middle + 1]))[1..4].to_vec();
        assert_eq!(open, [4096..8000, 8048..middle, middle + 16..SECOND]);
        // Nothing of four rows is left.
        assert_eq!(folds(&lines(0, vec![64..65, 130..4096]))[0], 4096..SECOND);
    }

    #[test]
    fn steps_count_a_fold_as_a_line() {
        let lines = lines(0, vec![]);
        assert_eq!(lines.step(0, 2), Line::Fold(Fold { range: 4096..SECOND, quiet: Quiet::Hole }));
        assert_eq!(lines.step(0, 3), Line::Row(SECOND));
        assert_eq!(lines.step(SECOND, -3), Line::Row(0));
        assert_eq!((lines.step(0, -1), lines.step(SIZE - 1, 5)), (Line::Row(0), Line::Row(SIZE - 16)));
        // The cursor passes over folds.
        assert_eq!((lines.beside_folds(16, true), lines.beside_folds(SECOND - 1, false)), (SECOND, 15));
        assert_eq!((lines.step_rows(0, 1), lines.step_rows(SECOND, -1)), (SECOND, 0));
    }

    #[test]
    fn fold_at_an_end_is_entered_at_its_outermost_row() {
        let lines = Lines::folded(
            &View::new(0, [vec![0; 1000], vec![1; 16], vec![0; 1000]].concat(), vec![]),
            16,
            2016,
            1000,
            vec![],
        );
        assert_eq!(folds(&lines), [0..992, 1024..2016]);
        assert_eq!((lines.step_rows(1008, 1), lines.step_rows(992, -1)), (2000, 0));
    }

    #[test]
    fn scrolling_keeps_the_top_and_shows_the_offset() {
        let lines = lines(0, vec![]);
        assert_eq!(lines.scrolled(0, SECOND, 10), 0);
        assert_eq!(
            (lines.scrolled(9000, SECOND, 10), lines.scrolled(SECOND + 5, SECOND, 10)),
            (9000, SECOND)
        );
        assert_eq!(lines.scrolled(0, SECOND + 4096, 5), SECOND);
        assert_eq!(lines.scrolled(SECOND, 0, 5), 0);
        assert_eq!(lines.scrolled(0, SIZE - 1, 10), SIZE - 160);
        assert_eq!(lines.scrolled(SIZE - 1, SIZE - 1, 10), SIZE - 160);
    }

    #[test]
    fn screen_ends_where_nothing_was_read() {
        let lines = lines(0, vec![]);
        let shown = lines.on_screen(0, 20, &view());
        let starts: Vec<u64> = shown.iter().map(Line::start).collect();
        let second = [SECOND, SECOND + 16, SECOND + 32, SECOND + 48, SECOND + 4096];
        assert_eq!(starts, [vec![0, 16, 4096], second.to_vec()].concat());
        assert_eq!(shown.last(), Some(&Line::Unread(SECOND + 4096)));
        // Nothing is known there yet.
        assert_eq!(lines.on_screen(SIZE - 32, 20, &view()), [Line::Row(SIZE - 32), Line::Row(SIZE - 16)]);
    }
}
