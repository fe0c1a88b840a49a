//! The detector: collects samples, keeps the histories of lines, and detects values.

use super::Moment;
use super::front::Fronts;
use super::line::{LINE, Line, ROW};
use super::partition::{LEAST_CHANGES, Places, Split, split};
use super::payload::{Bytes, Placed, drop_payload, is_beside_noise};
use super::records::records;
use super::round::round_floats;
use super::series::Series;
use super::text::{Glyph, Text, texts};
use super::value::{Kind, MovingValue};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// The maximum number of lines with a history: 2 MiB of rows.
const TRACKED: usize = 256;
/// A run of this many lines whose bytes all change is the content of a buffer.
const BUFFER_LINES: usize = 16;
/// The minimum time in nanoseconds before a line is split again. Longer if the last split found
/// nothing new.
const PERIOD: u64 = 900_000_000;
const LONGEST_PERIOD: u64 = 10_000_000_000;
const FIRST_SPLITS: u32 = 6;
/// The minimum number of changes of a byte in a string.
const TEXT_CHANGES: u16 = 5;

/// Detects the values in a window of a segment.
///
/// Keeps a copy of the window, and a history of up to 256 lines of 64 bytes.
#[derive(Debug, Default)]
pub struct Detector {
    pub(super) window: Range<u64>,
    /// The last sample, from the start of the first line, padded by a row.
    pub(super) last: Vec<u8>,
    /// Monotonic nanoseconds of the last sample.
    pub(super) now: u64,
    /// Wall-clock nanoseconds at the start of monotonic time.
    boot_to_epoch: u64,
    /// Lines that changed, by their index in the segment.
    pub(super) lines: BTreeMap<u64, Tracked>,
    /// Set for lines in a buffer, which have no history.
    payload: Vec<bool>,
    fronts: Fronts,
    /// Rings that were found by their record numbers.
    rings: Vec<Range<u64>>,
}

#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) line: Line,
    split: Split,
    /// Bytes of strings, or of a field that starts in the previous line, as bits.
    taken: u64,
    /// The time of the last split.
    split_at: u64,
    split_changes: u32,
    period: u64,
    splits: u32,
    /// Set if the last thorough split found unaligned fields.
    odd: bool,
    /// The bytes that had changed often enough.
    known: [u64; 3],
    /// The bytes that belong to a ring.
    ring: u64,
    /// Floats that were sure at an earlier split. Some of their bytes may rest now.
    floats: Vec<Range<usize>>,
}

impl Detector {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sample: the bytes at offset `start` of the segment, read at `at`. If the window has
    /// moved, lines in both windows keep their histories. Returns true if any byte has changed.
    pub fn observe(&mut self, at: Moment, start: u64, bytes: &[u8]) -> bool {
        let now = nanos(at.monotonic);
        let window = start..start + bytes.len() as u64;
        self.boot_to_epoch = nanos(at.wall).saturating_sub(now);
        let changed = if window == self.window {
            self.compare(now, bytes)
        } else {
            self.move_to(window);
            let pad = self.pad();
            self.last[pad..pad + bytes.len()].copy_from_slice(bytes);
            false
        };
        self.now = now;
        changed
    }

    /// Returns the values: the most interesting kinds first, otherwise by offset.
    pub fn values(&mut self) -> Vec<MovingValue> {
        self.drop_buffers();
        let texts = self.texts();
        self.split(&texts);
        let mut placed = vec![];
        for (&number, tracked) in &self.lines {
            let offset = number * LINE as u64;
            placed.extend(
                tracked
                    .split
                    .fields
                    .iter()
                    .map(|field| Placed { offset: offset + field.start as u64, field: field.clone() }),
            );
        }
        if self.find_records(&placed) {
            return self.values();
        }
        let noise = |at: u64| {
            let number = at / LINE as u64;
            let is_payload = || self.payload.get(self.index(number)).copied().unwrap_or_default();
            self.lines.get(&number).map_or_else(is_payload, |tracked| {
                (tracked.split.noise | tracked.ring) & 1 << (at % LINE as u64) != 0
            })
        };
        let active = |at: u64| {
            let Some(index) = at.checked_sub(self.first() * LINE as u64) else { return false };
            at < self.window.end && (self.is_active(usize_of(index)) || noise(at))
        };
        let bytes = Bytes { is_noise: noise, is_active: active };
        let placed = drop_payload(placed, &bytes, &self.buffers());
        let mut values: Vec<MovingValue> = placed.iter().filter_map(|placed| self.value(placed)).collect();
        let is_value = |(base, text): &&(u64, Text)| {
            let seen = base + text.seen.start as u64..base + text.seen.end as u64;
            text.is_value() && !(text.is_short() && is_beside_noise(&seen, bytes.is_noise, bytes.is_active))
        };
        values.extend(texts.iter().filter(is_value).map(|(base, text)| self.text(*base, text)));
        let rank = |kind| match kind {
            Kind::Counter | Kind::Index { .. } | Kind::Float | Kind::Text => 0,
            Kind::Flag | Kind::Number => 1,
            Kind::Clock { .. } => 2,
        };
        values.sort_by_key(|value| (rank(value.kind), value.offset));
        values
    }

    /// Returns the number of bytes before the window in its first line.
    fn pad(&self) -> usize {
        usize_of(self.window.start % LINE as u64)
    }

    /// Returns the index of the first line.
    pub(super) const fn first(&self) -> u64 {
        self.window.start / LINE as u64
    }

    fn index(&self, number: u64) -> usize {
        usize_of(number.wrapping_sub(self.first()))
    }

    fn move_to(&mut self, window: Range<u64>) {
        let both = window.start.max(self.window.start).div_ceil(LINE as u64)
            ..window.end.min(self.window.end) / LINE as u64;
        self.lines.retain(|number, _| both.contains(number));
        let size = usize_of(window.end - window.start / LINE as u64 * LINE as u64);
        let lines = size.div_ceil(LINE);
        self.window = window;
        self.last = vec![0; lines * LINE + ROW - LINE];
        self.payload = vec![false; lines];
        self.rings.clear();
        self.fronts = Fronts::new(lines * LINE);
    }

    /// Compares a sample with the last one, line by line. Returns true if they differ.
    fn compare(&mut self, now: u64, bytes: &[u8]) -> bool {
        let pad = self.pad();
        if self.last[pad..pad + bytes.len()] == *bytes {
            return false;
        }
        let mut changed = vec![];
        let mut ranges = vec![];
        for index in 0..self.payload.len() {
            let old = (index * LINE).max(pad)..((index + 1) * LINE).min(pad + bytes.len());
            let (old_bytes, new_bytes) = (&self.last[old.clone()], &bytes[old.start - pad..old.end - pad]);
            if old_bytes != new_bytes {
                add_ranges(&mut ranges, old.start as u64, old_bytes, new_bytes);
                changed.push(index);
            }
        }
        self.fronts.observe(now - self.now, &ranges);
        for &index in &changed {
            let number = self.first() + index as u64;
            if !self.payload[index] && self.lines.len() < TRACKED && !self.lines.contains_key(&number) {
                self.lines.insert(number, Tracked::new(Line::new(self.now, self.row(index))));
            }
        }
        for &index in &changed {
            let old = (index * LINE).max(pad)..((index + 1) * LINE).min(pad + bytes.len());
            self.last[old.clone()].copy_from_slice(&bytes[old.start - pad..old.end - pad]);
        }
        for &index in &changed {
            self.push(index, now);
            // The row of the previous line ends in this line.
            if let Some(before) = index.checked_sub(1) {
                self.push(before, now);
            }
        }
        true
    }

    fn push(&mut self, index: usize, now: u64) {
        let row = self.row(index);
        let number = self.first() + index as u64;
        if let Some(tracked) = self.lines.get_mut(&number) {
            tracked.line.push(now, row);
        }
    }

    fn row(&self, index: usize) -> [u8; ROW] {
        let mut row = [0; ROW];
        row.copy_from_slice(&self.last[index * LINE..index * LINE + ROW]);
        row
    }

    /// Drops the histories of lines that only change by fronts, and of long runs of lines that
    /// change as a whole.
    fn drop_buffers(&mut self) {
        let mut dense = self.payload.clone();
        for (&number, tracked) in &mut self.lines {
            let index = usize_of(number - self.window.start / LINE as u64);
            tracked.ring = self.fronts.ring(index) | in_ranges(&self.rings, number * LINE as u64);
            self.payload[index] |= tracked.ring == u64::MAX;
            dense[index] = tracked.line.active().count_ones() as usize * 2 >= LINE;
        }
        for (start, run) in runs(&dense) {
            if run >= BUFFER_LINES {
                // The first and last line may have fields next to the buffer.
                let end = start + run;
                let cut = usize::from(start > 0 || self.window.start == 0);
                let cut_end = usize::from(end < dense.len());
                self.payload[start + cut..end - cut_end].fill(true);
            }
        }
        let first = self.first();
        let payload = &self.payload;
        self.lines.retain(|&number, _| !payload[usize_of(number - first)]);
    }

    /// Finds rings of numbered records: a counter next to others with successive numbers. Returns
    /// true if it finds one.
    fn find_records(&mut self, placed: &[Placed]) -> bool {
        let base = self.first() * LINE as u64;
        let mut found = false;
        for Placed { offset, field } in placed.iter().filter(|placed| placed.field.fit.kind == Kind::Counter)
        {
            if self.rings.iter().any(|ring| ring.contains(offset)) {
                continue;
            }
            let Some(tracked) = self.lines.get(&(offset / LINE as u64)) else { continue };
            let series = Series::new(tracked.line.rows(), field.start, field.width);
            let mut steps: Vec<u64> = series.steps.iter().map(|step| step.unsigned_abs()).collect();
            steps.sort_unstable();
            // The first step may be from the first lap.
            let Some(&step) = steps.get(1) else { continue };
            if let Some(ring) = records(&self.last, usize_of(offset - base), step) {
                self.rings.push(base + ring.start as u64..base + ring.end as u64);
                found = true;
            }
        }
        found
    }

    /// Returns the runs of lines inside buffers, as offsets.
    fn buffers(&self) -> Vec<Range<u64>> {
        let offset = |index: usize| (self.first() + index as u64) * LINE as u64;
        runs(&self.payload).map(|(start, run)| offset(start)..offset(start + run)).collect()
    }

    /// Finds the strings. Each has the offset of its stretch of lines.
    fn texts(&self) -> Vec<(u64, Text)> {
        let mut found = vec![];
        let mut stretch = 0..0;
        for number in self.lines.keys().copied().chain([u64::MAX]) {
            if number == stretch.end {
                stretch.end += 1;
                continue;
            }
            if !stretch.is_empty() {
                // A string may extend beyond its bytes that change.
                let from = stretch.start.saturating_sub(1).max(self.first());
                let to = (stretch.end + 1).min(self.first() + self.payload.len() as u64);
                let glyphs: Vec<Glyph> = (from..to).flat_map(|number| self.glyphs(number)).collect();
                let bytes = &self.last[self.index(from) * LINE..self.index(to) * LINE];
                let base = from * LINE as u64;
                found.extend(texts(&glyphs, bytes).into_iter().map(|text| (base, text)));
            }
            stretch = number..number.saturating_add(1);
        }
        found
    }

    fn glyphs(&self, number: u64) -> [Glyph; LINE] {
        let index = self.index(number);
        let tracked = self.lines.get(&number);
        std::array::from_fn(|byte| {
            let now = self.last[index * LINE + byte];
            let is_printable = (b' '..=b'~').contains(&now);
            let (binary, printable, active) = tracked.map_or(
                (now != 0 && !is_printable || self.payload[index], is_printable, false),
                |tracked| {
                    let bit = 1 << byte;
                    let line = &tracked.line;
                    (
                        (line.binary | tracked.ring) & bit != 0,
                        line.printable & bit != 0,
                        line.count_of(byte) >= TEXT_CHANGES,
                    )
                },
            );
            match (binary, printable) {
                (true, _) => Glyph::Binary,
                (false, true) => Glyph::Printable { active },
                (false, false) => Glyph::Nul,
            }
        })
    }

    /// Splits the lines that have new changes.
    fn split(&mut self, texts: &[(u64, Text)]) {
        let mut taken: BTreeMap<u64, u64> = BTreeMap::new();
        for (base, text) in texts {
            for at in text.seen.clone().map(|at| base + at as u64) {
                *taken.entry(at / LINE as u64).or_default() |= 1 << (at % LINE as u64);
            }
        }
        let mut spilled = (0, 0);
        for (&number, tracked) in &mut self.lines {
            let spill = if spilled.0 == number { spilled.1 } else { 0 };
            let taken = taken.get(&number).copied().unwrap_or_default() | ((1 << spill) - 1) | tracked.ring;
            let known = tracked.line.known();
            let is_new = known.iter().zip(&tracked.known).any(|(known, before)| known & !before != 0);
            let news = tracked.line.changes - tracked.split_changes;
            let due =
                is_new || news * 4 >= tracked.split_changes || self.now >= tracked.split_at + tracked.period;
            if news > 0 && due && tracked.line.changes >= LEAST_CHANGES || taken != tracked.taken {
                tracked.split(taken, self.boot_to_epoch);
                for (before, known) in tracked.known.iter_mut().zip(known) {
                    *before |= known;
                }
                tracked.split_at = self.now;
            }
            spilled = (number + 1, tracked.split.spill);
        }
    }
}

impl Tracked {
    fn split(&mut self, taken: u64, boot_to_epoch: u64) {
        // Unaligned fields take most of the time: after none was found, look for them rarely.
        let thorough = self.odd || self.splits < FIRST_SPLITS || self.splits.is_multiple_of(FIRST_SPLITS);
        let is_free = |float: &Range<usize>| !float.clone().any(|byte| taken & 1 << byte != 0);
        let mut floats: Vec<Range<usize>> =
            self.floats.iter().filter(|float| is_free(float)).cloned().collect();
        let sure = floats.len();
        for round in round_floats(&self.line).into_iter().filter(is_free) {
            if !floats[..sure].iter().any(|float| float.start < round.end && round.start < float.end) {
                floats.push(round);
            }
        }
        let aligned = split(&self.line, taken, &floats, boot_to_epoch, Places::Aligned);
        let new = if thorough && !aligned.is_clean(&self.line) {
            let all = split(&self.line, taken, &floats, boot_to_epoch, Places::All);
            self.odd = !all.is_like(&aligned);
            all
        } else {
            aligned
        };
        self.period = match (new.is_like(&self.split), new.noise) {
            (false, _) => PERIOD,
            (true, 0) => (self.period * 2).min(LONGEST_PERIOD),
            (true, _) => (self.period * 2).min(LONGEST_PERIOD / 4),
        };
        // A float that the split does not confirm was a mistake.
        let confirmed = new.fields.iter().filter(|field| {
            let place = field.start..field.start + field.width;
            field.is_sure_float(&self.line) || self.floats.contains(&place)
        });
        self.floats = confirmed.map(|field| field.start..field.start + field.width).collect();
        self.split = new;
        self.splits += 1;
        self.taken = taken;
        self.split_changes = self.line.changes;
    }

    fn new(line: Line) -> Self {
        Self {
            line,
            split: Split::default(),
            taken: 0,
            split_at: 0,
            split_changes: 0,
            period: PERIOD,
            splits: 0,
            odd: false,
            known: [0; 3],
            ring: 0,
            floats: vec![],
        }
    }
}

/// Returns the bytes of the line at this offset that are in the ranges, as bits.
fn in_ranges(ranges: &[Range<u64>], offset: u64) -> u64 {
    let inside = |byte: &usize| ranges.iter().any(|range| range.contains(&(offset + *byte as u64)));
    if ranges.is_empty() { 0 } else { (0..LINE).filter(inside).fold(0, |bits, byte| bits | 1 << byte) }
}

/// Returns the start and length of each run of true.
fn runs(flags: &[bool]) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    flags.chunk_by(|a, b| a == b).filter_map(move |run| {
        let at = start;
        start += run.len();
        run[0].then_some((at, run.len()))
    })
}

/// Adds the ranges of bytes that differ. Joins ranges that nearly touch.
fn add_ranges(ranges: &mut Vec<Range<u64>>, offset: u64, old: &[u8], new: &[u8]) {
    const NEAR: u64 = 4;
    for (at, _) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new) {
        let at = offset + at as u64;
        match ranges.last_mut() {
            Some(last) if at <= last.end + NEAR => last.end = at + 1,
            _ => ranges.push(at..at + 1),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Offsets within the window fit the address space: its bytes are in memory.
#[expect(clippy::cast_possible_truncation, reason = "the window is in memory")]
pub(super) const fn usize_of(offset: u64) -> usize {
    offset as usize
}
