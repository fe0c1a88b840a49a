//! The table of file locks, `proc_locks(5)`.

use crate::machine::process::FileLock;

/// Parses all locks. Skips waiting processes, whose lines contain an arrow.
pub fn parse(table: &[u8]) -> Vec<FileLock> {
    let text = String::from_utf8_lossy(table);
    text.lines().filter_map(line).collect()
}

/// Parses `1: POSIX  ADVISORY  WRITE 5433 fd:00:12345 0 EOF`.
fn line(line: &str) -> Option<FileLock> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, kind, state, access, pid, file, ..] = fields[..] else { return None };
    if kind == "->" {
        return None;
    }
    let mut parts = file.split(':');
    let major = u32::from_str_radix(parts.next()?, 16).ok()?;
    let minor = u32::from_str_radix(parts.next()?, 16).ok()?;
    let inode = parts.next()?.parse().ok()?;
    // Open file description locks show -1: no single process owns them.
    let pid = pid.parse().ok().filter(|&pid| pid != 0);
    // A breaking lease shows the access that its holder keeps.
    let write_lease = kind == "LEASE" && (state, access) != ("ACTIVE", "READ");
    Some(FileLock { device: libc::makedev(major, minor), inode, pid, write_lease })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_type_parses_and_waiters_are_skipped() {
        let table = b"1: POSIX  ADVISORY  WRITE 5433 fd:00:12345 0 EOF\n\
                      1: -> POSIX  ADVISORY  WRITE 5434 fd:00:12345 0 EOF\n\
                      2: OFDLCK ADVISORY  READ  -1 00:1a:7 0 0\n\
                      3: FLOCK  ADVISORY  WRITE 17 00:1a:8 0 EOF\nx\n";
        let lock = |major, minor, inode, pid| FileLock {
            device: libc::makedev(major, minor),
            inode,
            pid,
            write_lease: false,
        };
        assert_eq!(
            parse(table),
            [lock(0xfd, 0, 12345, Some(5433)), lock(0, 0x1a, 7, None), lock(0, 0x1a, 8, Some(17))]
        );
    }

    #[test]
    fn write_leases_are_told_from_read_leases() {
        let table = b"1: LEASE  ACTIVE    WRITE 7 00:1a:5 0 EOF\n\
                      2: LEASE  ACTIVE    READ  7 00:1a:6 0 EOF\n\
                      3: LEASE  BREAKING  READ  7 00:1a:7 0 EOF\n\
                      4: FLOCK  ADVISORY  WRITE 7 00:1a:8 0 EOF\n";
        let leased: Vec<u64> =
            parse(table).iter().filter(|lock| lock.write_lease).map(|lock| lock.inode).collect();
        assert_eq!(leased, [5, 7]);
    }
}
