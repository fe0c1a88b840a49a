//! The text of `/proc/sysvipc/shm`, parsed by its header line.
//!
//! The parser of the procfs crate (0.18) keeps uids in 16 bits, so that a segment of uid 100000
//! fails the whole table, and reads the octal permissions as decimal. The format comes from
//! `sysvipc_shm_proc_show` in the kernel's ipc/shm.c; rss and swap were added in Linux 2.6.38.

use super::control::SysvStat;
use crate::segment::{Bytes, Key, Mode, ShmId, Timestamp, escape};
use std::borrow::Cow;
use std::num::ParseIntError;

/// The bit in `perms` of a segment marked for removal with `IPC_RMID` (`SHM_DEST`).
pub const MARKED: u32 = 0o1000;
/// The bit in `perms` of a segment locked with `SHM_LOCK` (`SHM_LOCKED`).
pub const LOCKED: u32 = 0o2000;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub rows: Vec<SysvStat>,
    /// Escaped lines that do not parse, with the reason.
    pub problems: Vec<String>,
}

/// The reason why a line does not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum RowError {
    #[error("missing column {0}")]
    Missing(&'static str),
    /// The column, and the problem with its value.
    #[error("{0} is {1}")]
    Invalid(&'static str, &'static str),
}

/// The columns in the order of the kernel, the last two since Linux 2.6.38.
const NAMES: [&str; 16] = [
    "key", "shmid", "perms", "size", "cpid", "lpid", "nattch", "uid", "gid", "cuid", "cgid", "atime",
    "dtime", "ctime", "rss", "swap",
];

/// The place of each column of [`NAMES`] in the header line.
struct Columns([Option<usize>; NAMES.len()]);

/// Parses the table. Reports lines that do not parse, and keeps the others.
pub fn parse(text: &[u8]) -> Table {
    let mut table = Table::default();
    let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let Some(header) = lines.next() else {
        table.problems.push("/proc/sysvipc/shm is empty: no header line".to_owned());
        return table;
    };
    let words = || header.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let columns = Columns(NAMES.map(|name| words().position(|word| word == name.as_bytes())));
    table.rows.reserve(text.len() / header.len().max(1));
    for (index, line) in lines.enumerate() {
        match columns.row(line) {
            Ok(row) => table.rows.push(row),
            Err(reason) => {
                table.problems.push(format!(
                    "/proc/sysvipc/shm line {}: {reason}: {}",
                    index + 2,
                    escape(line.trim_ascii())
                ));
            }
        }
    }
    table
}

/// The maximum number of columns, more than any kernel has.
const MAX_COLUMNS: usize = 32;

impl Columns {
    fn row(&self, line: &[u8]) -> Result<SysvStat, RowError> {
        // Invalid UTF-8 cannot be a number either.
        let line = str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
        let mut words = [""; MAX_COLUMNS];
        let mut count = 0;
        for (place, word) in words.iter_mut().zip(line.split_ascii_whitespace()) {
            *place = word;
            count += 1;
        }
        let word = |column: usize| words[..count].get(self.0[column]?).copied();
        let must = |column: usize| word(column).ok_or(RowError::Missing(NAMES[column]));
        let invalid =
            |column: usize, expected| move |_: ParseIntError| RowError::Invalid(NAMES[column], expected);
        let number = |column| must(column)?.parse::<u64>().map_err(invalid(column, "not a number"));
        let id = |column| {
            u32::try_from(number(column)?).map_err(|_| RowError::Invalid(NAMES[column], "too large"))
        };
        // The pid of another namespace is printed as 0, and -1 was seen in old kernels.
        let pid = |column| Ok::<u32, RowError>(must(column)?.parse::<u32>().unwrap_or(0));
        let time = |column| {
            let seconds = must(column)?.parse::<i64>().map_err(invalid(column, "not a time"))?;
            Ok::<_, RowError>((seconds != 0).then_some(Timestamp::from_seconds(seconds)))
        };
        let optional = |column| match word(column) {
            None => Ok(None),
            Some(_) => number(column).map(|bytes| Some(Bytes(bytes))),
        };
        let key = must(0)?;
        let key = key.parse::<i32>().map(i32::cast_unsigned).or_else(|_| key.parse::<u32>());
        let perms = u32::from_str_radix(must(2)?, 8).map_err(invalid(2, "not octal"))?;
        Ok(SysvStat {
            key: Key(key.map_err(invalid(0, "not a number"))?),
            shmid: ShmId(must(1)?.parse().map_err(invalid(1, "not a number"))?),
            mode: Mode::new(perms & 0o777),
            locked: perms & LOCKED != 0,
            marked: perms & MARKED != 0,
            size: Bytes(number(3)?),
            creator_pid: pid(4)?,
            last_pid: pid(5)?,
            nattch: number(6)?,
            uid: id(7)?,
            gid: id(8)?,
            creator_uid: id(9)?,
            creator_gid: id(10)?,
            attach: time(11)?,
            detach: time(12)?,
            change: time(13)?,
            resident: optional(14)?,
            swapped: optional(15)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n";

    #[test]
    fn parses_a_line_of_linux_6() {
        let line = "      1234      32770  3666               1048576  4121  4188      2 100000  1000  1000  1000 1767610869          0 1767610860                131072                  4096\n";
        let table = parse(format!("{HEADER}{line}").as_bytes());
        assert_eq!(table.problems, Vec::<String>::new());
        let row = table.rows[0];
        assert_eq!((row.key, row.shmid, row.mode), (Key(1234), ShmId(32770), Mode::new(0o666)));
        assert_eq!((row.size, row.nattch, row.uid), (Bytes(1 << 20), 2, 100_000));
        assert_eq!((row.creator_pid, row.last_pid), (4121, 4188));
        assert_eq!((row.attach.map(|t| t.seconds), row.detach), (Some(1_767_610_869), None));
        assert_eq!((row.resident, row.swapped), (Some(Bytes(131_072)), Some(Bytes(4096))));
        assert!(row.marked && row.locked);
    }

    #[test]
    fn old_kernels_have_no_rss_and_columns_may_move() {
        let text = "shmid key perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime future\n\
                    7 -559038737 600 18446744073709551615 1 1 0 4294967295 0 0 0 0 0 5 zzz\n";
        let table = parse(text.as_bytes());
        let row = table.rows[0];
        assert_eq!((row.key, row.shmid), (Key(0xdead_beef), ShmId(7)));
        assert_eq!((row.size, row.uid), (Bytes(u64::MAX), u32::MAX));
        assert_eq!((row.resident, row.swapped, row.attach), (None, None, None));
    }

    #[test]
    fn invalid_line_is_reported_and_others_are_kept() {
        let valid_line = "1 1 600 1 1 1 0 0 0 0 0 0 0 5 0 0\n";
        let text = format!(
            "{HEADER}{valid_line}1 2 9 1 1 1 0 0 0 0 0 0 0 5 0 0\nnonsense \x1b[2J\n{valid_line}1 3 600\n"
        );
        let table = parse(text.as_bytes());
        assert_eq!(table.rows.len(), 2);
        assert_eq!(table.problems.len(), 3);
        assert!(table.problems[0].contains("line 3: perms is not octal"), "{:?}", table.problems);
        assert!(table.problems.iter().all(|problem| !problem.contains('\x1b')));
        assert!(!parse(b"").problems.is_empty());
    }
}
