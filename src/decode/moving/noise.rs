//! Tests the detector on simulated noise: random, compressed, hashed and pixel bytes, sampled on
//! time and late, as on a loaded machine. It must not report any values in the noise.

use super::tests::{BOOT, EPOCH, Random};
use super::{BURST, Detector, Moment, POLLS};
use std::time::Duration;

const SIZE: usize = 2048;
/// The noise starts here, after a counter.
const START: usize = 64;
const RUN: Duration = Duration::from_secs(8);

/// The contents of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Random,
    /// A header whose bytes have few values at unequal odds, then random bytes to an end that
    /// varies.
    Compressed,
    /// A digest and shorter checksums, separated by gaps.
    Hashes,
    /// Four channels, some of which change slowly.
    Pixels,
    /// 16-bit samples of a wave.
    Audio,
}

impl Content {
    const ALL: [Self; 5] = [Self::Random, Self::Compressed, Self::Hashes, Self::Pixels, Self::Audio];
}

/// The times of the samples.
#[derive(Debug, Clone, Copy)]
enum Sampling {
    Regular,
    /// Each sleep lasts longer by a random time.
    Late,
    /// Half of the polls have no burst, and some polls are missing.
    Skipped,
}

impl Sampling {
    const ALL: [Self; 3] = [Self::Regular, Self::Late, Self::Skipped];
}

/// A program that rewrites a buffer, and the memory it writes.
struct Writer {
    content: Content,
    random: Random,
    tick: u64,
    size: usize,
    /// For each byte of the header, the values it can have: repeated ones are more likely.
    header: Vec<[u8; 8]>,
    memory: [u8; SIZE],
}

impl Writer {
    fn new(content: Content, seed: u64) -> Self {
        let mut random = Random((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let size = [1, 2, 3, 4, 6, 8, 12, 16, 20, 32, 64, 400][random.below(12)];
        let length = 4 + random.below(12);
        let header = (0..length)
            .map(|_| {
                // Bits that vary next to bits that do not, as in a code of few symbols.
                let (base, mask) = (random.byte(), random.byte() & random.byte());
                let values: [u8; 8] = std::array::from_fn(|_| base ^ random.byte() & mask);
                let often = 1 + random.below(8);
                std::array::from_fn(|at| values[if at < often { at } else { 0 }])
            })
            .collect();
        Self { content, random, tick: 0, size, header, memory: [0; SIZE] }
    }

    fn write(&mut self) {
        self.tick += 1;
        let Self { random, memory, tick, .. } = self;
        memory[..8].copy_from_slice(&tick.to_le_bytes());
        match self.content {
            Content::Random => memory[START..START + self.size].fill_with(|| random.byte()),
            Content::Compressed => {
                for (at, values) in self.header.iter().enumerate() {
                    memory[START + 2 + at] = values[random.below(8)];
                }
                let end = START + 200 + random.below(40);
                memory[START + 2 + self.header.len()..end].fill_with(|| random.byte());
            }
            Content::Hashes => {
                for range in [0..self.size.max(16), 424..432, 432..436, 440..442, 448..449] {
                    memory[START + range.start..START + range.end].fill_with(|| random.byte());
                }
            }
            Content::Pixels => {
                for (at, pixel) in (0_u64..).zip(memory[START..].chunks_exact_mut(4)) {
                    let noise = random.below(3) as u64;
                    let channels = [at + *tick, at / 16 + *tick * 2, (at ^ *tick) + noise, 255];
                    pixel.copy_from_slice(&channels.map(|channel| channel.to_le_bytes()[0]));
                }
            }
            Content::Audio => {
                for (at, sample) in (0_u32..).zip(memory[START..].chunks_exact_mut(2)) {
                    let phase = f64::from(at) * 0.05 + 51.2 * f64::from(u32::try_from(*tick % 1000).unwrap());
                    let level = phase.sin() * 9000.0 + random.uniform() * 200.0;
                    #[expect(clippy::cast_possible_truncation, reason = "the level is below 9200")]
                    sample.copy_from_slice(&(level as i16).to_le_bytes());
                }
            }
        }
    }
}

/// A run of the detector over a buffer.
struct Reports {
    /// Values other than the counter, counted once per poll.
    noise: Vec<String>,
    /// Set if the counter was among the last values.
    counter: bool,
}

fn run(content: Content, sampling: Sampling, seed: u64) -> Reports {
    let mut writer = Writer::new(content, seed);
    let mut random = Random((seed + 1).wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
    let per_second = [2.0, 8.0, 20.0, 30.0, 100.0, 1000.0][random.below(6)];
    let mut detector = Detector::new();
    let mut reports = Reports { noise: vec![], counter: false };
    let (mut due, mut poll, mut at) = (0.0, Duration::ZERO, Duration::ZERO);
    for distance in POLLS.iter().cycle() {
        at = at.max(poll);
        if at >= RUN {
            break;
        }
        let is_skipped = matches!(sampling, Sampling::Skipped) && random.below(2) == 0;
        for pause in BURST.iter().chain([&Duration::ZERO]).take(if is_skipped { 1 } else { BURST.len() + 1 })
        {
            while due <= at.as_secs_f64() {
                writer.write();
                // A program on a loaded machine is late, too.
                let late = if matches!(sampling, Sampling::Regular) { 0.05 } else { 1.0 };
                due += (1.0 + late * random.uniform()) / per_second;
            }
            detector.observe(Moment { monotonic: BOOT + at, wall: EPOCH + at }, 4096, &writer.memory);
            at += *pause;
            if matches!(sampling, Sampling::Late) {
                // Sometimes another program runs for a few time slices.
                let slices = [0, 0, 0, 0, 0, 1, 2, 12][random.below(8)];
                at += Duration::from_micros(4000 * slices + random.below(3000) as u64);
            }
        }
        reports.counter = false;
        for value in detector.values() {
            if value.offset < 4096 + 8 {
                reports.counter = true;
            } else {
                reports.noise.push(format!(
                    "{content:?} {sampling:?} seed {seed} {per_second}/s {at:.1?}: {} {} {:?} {:.2}",
                    value.offset - 4096 - START as u64,
                    value.type_text(),
                    value.kind,
                    value.confidence
                ));
            }
        }
        poll += *distance;
        if is_skipped {
            poll += Duration::from_millis(random.below(1500) as u64);
        }
    }
    reports
}

/// Runs all contents and samplings, and returns the reports per hour.
fn measure(contents: &[Content], seeds: std::ops::Range<u64>) -> (f64, Vec<String>) {
    let (mut noise, mut runs) = (vec![], 0);
    for &content in contents {
        for sampling in Sampling::ALL {
            for seed in seeds.clone() {
                let reports = run(content, sampling, seed);
                assert!(reports.counter, "{content:?} {sampling:?} seed {seed}: the counter was not found");
                noise.extend(reports.noise);
                runs += 1;
            }
        }
    }
    let hours = f64::from(runs) * RUN.as_secs_f64() / 3600.0;
    (f64::from(u32::try_from(noise.len()).unwrap()) / hours, noise)
}

#[test]
fn noise_sampled_late_has_no_values() {
    let (_, noise) = measure(&[Content::Compressed], 0..4);
    assert!(noise.is_empty(), "{noise:#?}");
    let (_, noise) = measure(&Content::ALL, 4..5);
    assert!(noise.is_empty(), "{noise:#?}");
}

#[test]
#[ignore = "takes minutes: measures the reports per hour"]
fn noise_has_no_values_for_hours() {
    let (per_hour, noise) = measure(&Content::ALL, 100..300);
    println!("{per_hour:.1} reports per hour");
    assert!(noise.is_empty(), "{noise:#?}");
}

#[test]
fn counter_that_touches_noise_is_found() {
    let mut random = Random(9);
    let values = super::tests::run(10.0, 4, |tick, _, memory| {
        memory.put(8, u32::try_from(tick).unwrap().to_le_bytes());
        memory.put(12, u32::try_from(tick / 2).unwrap().to_le_bytes());
        memory.fill(16..48, || random.byte());
    });
    assert_eq!(super::tests::places(&values), [(8, 4, "counter"), (12, 4, "counter")]);
}
