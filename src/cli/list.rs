//! `list`: prints the table of all segments as text, CSV or JSON.

use super::args::ListArgs;
use super::out::Out;
use super::style::Tint;
use super::table::{Column, Table};
use super::text::{FieldText, is_figure};
use super::{
    Failure, Status, json, note_unknown, survey_quickly, survey_segments, survey_segments_without_resident,
};
use crate::identify::Rules;
use crate::machine::Machine;
use crate::segment::field::Field;
use crate::segment::filter::Filter;
use crate::segment::{Segment, Timestamp};
use std::io::{self, Write as _};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnContent {
    /// The name, or the shmid and the key.
    Label,
    Field(Field),
}

/// The default columns, as in the terminal UI.
const DEFAULT_COLUMNS: [ColumnContent; 10] = [
    ColumnContent::Field(Field::Kind),
    ColumnContent::Label,
    ColumnContent::Field(Field::Size),
    ColumnContent::Field(Field::Resident),
    ColumnContent::Field(Field::Mode),
    ColumnContent::Field(Field::Owner),
    ColumnContent::Field(Field::Holders),
    ColumnContent::Field(Field::MadeBy),
    ColumnContent::Field(Field::Age),
    ColumnContent::Field(Field::State),
];

/// Prints the segments that match the filter. Finding none is a success, but failing to list a kind
/// of segment is not.
pub fn run(machine: &dyn Machine, rules: Rules, args: &ListArgs, out: &mut Out) -> Result<Status, Failure> {
    let mut words = args.filter.clone();
    words.extend(args.leaked.then(|| "leaked".to_owned()));
    let filter = Filter::from_words(&words)?;
    let survey = if requires(args, &filter, Field::is_judged) {
        survey_quickly(machine, args.settle.over(rules))
    } else if requires(args, &filter, Field::is_of_memory) {
        survey_segments(machine)
    } else {
        survey_segments_without_resident(machine)
    };
    let mut segments: Vec<&Segment> =
        survey.segments.iter().filter(|segment| filter.matches(segment, survey.at)).collect();
    if segments.is_empty() {
        note_unknown(machine, &filter);
    }
    if let Some(sort) = args.sort {
        sort.field.sort(&mut segments, sort.reversed, survey.at, |segment| segment);
    }
    if args.reverse {
        segments.reverse();
    }
    if args.json {
        json::write(machine, &survey, &segments, json::Inside::default(), out)?;
    } else if args.csv {
        print_csv(&segments, args, survey.at, out)?;
    } else {
        print_table(&segments, args, survey.at, out)?;
    }
    out.flush()?;
    Ok(if survey.failed.is_empty() { Status::Success } else { Status::Failed })
}

/// Returns true if the columns, the order or the filter use a field that `matches` accepts.
/// Collecting everything takes ten times as long, so unused data is left out.
fn requires(args: &ListArgs, filter: &Filter, matches: fn(Field) -> bool) -> bool {
    args.json
        || args.columns.is_empty()
        || args.columns.iter().any(|&field| matches(field))
        || args.sort.is_some_and(|sort| matches(sort.field))
        || filter.requires(matches)
}

fn print_table(segments: &[&Segment], args: &ListArgs, now: Timestamp, out: &mut Out) -> io::Result<()> {
    let columns: Vec<ColumnContent> = if args.columns.is_empty() {
        DEFAULT_COLUMNS.to_vec()
    } else {
        args.columns.iter().copied().map(ColumnContent::Field).collect()
    };
    let mut table = Table::new(columns.iter().map(|&shows| column(shows)).collect());
    let style = out.style();
    for segment in segments {
        for &shows in &columns {
            match shows {
                ColumnContent::Label => table.cell(
                    Tint::Plain,
                    format_args!("{}{}", style.fit(&segment.label()), segment.label_mark()),
                ),
                ColumnContent::Field(field) => {
                    let shown = FieldText { segment, field, now, bytes: args.bytes };
                    let tint =
                        if field == Field::State { Tint::of(segment.verdict.state) } else { Tint::Plain };
                    if style.ascii {
                        table.cell(tint, format_args!("{}", style.fit(&shown.to_string())));
                    } else {
                        table.cell(tint, format_args!("{shown}"));
                    }
                }
            }
        }
    }
    table.print(!args.no_header, out)
}

const fn column(shows: ColumnContent) -> Column {
    match shows {
        ColumnContent::Label => Column { title: "NAME OR KEY", right: false },
        ColumnContent::Field(field) => Column { title: field.title(), right: is_figure(field) },
    }
}

fn print_csv(segments: &[&Segment], args: &ListArgs, now: Timestamp, out: &mut Out) -> io::Result<()> {
    // The CSV column `holders` contains names; pids are included only on request.
    let all = || Field::columns().filter(|&field| field != Field::Pid).collect();
    let fields = if args.columns.is_empty() { &all() } else { &args.columns };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    if !args.no_header {
        writer.write_record(fields.iter().map(|field| field.name())).map_err(csv_error)?;
    }
    for segment in segments {
        let record = fields.iter().map(|&field| field.of(segment, now).to_string());
        writer.write_record(record).map_err(csv_error)?;
    }
    writer.flush()
}

/// Unwraps I/O errors, so that a closed pipe is still recognized.
fn csv_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
