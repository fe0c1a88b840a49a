//! Tests of the detector on simulated samples: structs that change at known rates, read in bursts.

use super::{BURST, Detector, Kind, Moment, MovingValue, Origin, POLLS, Unit};
use std::time::Duration;

const SIZE: usize = 512;
pub(super) const BOOT: Duration = Duration::from_secs(100_000);
pub(super) const EPOCH: Duration = Duration::from_secs(1_700_000_000);

/// A memory of 512 bytes.
pub(super) struct Memory([u8; SIZE]);

impl Memory {
    pub(super) fn put<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) {
        self.0[offset..offset + N].copy_from_slice(&bytes);
    }

    pub(super) fn fill(&mut self, range: std::ops::Range<usize>, byte: impl FnMut() -> u8) {
        self.0[range].fill_with(byte);
    }
}

/// Random numbers that are the same in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[2]
    }

    pub(super) fn uniform(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() & 0xffff_ffff).unwrap()) / 4_294_967_296.0
    }
}

/// Polls a program that writes at a rate, for some seconds, and returns the values at the end. The
/// program gets its tick and its time since the start.
pub(super) fn run(
    per_second: f64,
    seconds: u64,
    mut write: impl FnMut(u64, Duration, &mut Memory),
) -> Vec<MovingValue> {
    let mut detector = Detector::new();
    let mut memory = Memory([0; SIZE]);
    let period = Duration::from_secs_f64(1.0 / per_second);
    let (mut tick, mut poll) = (0, Duration::ZERO);
    for distance in POLLS.iter().cycle() {
        let mut at = poll;
        for pause in BURST.iter().chain([&Duration::ZERO]) {
            while period * u32::try_from(tick + 1).unwrap() <= at {
                tick += 1;
                write(tick, period * u32::try_from(tick).unwrap(), &mut memory);
            }
            detector.observe(Moment { monotonic: BOOT + at, wall: EPOCH + at }, 4096, &memory.0);
            at += *pause;
        }
        if at > Duration::from_secs(seconds) {
            break;
        }
        detector.values();
        poll += *distance;
    }
    detector.values()
}

/// Returns the only value, relative to its base offset.
fn only(values: &[MovingValue]) -> (u64, &[usize], Kind) {
    let [value] = values else { panic!("{values:#?}") };
    (value.offset - 4096, &value.widths, value.kind)
}

pub(super) fn places(values: &[MovingValue]) -> Vec<(u64, usize, &str)> {
    let mut places: Vec<_> =
        values.iter().map(|value| (value.offset - 4096, value.width, value.kind.word())).collect();
    places.sort_unstable();
    places
}

#[test]
fn slow_counter_fits_several_widths() {
    let values = run(1.0, 11, |tick, _, memory| memory.put(8, tick.to_le_bytes()));
    assert_eq!(only(&values), (8, &[8, 1, 2, 4][..], Kind::Counter));
    assert_eq!(values[0].type_text(), "u32/u64");
    assert_eq!(values[0].value().to_string(), "11");
    assert_eq!(values[0].history.len(), 12);
    let rate = values[0].rate.unwrap();
    assert!((0.7..1.3).contains(&rate), "{rate}");
}

#[test]
fn fast_byte_shows_its_slope_within_bursts() {
    let values = run(10_000.0, 3, |tick, _, memory| {
        memory.put(16, [tick.to_le_bytes()[0], 9]);
    });
    assert_eq!(only(&values), (16, &[1][..], Kind::Counter));
}

#[test]
fn carries_join_the_bytes_of_a_counter() {
    let values = run(1000.0, 4, |tick, _, memory| memory.put(24, (tick + 0x1_0000_fc00).to_le_bytes()));
    assert_eq!(only(&values).0, 24);
    assert_eq!(values[0].width, 8);
}

#[test]
fn adjacent_counters_in_step_are_apart() {
    let values = run(20.0, 5, |tick, _, memory| {
        memory.put(0, u32::try_from(tick).unwrap().to_le_bytes());
        memory.put(4, u32::try_from(tick * 3).unwrap().to_le_bytes());
        memory.put(8, u16::try_from(tick).unwrap().to_le_bytes());
        memory.put(10, u16::try_from(tick + 7).unwrap().to_le_bytes());
    });
    assert_eq!(
        places(&values),
        [(0, 4, "counter"), (4, 4, "counter"), (8, 2, "counter"), (10, 2, "counter")]
    );
}

#[test]
fn floats_are_found_beside_counters() {
    let mut random = Random(1);
    let values = run(50.0, 4, |tick, time, memory| {
        memory.put(0, u32::try_from(tick).unwrap().to_le_bytes());
        memory.put(4, (time.as_secs_f32() * 2.0).sin().to_le_bytes());
        memory.put(8, random.uniform().to_le_bytes());
        memory.put(16, (1834.25 + (random.uniform() * 100.0).round() / 100.0).to_le_bytes());
    });
    assert_eq!(places(&values), [(0, 4, "counter"), (4, 4, "float"), (8, 8, "float"), (16, 8, "float")]);
}

#[test]
fn index_names_its_modulus() {
    let values = run(40.0, 6, |tick, _, memory| memory.put(4, (tick % 48).to_le_bytes()));
    assert_eq!(only(&values).2, Kind::Index { modulus: 48 });
    let values = run(10_000.0, 4, |tick, _, memory| memory.put(8, (tick % 1024).to_le_bytes()));
    assert_eq!(only(&values).2, Kind::Index { modulus: 1024 });
}

#[test]
fn clocks_name_their_unit_and_origin() {
    let values = run(20.0, 4, |_, time, memory| {
        let (wall, monotonic) = (EPOCH + time, BOOT + time);
        memory.put(0, wall.as_secs().to_le_bytes());
        memory.put(8, u64::try_from(wall.as_millis()).unwrap().to_le_bytes());
        memory.put(16, u64::try_from(wall.as_micros()).unwrap().to_le_bytes());
        memory.put(24, u64::try_from(monotonic.as_nanos()).unwrap().to_le_bytes());
        memory.put(32, wall.as_secs_f64().to_le_bytes());
    });
    let clocks: Vec<_> = values.iter().map(|value| (value.offset - 4096, value.kind)).collect();
    let clock = |unit, origin| Kind::Clock { unit, origin };
    assert_eq!(
        clocks[clocks.len() - 4..],
        [
            (8, clock(Unit::Millis, Origin::Epoch)),
            (16, clock(Unit::Micros, Origin::Epoch)),
            (24, clock(Unit::Nanos, Origin::Boot)),
            (32, clock(Unit::Seconds, Origin::Epoch)),
        ]
    );
}

#[test]
fn flags_and_texts_are_found() {
    let mut random = Random(3);
    let values = run(3.0, 8, |tick, _, memory| {
        memory.put(0, [u8::from(tick % 2 == 0), 7]);
        let text: &[u8; 16] = match random.next() % 3 {
            0 => b"idle\0\0\0\0\0\0\0\0\0\0\0\0",
            1 => b"running\0\0\0\0\0\0\0\0\0",
            _ => b"waiting for job\0",
        };
        memory.put(32, *text);
    });
    assert_eq!(places(&values), [(0, 1, "flag"), (32, 16, "text")]);
}

#[test]
fn packed_fields_are_found() {
    let values = run(50.0, 4, |tick, time, memory| {
        memory.put(5, (20.0 + time.as_secs_f64().sin()).to_le_bytes());
        memory.put(13, (tick * 1000 + 70_000).to_le_bytes());
    });
    assert_eq!(places(&values), [(5, 8, "float"), (13, 4, "counter")]);
}

#[test]
fn random_bytes_have_no_values_at_any_size_and_rate() {
    for size in [1, 2, 4, 8, 32, 400] {
        for per_second in [2.0, 30.0, 5000.0] {
            let mut random = Random(size as u64 + 7);
            let values = run(per_second, 8, |_, _, memory| {
                memory.0[16..16 + size].fill_with(|| random.next().to_le_bytes()[1]);
            });
            assert_eq!(places(&values), [], "{size} bytes at {per_second}/s");
        }
    }
}

#[test]
fn only_the_head_of_a_ring_has_values() {
    for per_second in [8.0, 50.0, 700.0, 9000.0, 200_000.0] {
        let values = run(per_second, 8, |tick, time, memory| {
            memory.put(0, tick.to_le_bytes());
            let slot = 64 + usize::try_from(tick % 14).unwrap() * 32;
            memory.put(slot, tick.to_le_bytes());
            memory.put(slot + 8, time.as_secs_f64().sin().to_le_bytes());
            memory.put(slot + 16, u32::try_from(tick * 3).unwrap().to_le_bytes());
        });
        assert_eq!(places(&values), [(0, 8, "counter")], "{per_second}/s");
    }
}

#[test]
fn torn_values_do_not_hide_a_counter() {
    let mut random = Random(5);
    let values = run(300.0, 5, |tick, _, memory| {
        memory.put(8, tick.to_le_bytes());
        if random.next().is_multiple_of(200) {
            memory.put(8, [0; 8]);
        }
    });
    assert_eq!(places(&values), [(8, 8, "counter")]);
}

#[test]
fn another_window_keeps_the_lines_in_both() {
    let mut detector = Detector::new();
    let mut bytes = vec![0; 1024];
    let mut values = vec![];
    for tick in 0..20_u64 {
        bytes[200..208].copy_from_slice(&tick.to_le_bytes());
        let at = Duration::from_millis(250 * tick);
        let window = if tick < 10 { 0 } else { 100 };
        detector.observe(
            Moment { monotonic: BOOT + at, wall: EPOCH + at },
            window,
            &bytes[window.try_into().unwrap()..],
        );
        values = detector.values();
    }
    assert_eq!((values.len(), values[0].offset, values[0].history.len()), (1, 200, 19));
}
