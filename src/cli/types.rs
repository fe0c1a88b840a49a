//! `types`: lists the types that fit a segment, with the evidence.

use super::args::TypesArgs;
use super::choose::choose;
use super::out::{Out, warn};
use super::style::Tint;
use super::table::{Column, Table};
use super::{Failure, Status, survey_with_unlinked};
use crate::identify::typing::{Candidate, Knowledge, Subject, candidates};
use crate::machine::Machine;
use crate::memory::Reader;
use crate::segment::quote;
use serde::Serialize;
use std::io::Write as _;

const VERSION: u32 = 1;

#[derive(Serialize)]
struct TypesJson<'a> {
    version: u32,
    segment: String,
    types: &'a [Candidate],
}

pub fn run(
    machine: &dyn Machine,
    knowledge: &Knowledge,
    args: &TypesArgs,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = survey_with_unlinked(machine);
    let segment = choose(machine, &survey, &args.segment)?;
    let reader = Reader::open(machine, segment)?;
    let size = reader.size().map_err(|source| Failure::Read { id: segment.id.clone(), source })?;
    let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
    let found = candidates(machine, &Subject { segment, size, peek: &peek }, knowledge);
    let (id, types) = (segment.id.to_string(), found.candidates.as_slice());
    if args.json {
        serde_json::to_writer(&mut *out, &TypesJson { version: VERSION, segment: id, types })
            .map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    } else if !types.is_empty() {
        table(types).print(true, out)?;
    }
    out.flush()?;
    found.problems.iter().for_each(|problem| warn(problem));
    let unreadable = survey.coverage.as_ref().map_or(0, |coverage| coverage.unreadable);
    if unreadable > 0 && segment.holders.as_deref().is_none_or(<[_]>::is_empty) {
        warn(
            "no holder was found, but some processes cannot be inspected: run as root to see the types that they \
             use",
        );
    }
    if types.is_empty() {
        warn(&format!(
            "no known type fits {}. Name one: shmlens dump {} --as TYPE, or [[layout]] in the config",
            segment.id.short(),
            segment.id.short()
        ));
        return Ok(Status::Failed);
    }
    Ok(Status::Success)
}

fn table(found: &[Candidate]) -> Table {
    let column = |title, right| Column { title, right };
    let mut table = Table::new(vec![
        column("TYPE", false),
        column("OFFSET", true),
        column("SIZE", true),
        column("COUNT", true),
        column("CERTAIN", false),
        column("EVIDENCE", false),
    ]);
    for candidate in found {
        table.cell(Tint::Plain, format_args!("{}", quote(candidate.name.as_bytes())));
        table.cell(Tint::Plain, format_args!("{}", candidate.offset));
        table.cell(Tint::Plain, format_args!("{}", candidate.size));
        table.cell(Tint::Plain, format_args!("{}", candidate.count));
        table.cell(Tint::Plain, format_args!("{}", if candidate.certain { "yes" } else { "no" }));
        table.cell(Tint::Plain, format_args!("{}", candidate.evidence.join("; ")));
    }
    table
}
