//! Usage by user and by process: two short tables, largest first.

use super::super::out::Out;
use super::super::style::Tint;
use super::super::table::{Column, Table};
use crate::segment::Bytes;
use crate::survey::{ProcessUsage, Sum, Usage};
use serde::Serialize;
use std::io::{self, Write as _};

/// Rows per table. JSON has all of them.
const SHOWN_ROWS: usize = 10;

/// Totals; the names of the fields are those in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Counts {
    ids: u64,
    bytes: u64,
    objects: u64,
    /// The memory use of the POSIX objects.
    object_bytes: u64,
}

/// Totals of the segments that a user owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    uid: u32,
    #[serde(rename = "user")]
    name: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Totals of the segments that a process holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    pid: u32,
    command: String,
    user: String,
    #[serde(flatten)]
    counts: Counts,
}

impl From<Sum> for Counts {
    fn from(Sum { ids, bytes, objects, object_bytes }: Sum) -> Self {
        Self { ids, bytes: bytes.0, objects, object_bytes: object_bytes.0 }
    }
}

/// Converts the usage into the rows of both tables.
pub fn rows(usage: Usage) -> (Vec<User>, Vec<Process>) {
    let users = usage.users.into_iter().map(|(uid, name, sum)| User { uid, name, counts: sum.into() });
    let processes = usage.processes.into_iter().map(|ProcessUsage { pid, command, user, sum }| Process {
        pid,
        command,
        user,
        counts: sum.into(),
    });
    (users.collect(), processes.collect())
}

pub fn print(users: &[User], processes: &[Process], out: &mut Out) -> io::Result<()> {
    let users = users.iter().map(|user| {
        let name = user.name.clone().unwrap_or_else(|| user.uid.to_string());
        (vec![name], user.counts)
    });
    print_one(&["USER"], &users.collect::<Vec<_>>(), out)?;
    let processes = processes.iter().map(|process| {
        (vec![format!("{} ({})", process.command, process.pid), process.user.clone()], process.counts)
    });
    print_one(&["PROCESS", "USER"], &processes.collect::<Vec<_>>(), out)
}

fn print_one(titles: &[&'static str], rows: &[(Vec<String>, Counts)], out: &mut Out) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let right = |title| Column { title, right: true };
    let columns = vec![right("SYSV"), right("SIZE"), right("POSIX"), right("RESIDENT")];
    let names = titles.iter().map(|&title| Column { title, right: false });
    let mut table = Table::new(names.chain(columns).collect());
    let style = out.style();
    for (names, counts) in &rows[..rows.len().min(SHOWN_ROWS)] {
        for name in names {
            table.cell(Tint::Plain, format_args!("{}", style.fit(name)));
        }
        for (count, bytes) in [(counts.ids, counts.bytes), (counts.objects, counts.object_bytes)] {
            let tint = if count == 0 { Tint::Dim } else { Tint::Plain };
            table.cell(tint, format_args!("{count}"));
            table.cell(tint, format_args!("{}", Bytes(bytes)));
        }
    }
    writeln!(out)?;
    table.print(true, out)?;
    if rows.len() > SHOWN_ROWS {
        writeln!(out, "{} more", rows.len() - SHOWN_ROWS)?;
    }
    Ok(())
}
