//! A large segment with 1% of its bytes written, in scattered runs.

/// The size in bytes, of which about 2.6 MiB are allocated.
pub const SIZE: u64 = 256 << 20;
/// The length of a run: at least a page on every machine.
pub const RUN_SIZE: u64 = 64 << 10;

const RECORD_SIZE: u64 = 64;
const RUNS: u64 = SIZE / RUN_SIZE / 100 + 1;

/// Returns the offsets of the runs, ascending from 0.
pub fn runs() -> impl Iterator<Item = u64> {
    let stride = SIZE / RUN_SIZE / RUNS;
    (0..RUNS).map(move |run| {
        // The same in every demo, but without a visible pattern.
        let scatter = xxhash_rust::xxh3::xxh3_64(&run.to_le_bytes()) % (stride - 1);
        (run * stride + if run == 0 { 0 } else { scatter }) * RUN_SIZE
    })
}

/// Returns the contents of a run: lines of 64 bytes.
pub fn content(offset: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for record in offset / RECORD_SIZE..(offset + RUN_SIZE) / RECORD_SIZE {
        let line = format!("record {record:08} at offset {:#011x}, of 256 MiB", record * RECORD_SIZE);
        out.extend(format!("{line:<63}\n").bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_scattered_over_one_hundredth() {
        let starts: Vec<u64> = runs().collect();
        assert_eq!(starts[0], 0);
        assert!(starts.windows(2).all(|pair| pair[1] > pair[0] + RUN_SIZE), "{starts:?}");
        assert!(starts[starts.len() - 1] + RUN_SIZE <= SIZE);
        let touched = starts.len() as u64 * RUN_SIZE;
        assert!((touched * 1000 / SIZE).abs_diff(10) <= 1, "{touched}");
        let gaps: std::collections::HashSet<u64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() > starts.len() / 2, "{gaps:?}");
    }

    #[test]
    fn run_is_filled() {
        let content = content(3 * RUN_SIZE);
        assert_eq!(content.len() as u64, RUN_SIZE);
        assert!(content.starts_with(b"record 00003072 at offset 0x000030000, of 256 MiB"));
    }
}
