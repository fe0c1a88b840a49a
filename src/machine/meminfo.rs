//! `/proc/meminfo` (`proc_meminfo(5)`): the memory that the kernel counts as shared.

use crate::segment::Bytes;

/// Parses `Shmem:      80896 kB`: pages of tmpfs, System V segments, memfds and shared anonymous
/// mappings. `None` if there is no such line.
pub fn shmem(text: &[u8]) -> Option<Bytes> {
    let rest = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Shmem:"))?;
    let figure = rest.trim_ascii().strip_suffix(b"kB")?.trim_ascii_end();
    let kibibytes: u64 = std::str::from_utf8(figure).ok()?.parse().ok()?;
    kibibytes.checked_mul(1024).map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_name_matches() {
        let text = b"MemTotal:  24737036 kB\nShmemHugePages:  2048 kB\nShmem:     80896 kB\nSlab: 1 kB\n";
        assert_eq!(shmem(text), Some(Bytes(80896 << 10)));
        for text in
            [&b""[..], b"Shmem:", b"Shmem: \xff kB", b"Shmem: 80896", b"Shmem: 18446744073709551615 kB"]
        {
            assert_eq!(shmem(text), None, "{}", text.escape_ascii());
        }
    }
}
