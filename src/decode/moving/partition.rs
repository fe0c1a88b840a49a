//! Splits a line into fields: the cheapest encoding of all its changes.
//!
//! Each field has a cost under its best model, and bytes without a model have the cost of noise:
//! eight bits per change. The cheapest split wins, and a field is accepted if its model saves
//! enough compared with noise. Two adjacent counters are cheaper apart than as a wide counter with
//! huge steps. With a carry, the wide counter is cheaper.

#![expect(clippy::cast_precision_loss, reason = "costs are estimates")]

use super::line::{LINE, Line};
use super::round::is_candidate;
use super::series::{Series, entropy};
use super::{Fit, Kind, Origin, clock, float, integer};
use std::ops::Range;

/// A field needs this many changes to be judged.
pub const LEAST_CHANGES: u32 = 5;
/// The cost of a noise piece in a long run of changing bytes, where noise is likely.
const LIKELY_NOISE: f64 = 2.0;
/// The cost of a noise piece elsewhere: isolated random bytes are rare in shared memory.
const LONE_NOISE: f64 = 14.0;
/// The savings in bits from which a field is accepted. Integers need more, because a few numbers
/// may rise by chance.
const SAVED_FLOAT: f64 = 13.0;
const SAVED_INTEGER: f64 = 24.0;
/// The savings in bits from which a float stays one while only a part of its bytes changes.
const SURE: f64 = 60.0;
/// The factor for the cost of such a float.
const DOUBT: f64 = 0.75;
/// A run of this many changing bytes is probably noise.
const LONG_RUN: usize = 16;

/// A field of a line.
#[derive(Debug, Clone)]
pub struct Field {
    /// The first byte, relative to the line.
    pub start: usize,
    /// The bytes that the model needs.
    pub width: usize,
    pub fit: Fit,
    /// Bits saved compared with noise.
    pub saved: f64,
    /// Bits saved compared with values in no order.
    pub evidence: f64,
    /// The bytes that changed.
    pub active: usize,
    pub changes: usize,
    /// Set if the unsigned value ever went down.
    pub wrapped: bool,
}

impl Field {
    /// Returns true for a float whose bytes leave no doubt about its width.
    pub fn is_sure_float(&self, line: &Line) -> bool {
        let lower = self.start..self.start + self.width / 2;
        self.fit.kind == Kind::Float
            && self.start.is_multiple_of(self.width)
            && self.saved >= SURE
            && lower.clone().any(|byte| line.is_active(byte))
            && (lower.end..self.start + self.width).any(|byte| line.is_active(byte))
    }

    fn needed(&self) -> f64 {
        match self.fit.kind {
            Kind::Float => SAVED_FLOAT,
            _ if self.start.is_multiple_of(self.width) => SAVED_INTEGER,
            _ => 1.5 * SAVED_INTEGER,
        }
    }

    /// Returns true for a counter that is unaligned or has no constant step: it may be the upper
    /// part of a wider one.
    fn may_be_upper(&self) -> bool {
        let regular = self.fit.cost < 14.0 + 1.5 * self.changes as f64;
        self.fit.kind == Kind::Counter
            && self.width < 8
            && !(regular && self.start.is_multiple_of(self.width))
    }
}

/// The split of a line.
#[derive(Debug, Clone, Default)]
pub struct Split {
    pub fields: Vec<Field>,
    /// Bytes that changed often enough but fit no model, as bits.
    pub noise: u64,
    /// Bytes of the next line that belong to the last field.
    pub spill: usize,
}

impl Split {
    /// Returns true if another split has the same fields.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |(a, b): (&Field, &Field)| {
            (a.start, a.width, a.fit.kind.word()) == (b.start, b.width, b.fit.kind.word())
        };
        self.fields.len() == other.fields.len() && self.fields.iter().zip(&other.fields).all(same)
    }

    /// Returns true if fields explain all changes, and no narrow field touches other bytes that
    /// change, like the fragments of a misplaced field.
    pub fn is_clean(&self, line: &Line) -> bool {
        let touched = |field: &Field| {
            let end = field.start + field.width;
            let before = field.start.checked_sub(1).is_some_and(|before| line.is_active(before));
            field.width <= 2 && (before || end < LINE && line.is_active(end))
        };
        self.noise == 0 && !self.fields.iter().any(touched)
    }
}

/// The offsets at which fields may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// Multiples of their width.
    Aligned,
    All,
}

/// Splits a line, except for the bytes in `taken`. A float at one of the `floats` is not split.
pub fn split(line: &Line, taken: u64, floats: &[Range<usize>], boot_to_epoch: u64, places: Places) -> Split {
    Nodes { line, taken, floats, boot_to_epoch, places }.split()
}

/// A piece of a line: a field or noise.
#[derive(Debug, Clone)]
struct Piece {
    width: usize,
    cost: f64,
    field: Option<Field>,
}

struct Nodes<'a> {
    line: &'a Line,
    taken: u64,
    floats: &'a [Range<usize>],
    boot_to_epoch: u64,
    places: Places,
}

impl Nodes<'_> {
    fn split(&self) -> Split {
        // The lowest cost of the bytes from each offset to the end, and the first piece.
        let mut costs = [0.0; LINE + 9];
        let mut pieces: Vec<Option<Piece>> = vec![None; LINE];
        for start in (0..LINE).rev() {
            if self.taken & 1 << start != 0 {
                costs[start] = costs[start + 1];
                continue;
            }
            let mut best = (f64::INFINITY, None);
            if !self.line.is_active(start) {
                best = (costs[start + 1], None);
            }
            for width in [1, 2, 4, 8] {
                for piece in self.pieces(start, width).into_iter().flatten() {
                    let cost = piece.cost + costs[(start + width).min(LINE)];
                    if cost < best.0 {
                        best = (cost, Some(piece));
                    }
                }
            }
            costs[start] = best.0;
            pieces[start] = best.1;
        }
        let mut split = Split::default();
        let mut at = 0;
        while at < LINE {
            let Some(piece) = pieces[at].take() else {
                at += 1;
                continue;
            };
            let end = at + piece.width;
            split.spill = end.saturating_sub(LINE);
            match piece.field {
                Some(field) => split.fields.push(field),
                None => {
                    for byte in (at..end.min(LINE))
                        .filter(|&byte| u32::from(self.line.count_of(byte)) >= LEAST_CHANGES)
                    {
                        split.noise |= 1 << byte;
                    }
                }
            }
            at = end;
        }
        self.join_lower(&mut split);
        split
    }

    /// Joins counters with noise below them: the low bytes of a counter with irregular steps look
    /// like noise.
    fn join_lower(&self, split: &mut Split) {
        for at in 0..split.fields.len() {
            let field = &split.fields[at];
            let is_noise = |byte: &usize| split.noise & 1 << byte != 0;
            let lower = (0..field.start).rev().take_while(is_noise).count();
            if !field.may_be_upper() || !(1..=4).contains(&lower) {
                continue;
            }
            let start = field.start - lower;
            let end = field.start + field.width;
            let limit = split.fields.get(at + 1).map_or(LINE + 8, |next| next.start);
            let fits = |width: &usize| start + width >= end && start + width <= limit;
            let Some(width) = [2, 4, 8].into_iter().find(fits) else { continue };
            let series = Series::new(self.line.rows(), start, width);
            let Some(fit) = integer::best(&series).filter(|fit| fit.kind == Kind::Counter) else { continue };
            let (changes, wrapped) = (series.changes(), series.has_wrapped());
            let active = field.active + lower;
            split.noise &= !(((1 << lower) - 1) << start);
            split.fields[at] = Field { start, width, fit, active, changes, wrapped, ..*field };
        }
    }

    /// Returns the piece as noise, and as a field if it can be one.
    fn pieces(&self, start: usize, width: usize) -> [Option<Piece>; 2] {
        if self.places == Places::Aligned && !start.is_multiple_of(width) {
            return [None, None];
        }
        let bytes = start..start + width;
        let overlaps = |float: &&Range<usize>| float.start < bytes.end && start < float.end;
        let float = self.floats.iter().find(overlaps);
        if float.is_some_and(|float| *float != bytes) {
            return [None, None];
        }
        let is_taken = bytes.clone().any(|byte| byte < LINE && self.taken & 1 << byte != 0);
        let first = bytes.clone().find(|&byte| self.line.is_active(byte));
        let (Some(first), false) = (first, is_taken) else { return [None, None] };
        // A wide field may start with bytes that do not change, if it is aligned.
        if first > start && (width < 4 || !start.is_multiple_of(width)) {
            return [None, None];
        }
        let last = bytes.clone().rfind(|&byte| self.line.is_active(byte)).unwrap_or(first);
        // A field whose upper half never changes is encoded as a narrower one.
        let narrow = width > 1 && last < start + width / 2 && float.is_none();
        let maybe_float = width >= 4
            && self.line.rows().back().is_some_and(|row| {
                let mut value = [0; 8];
                value[..width].copy_from_slice(&row.bytes[bytes.clone()]);
                float::is_plausible(u64::from_le_bytes(value), width)
            });
        if narrow && width < 4 {
            return [None, None];
        }
        let amid_noise = self.is_amid_noise(bytes.clone());
        let series = Series::new(self.line.rows(), start, width);
        // Every model also has to encode in which rows the piece changed.
        let activity = entropy(series.changes(), self.line.rows().len() - 1);
        let bits = self.noise(bytes);
        let (noise, unlikely) =
            if amid_noise { (bits + LIKELY_NOISE, 0.0) } else { (bits + LONE_NOISE, bits / 10.0) };
        let as_noise = (!narrow).then_some(Piece { width, cost: activity + noise + unlikely, field: None });
        // The bytes of a number do not all change as often as the bytes next to it.
        if series.changes() < LEAST_CHANGES as usize || amid_noise {
            return [as_noise, None];
        }
        let mut fits = vec![clock::clock(&series, self.boot_to_epoch)];
        if !narrow && float.is_none() {
            let best = integer::best(&series);
            // A lone number at an unaligned offset is more likely a part of a float.
            fits.push(best.filter(|fit| fit.kind != Kind::Number || start.is_multiple_of(width)));
        }
        // Above zeros, only round values are those of a wide float.
        let is_half = float.is_none() && start.is_multiple_of(width) && is_candidate(self.line, start, width);
        if maybe_float && !is_half {
            fits.push(float::float(&series));
        }
        let mut best = fits.into_iter().flatten().min_by(|a, b| a.cost.total_cmp(&b.cost));
        if let Some(fit) = best.as_mut().filter(|fit| fit.kind == Kind::Counter) {
            // Low bytes that never change are 0 in a number, and arbitrary in other fields.
            let low = self.line.rows().back().map_or(&[][..], |row| &row.bytes[start..first]);
            fit.cost += low.iter().filter(|byte| **byte != 0).count() as f64 * 8.0;
            if let Some(unit) = clock::elapsed(&series) {
                fit.kind = Kind::Clock { unit, origin: Origin::Unknown };
            }
        }
        let field = best.and_then(|fit| {
            let cost = fit.cost + Self::prior(start, width, &fit) - self.bonus(start, width, &fit);
            let wrapped = series.has_wrapped();
            // The top bytes of a float rarely change, but noise does.
            let uniform = series.changes() as f64 * series.bits();
            let saved = if fit.kind == Kind::Float { uniform.max(noise) - cost } else { noise - cost };
            let evidence = series.chance() - cost;
            let active = (start..start + width).filter(|&byte| self.line.is_active(byte)).count();
            let field =
                Field { start, width, fit, saved, evidence, active, changes: series.changes(), wrapped };
            let is_enough = field.saved >= field.needed();
            // More digits than before are no reason to doubt a float.
            let doubt = if float.is_some() { DOUBT } else { 1.0 };
            let piece = Piece { width, cost: activity + cost * doubt, field: Some(field) };
            is_enough.then_some(piece)
        });
        [as_noise, field]
    }

    /// Returns the cost of the changes as noise, without the penalty for noise in an unlikely
    /// place.
    fn noise(&self, bytes: Range<usize>) -> f64 {
        bytes.map(|byte| f64::from(self.line.count_of(byte)) * 8.0).sum()
    }

    /// Returns true if a piece is in a long run of bytes that change equally often, like noise. The
    /// top bytes of numbers change less often than the others.
    fn is_amid_noise(&self, bytes: Range<usize>) -> bool {
        if self.run(bytes.clone()) < LONG_RUN {
            return false;
        }
        let around = bytes.start.saturating_sub(8)..(bytes.end + 8).min(LINE);
        let counts = around.map(|byte| self.line.count_of(byte));
        let most = counts.clone().max().unwrap_or_default();
        let equal = counts.clone().filter(|count| count * 20 >= most * 17).count();
        equal + 1 >= counts.len()
    }

    /// Returns the length of the run of changing bytes around a piece.
    fn run(&self, bytes: Range<usize>) -> usize {
        let active = |byte: &usize| self.line.is_active(*byte);
        let before = (0..bytes.start).rev().take_while(active).count();
        let after = (bytes.end..LINE).take_while(active).count();
        before + bytes.filter(|byte| active(byte)).count() + after
    }

    /// Returns the bits that a constant top byte of a float is worth: noise is unlikely to end with
    /// exactly this byte at exactly this alignment.
    fn bonus(&self, start: usize, width: usize, fit: &Fit) -> f64 {
        let top = start + width - 1;
        let lone = fit.kind == Kind::Float && start.is_multiple_of(width) && !self.line.is_active(top);
        let value = self.line.rows().back().map_or(0, |row| row.bytes[top]);
        if lone && matches!(value & 0x7f, 0x3e..=0x42) { 8.0 } else { 0.0 }
    }

    /// Returns the bits that encode the width and offset of a field: few for a common width and an
    /// aligned field, more for a packed struct.
    fn prior(start: usize, width: usize, fit: &Fit) -> f64 {
        let place = match width {
            1 => 4.0,
            _ if !start.is_multiple_of(width) => 6.0,
            2 => 4.0,
            _ => 2.0,
        };
        place + if fit.kind == Kind::Number { 10.0 } else { 0.0 }
    }
}
