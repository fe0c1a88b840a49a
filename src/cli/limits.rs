//! `limits`: prints the kernel limits and their usage, by user and by process.

mod by;

use super::args::LimitsArgs;
use super::json::CoverageJson;
use super::out::Out;
use super::style::Tint;
use super::table::{Column, Table};
use super::{Failure, Status, survey_all};
use crate::identify::Rules;
use crate::machine::Machine;
use crate::segment::Kind;
use crate::segment::{Bytes, Segment};
use crate::survey::{Coverage, Shmem, Survey, alerts, logouts, promised_memory, usage};
use by::{Process, User};
use serde::Serialize;
use std::io::{self, Write as _};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Limit {
    name: &'static str,
    /// The resource, as in the table.
    what: &'static str,
    unit: Unit,
    /// `None` if unknown.
    used: Option<u64>,
    /// `None` if unlimited or unknown.
    #[serde(rename = "limit")]
    most: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Segments,
    Files,
    Bytes,
}

#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    limits: Vec<Limit>,
    coverage: Option<CoverageJson>,
    users: Vec<User>,
    processes: Vec<Process>,
    shmem: Option<ShmemJson>,
    /// The warnings.
    alerts: Vec<String>,
}

/// Memory in bytes that the kernel counts as shared.
#[derive(Debug, Serialize)]
struct ShmemJson {
    total: u64,
    listed: u64,
    rest: u64,
}

/// Users named in an alert.
const MAX_NAMED: usize = 5;

pub fn run(machine: &dyn Machine, rules: Rules, args: &LimitsArgs, out: &mut Out) -> Result<Status, Failure> {
    // Unlinked objects are in no directory, so only a scan of the holders finds them.
    let survey = survey_all(machine, rules);
    let alerts = alerts(&survey).iter().map(|alert| alert.text(MAX_NAMED)).chain(logouts(&survey)).collect();
    let limits = limits(&survey, machine.limits().page_size);
    let (users, processes) = by::rows(usage(machine, &survey));
    let shmem = Shmem::new(machine, &survey);
    if args.json {
        let shmem = shmem.map(|shmem| ShmemJson {
            total: shmem.total.0,
            listed: shmem.listed.0,
            rest: shmem.rest().0,
        });
        let report = Report {
            version: 1,
            limits,
            coverage: CoverageJson::new(&survey),
            users,
            processes,
            shmem,
            alerts,
        };
        serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        print_table(&limits, out)?;
        by::print(&users, &processes, out)?;
        if let Some(coverage) = survey.coverage.as_ref().filter(|coverage| !coverage.is_whole()) {
            writeln!(out, "{}", unseen_text(coverage, machine.effective_uid() == 0))?;
        }
        if let Some(shmem) = shmem {
            writeln!(out, "\n{}", shmem.text())?;
        }
        print_alerts(&alerts, out)?;
    }
    out.flush()?;
    Ok(if survey.unlisted.is_empty() { Status::Success } else { Status::Failed })
}

/// Describes the processes that the table omits.
fn unseen_text(coverage: &Coverage, root: bool) -> String {
    let Coverage { processes, unreadable, visibility, .. } = coverage;
    let count = match unreadable {
        0 if visibility.outside => "processes outside this pid namespace are not counted".to_owned(),
        0 => "some processes cannot be inspected and are not counted".to_owned(),
        _ => format!("{unreadable} of {processes} processes cannot be inspected and are not counted"),
    };
    if root || visibility.outside { count } else { format!("{count}. Run as root to see all processes") }
}

fn limits(survey: &Survey, page: u64) -> Vec<Limit> {
    let limits = &survey.limits;
    let sysv = || survey.segments.iter().filter(|segment| segment.sysv().is_some());
    // The kernel counts whole pages against `shmall` (`shm_tot` in `ipc/shm.c`).
    let pages = |segment: &Segment| Bytes(segment.size.0.div_ceil(page.max(1)).saturating_mul(page));
    let all: Bytes = sysv().map(pages).sum();
    let largest = sysv().map(|segment| segment.size.0).max().unwrap_or(0);
    let listed = |used: u64| (!survey.unlisted.contains(&Kind::Sysv)).then_some(used);
    let mut list = vec![
        Limit {
            name: "kernel.shmmni",
            what: "number of System V segments",
            unit: Unit::Segments,
            used: listed(limits.sysv_segments),
            most: limits.shmmni,
        },
        Limit {
            name: "kernel.shmall",
            what: "total size of System V segments",
            unit: Unit::Bytes,
            used: listed(all.0),
            most: limits.shmall.map(|bytes| bytes.0),
        },
        Limit {
            name: "kernel.shmmax",
            what: "size of the largest System V segment",
            unit: Unit::Bytes,
            used: listed(largest),
            most: limits.shmmax.map(|bytes| bytes.0),
        },
    ];
    if let Some(shm) = limits.dev_shm {
        let most = |most: u64| (most > 0).then_some(most);
        list.push(Limit {
            name: "/dev/shm size",
            what: "memory of POSIX segments",
            unit: Unit::Bytes,
            used: Some(shm.used.0),
            most: most(shm.size.0),
        });
        list.push(Limit {
            name: "/dev/shm promised",
            what: "sum of the sizes of POSIX segments",
            unit: Unit::Bytes,
            used: Some(promised_memory(survey).0),
            most: most(shm.size.0),
        });
        list.push(Limit {
            name: "/dev/shm nr_inodes",
            what: "files and directories in /dev/shm",
            unit: Unit::Files,
            used: Some(shm.inodes_used),
            most: most(shm.inodes),
        });
    }
    list
}

fn print_table(limits: &[Limit], out: &mut Out) -> io::Result<()> {
    let left = |title| Column { title, right: false };
    let right = |title| Column { title, right: true };
    let mut table =
        Table::new(vec![left("NAME"), right("USED"), right("LIMIT"), right("USE%"), left("DESCRIPTION")]);
    for limit in limits {
        table.cell(Tint::Plain, format_args!("{}", limit.name));
        let used = limit.used.map_or_else(|| "unknown".to_owned(), |used| limit.figure(used));
        table.cell(Tint::Plain, format_args!("{used}"));
        match limit.most {
            Some(most) => table.cell(Tint::Plain, format_args!("{}", limit.figure(most))),
            None => table.cell(Tint::Dim, format_args!("none")),
        }
        match limit.share() {
            Some(percent) if percent >= 90 => table.cell(Tint::Warning, format_args!("{percent}%")),
            Some(0) if limit.used > Some(0) => table.cell(Tint::Plain, format_args!("<1%")),
            Some(percent) => table.cell(Tint::Plain, format_args!("{percent}%")),
            None => table.cell(Tint::Dim, format_args!("-")),
        }
        table.cell(Tint::Dim, format_args!("{}", limit.what));
    }
    table.print(true, out)
}

fn print_alerts(alerts: &[String], out: &mut Out) -> io::Result<()> {
    let style = out.style();
    for (index, alert) in alerts.iter().enumerate() {
        if index == 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", style.paint(Tint::Warning, &style.fit(alert)))?;
    }
    Ok(())
}

impl Limit {
    fn figure(&self, number: u64) -> String {
        match self.unit {
            Unit::Bytes => Bytes(number).to_string(),
            Unit::Segments | Unit::Files => number.to_string(),
        }
    }

    /// The usage in percent.
    fn share(&self) -> Option<u128> {
        let most = self.most.filter(|&most| most > 0)?;
        Some(u128::from(self.used?) * 100 / u128::from(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::Names;

    #[test]
    fn every_limit_has_its_usage() {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 0, FakeBytes::hole(5000));
        machine.add_sysv(2, 0, FakeBytes::hole(1));
        machine.add_object("a", FakeBytes::hole(1 << 40));
        let survey = Survey::take(&machine, &mut Names::default());
        let limits = limits(&survey, 4096);
        let used: Vec<(&str, u64)> = limits.iter().map(|limit| (limit.name, limit.used.unwrap())).collect();
        assert_eq!(
            used,
            [
                ("kernel.shmmni", 2),
                ("kernel.shmall", 3 * 4096),
                ("kernel.shmmax", 5000),
                ("/dev/shm size", 0),
                ("/dev/shm promised", 1 << 40),
                ("/dev/shm nr_inodes", 0)
            ]
        );
        assert_eq!((limits[0].most, limits[0].share()), (Some(4096), Some(0)));
        assert_eq!(limits[4].most, limits[3].most);
        assert_eq!((limits[5].most, limits[5].share()), (None, None));
        let unlisted = Survey { unlisted: vec![Kind::Sysv], ..survey };
        let used: Vec<Option<u64>> = super::limits(&unlisted, 4096).iter().map(|limit| limit.used).collect();
        assert_eq!(used, [None, None, None, Some(0), Some(1 << 40), Some(0)]);
    }
}
