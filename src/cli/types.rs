//! `types`: lists the types that fit a segment, with the evidence.

use super::args::TypesArgs;
use super::choose::choose;
use super::decoded::{Snapshot, read_exactly, size_of};
use super::out::{Out, warn};
use super::style::Tint;
use super::table::{Column, Table};
use super::{Failure, Status, survey_named};
use crate::config::layout::LayoutRule;
use crate::decode::declaration::read_header;
use crate::decode::layouts::{Layout, fitting};
use crate::decode::{Type, TypeSource};
use crate::identify::semaphore::is_semaphore;
use crate::machine::{Machine, Trace};
use crate::memory::{Reader, WriteLeases};
use crate::segment::{Segment, quote};
use serde::Serialize;
use std::io::Write as _;

const VERSION: u32 = 1;

/// A type that fits.
#[derive(Debug, Serialize)]
pub struct Candidate {
    /// As for `dump --as`.
    #[serde(rename = "type")]
    pub name: String,
    pub offset: u64,
    pub size: u64,
    pub count: u64,
    pub certain: bool,
    source: &'static str,
    pub evidence: Vec<String>,
    #[serde(skip)]
    ty: Type,
    #[serde(skip)]
    layout: Option<Layout>,
}

#[derive(Serialize)]
struct TypesJson<'a> {
    version: u32,
    segment: String,
    types: &'a [Candidate],
}

pub fn run(
    machine: &dyn Machine,
    layouts: &[LayoutRule],
    args: &TypesArgs,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = survey_named(machine, [args.segment.as_os_str()], None);
    let segment = choose(machine, &survey, &args.segment)?;
    let reader = Reader::open(machine, segment)?;
    let found = candidates(&reader, segment, layouts)?;
    let id = segment.id.to_string();
    if args.json {
        serde_json::to_writer(&mut *out, &TypesJson { version: VERSION, segment: id, types: &found })
            .map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    } else if !found.is_empty() {
        table(&found).print(true, out)?;
    }
    out.flush()?;
    if found.is_empty() {
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

/// Returns the types that fit, best first: the user's own come before those of the contents.
fn candidates(reader: &Reader, segment: &Segment, layouts: &[LayoutRule]) -> Result<Vec<Candidate>, Failure> {
    let size = size_of(reader)?;
    let peek = |offset: u64, into: &mut [u8]| read_exactly(reader, offset, into);
    let mut found: Vec<Candidate> = layouts
        .iter()
        .filter(|rule| names(segment).iter().any(|name| rule.matches(name)))
        .filter_map(|rule| of_rule(rule, &peek, size))
        .collect();
    let fits = fitting(&peek, size, is_semaphore(segment));
    found.extend(fits.into_iter().map(|fit| Candidate {
        layout: Layout::from_word(&fit.name),
        name: fit.name,
        offset: fit.offset,
        size: fit.built.ty.size(),
        count: fit.built.count,
        certain: fit.built.is_certain,
        source: "contents",
        evidence: vec![fit.built.evidence],
        ty: fit.built.ty,
    }));
    found.sort_by_key(|candidate| !candidate.certain);
    Ok(found)
}

/// The names of a segment that a rule may match.
fn names(segment: &Segment) -> Vec<Vec<u8>> {
    let name = segment.posix_name().map(|name| name.as_bytes().to_vec());
    let key = segment.sysv().filter(|facts| !facts.key.is_private()).map(|facts| facts.key);
    let keys = key.into_iter().flat_map(|key| [key.to_string(), key.0.to_string()]);
    name.into_iter().chain(keys.map(String::into_bytes)).collect()
}

/// The type of a rule of the config; `None` if the segment does not have its layout.
fn of_rule(rule: &LayoutRule, peek: &dyn Fn(u64, &mut [u8]) -> bool, size: u64) -> Option<Candidate> {
    let matches = format!("the name matches '{}' in the config", quote(rule.name.as_bytes()));
    let candidate = |ty: Type, layout, offset, count, certain, evidence| Candidate {
        name: rule.ty.clone(),
        offset,
        size: ty.size(),
        count,
        certain,
        source: "config",
        evidence,
        ty,
        layout,
    };
    // The config was checked when it was read; its headers may have changed since.
    match TypeSource::parse(&rule.ty, &read_header).ok()? {
        TypeSource::Layout(layout) => {
            let built = layout.build(&peek, size).ok()?;
            let evidence = vec![matches, built.evidence];
            Some(candidate(built.ty, Some(layout), 0, built.count, built.is_certain, evidence))
        }
        TypeSource::Fixed(placed) => {
            let offset = placed.offset.unwrap_or(0);
            let left = size.saturating_sub(offset);
            let whole = left / placed.ty.size().max(1);
            let count = if placed.offset.is_some() { whole.min(1) } else { whole };
            let mut evidence = vec![matches];
            if whole == 0 {
                evidence.push(format!(
                    "the type takes {} bytes, of which the segment has {left}",
                    placed.ty.size()
                ));
            }
            Some(candidate(placed.ty, None, offset, count, whole > 0, evidence))
        }
    }
}

/// The value of the best type, if that is certain, and reading leaves no trace and breaks no lease.
pub fn certain_value(
    machine: &dyn Machine,
    segment: &Segment,
    layouts: &[LayoutRule],
) -> Option<(Candidate, Snapshot)> {
    let reader = Reader::open_unleased(machine, segment, &mut WriteLeases::default()).ok()?;
    if reader.trace() != Trace::None {
        return None;
    }
    let best = candidates(&reader, segment, layouts).ok()?.into_iter().next().filter(|best| best.certain)?;
    let snapshot = match best.layout {
        Some(layout) => Snapshot::of_layout(&reader, layout),
        None => Snapshot::of_type(&reader, &best.name, best.offset, &best.ty),
    };
    Some((best, snapshot.ok()?))
}
