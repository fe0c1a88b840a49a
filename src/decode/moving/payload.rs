//! Separates values from payload: bytes that are the content of buffers, not fields.
//!
//! A model may fit parts of random, compressed or pixel data by chance, and it correctly fits
//! arrays of samples. Neither is worth a row on the screen, so values surrounded by noise and long
//! runs of equal fields are dropped.

use super::partition::Field;
use super::value::{Kind, Origin};
use std::collections::BTreeMap;
use std::ops::Range;

/// A value with this much noise on both sides is part of a buffer.
const NEIGHBORHOOD: u64 = 16;
const NOISY: usize = 12;
/// The longest run of constant bytes in a buffer.
const GAP: usize = 3;
/// The minimum length of a buffer that absorbs a narrow field next to it.
const LONG_RUN: usize = 96;
/// The longest run of constant bytes in the header of a compressed block.
const HEADER_GAP: usize = 8;
/// Minimum savings, in bits, of a value that is kept although noise surrounds it.
const OBVIOUS: f64 = 60.0;
/// Minimum savings, in bits compared with values in no order, of a narrow value that is kept next
/// to noise.
const EVIDENCE: f64 = 30.0;

/// The longest array of wide fields, and the largest number of equal records, that are reported.
const ARRAY: usize = 31;
const RECORDS: usize = 11;
/// This many adjacent fields of one or two bytes are pixels or samples.
const CROWD: usize = 16;

/// A field at an offset in the segment.
#[derive(Debug, Clone)]
pub struct Placed {
    pub offset: u64,
    pub field: Field,
}

impl Placed {
    /// Returns true for a clock that agrees with the machine's, which no noise does.
    const fn is_machine_clock(&self) -> bool {
        matches!(self.field.fit.kind, Kind::Clock { origin: Origin::Epoch | Origin::Boot, .. })
    }
}

/// The state of the bytes of a segment.
pub struct Bytes<N, A> {
    /// Returns true if the byte at an offset is noise.
    pub is_noise: N,
    /// Returns true if the byte at an offset changed.
    pub is_active: A,
}

/// Drops the fields that are parts of buffers. `buffers` are known to be buffers. The fields are in
/// order of their offsets.
pub fn drop_payload<N, A>(fields: Vec<Placed>, bytes: &Bytes<N, A>, buffers: &[Range<u64>]) -> Vec<Placed>
where
    N: Fn(u64) -> bool,
    A: Fn(u64) -> bool,
{
    let noise = &bytes.is_noise;
    let mut payload = in_arrays(&fields);
    for buffer in buffers {
        let start = fields.partition_point(|placed| placed.offset < buffer.start);
        let end = fields.partition_point(|placed| placed.offset < buffer.end);
        for at in at_edge(&fields, (0..start).rev(), buffer.start, &bytes.is_active) {
            payload[at] = true;
        }
        for at in at_edge(&fields, end..fields.len(), buffer.end, &bytes.is_active) {
            payload[at] = true;
        }
    }
    let keep = |(placed, payload): (Placed, bool)| {
        (!payload && !is_amid_noise(&placed, noise, &bytes.is_active)).then_some(placed)
    };
    fields.into_iter().zip(payload).filter_map(keep).collect()
}

/// Returns the fields that continue a buffer at its edge without a gap. The fields are in order of
/// their distance from the edge.
fn at_edge(
    fields: &[Placed],
    order: impl Iterator<Item = usize>,
    edge: u64,
    active: impl Fn(u64) -> bool,
) -> Vec<usize> {
    let mut edge = edge;
    let mut found: Vec<usize> = vec![];
    for at in order {
        let placed = &fields[at];
        let end = placed.offset + placed.field.width as u64;
        let between = end.min(edge)..placed.offset.max(edge);
        let between: Vec<bool> = between.map(&active).collect();
        let gap = between.split(|&active| active).map(<[bool]>::len).max().unwrap_or_default();
        if gap > GAP || placed.is_machine_clock() {
            break;
        }
        found.push(at);
        edge = if placed.offset < edge { placed.offset } else { end };
    }
    found
}

/// Returns true if bytes are part of a run of changing bytes that has much noise.
pub fn is_beside_noise(
    bytes: &Range<u64>,
    noise: impl Fn(u64) -> bool,
    active: impl Fn(u64) -> bool,
) -> bool {
    let noise_in = |order: &mut dyn Iterator<Item = u64>| {
        let mut gap = 0;
        let in_run = |&at: &u64| {
            gap = if active(at) { 0 } else { gap + 1 };
            gap <= HEADER_GAP
        };
        order.take(LONG_RUN).take_while(in_run).filter(|&at| noise(at)).count()
    };
    noise_in(&mut (0..bytes.start).rev()).max(noise_in(&mut (bytes.end..))) >= NOISY
}

fn is_amid_noise(placed: &Placed, noise: impl Fn(u64) -> bool, active: impl Fn(u64) -> bool) -> bool {
    let end = placed.offset + placed.field.width as u64;
    let before = (placed.offset.saturating_sub(NEIGHBORHOOD)..placed.offset).filter(|&at| noise(at)).count();
    let after = (end..end + NEIGHBORHOOD).filter(|&at| noise(at)).count();
    let between = before >= NOISY && after >= NOISY;
    let is_obvious = placed.field.saved >= OBVIOUS;
    // Few values above noise: the upper byte of a number that is not reported.
    let is_flag = placed.field.fit.kind == Kind::Flag;
    let above = is_flag && !placed.offset.is_multiple_of(4) && noise(placed.offset - 1);
    // A few bytes of noise may well be regular, as in the header of a compressed block.
    let narrow = placed.field.active <= 2;
    let is_chance = !placed.is_machine_clock()
        && (narrow && is_flag || placed.field.active <= 4 && placed.field.evidence < EVIDENCE);
    between && (narrow || !is_obvious)
        || above && !is_obvious
        || is_chance && is_beside_noise(&(placed.offset..end), noise, active)
}

/// Flags the fields that belong to an array: too many of one width and kind, at a constant stride,
/// to be members of a struct.
fn in_arrays(fields: &[Placed]) -> Vec<bool> {
    let mut arrays = vec![false; fields.len()];
    // The fields of each width and kind: records repeat them at constant distances.
    let mut groups: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (at, placed) in fields.iter().enumerate() {
        groups.entry((placed.field.width, placed.field.fit.kind.word())).or_default().push(at);
    }
    for ((width, _), members) in groups {
        let mut start = 0;
        while start + 1 < members.len() {
            let distance = |at: usize| fields[members[at + 1]].offset - fields[members[at]].offset;
            let stride = distance(start);
            let mut end = start + 1;
            while end + 1 < members.len() && distance(end) == stride {
                end += 1;
            }
            let longest = match width {
                1 => 7,
                2 => 15,
                _ if stride == width as u64 => ARRAY,
                _ => RECORDS,
            };
            if end - start >= longest {
                members[start..=end].iter().for_each(|&at| arrays[at] = true);
            }
            start = end;
        }
    }
    let narrow: Vec<usize> = (0..fields.len()).filter(|&at| fields[at].field.width <= 2).collect();
    for many in narrow.windows(CROWD) {
        if fields[many[CROWD - 1]].offset - fields[many[0]].offset <= 3 * CROWD as u64 {
            for &at in many {
                arrays[at] = true;
            }
        }
    }
    arrays
}
