//! Channels on the command line.

use super::ScopeTerms;
use crate::cli::args::ChannelArgs;
use crate::cli::dump::chosen;
use crate::cli::out::warn;
use crate::cli::type_name;
use crate::cli::{Failure, survey_with_unlinked};
use crate::decode::PlacedType;
use crate::identify::typing::read_placed_type;
use crate::machine::Machine;
use crate::memory::Reader;
use crate::scope::Channel;
use crate::scope::text::{
    ChannelError, Lookup, Resolved, ResolvedSignal, SegmentTypes, Signal, TypeResult, resolve, resolve_signal,
};
use crate::segment::{Segment, SegmentId, quote};
use std::ffi::OsString;

/// Finds the channels, and prints the full names of segments that were shortened.
pub fn find(machine: &dyn Machine, args: &ChannelArgs, terms: &ScopeTerms) -> Result<Vec<Channel>, Failure> {
    find_with(machine, args, terms, |text, lookup| {
        let Resolved { channel, completed } = resolve(text, lookup)?;
        Ok((channel, completed))
    })
}

/// Finds the channels and arrays.
pub fn find_signals(
    machine: &dyn Machine,
    args: &ChannelArgs,
    terms: &ScopeTerms,
) -> Result<Vec<Signal>, Failure> {
    find_with(machine, args, terms, |text, lookup| {
        let ResolvedSignal { signal, completed } = resolve_signal(text, lookup)?;
        Ok((signal, completed))
    })
}

fn find_with<T>(
    machine: &dyn Machine,
    args: &ChannelArgs,
    terms: &ScopeTerms,
    resolve: impl Fn(&str, &Lookup<'_>) -> Result<(T, Option<SegmentId>), ChannelError>,
) -> Result<Vec<T>, Failure> {
    let texts = terms.settings.expand(&args.channels).map_err(|error| Failure::Usage(error.to_string()))?;
    if texts.is_empty() {
        return Err(Failure::Usage(format!("no channels in {}", quote(args.channels.join(" ").as_bytes()))));
    }
    let survey = survey_with_unlinked(machine);
    let found: Result<Vec<_>, _> = SegmentTypes::default().with(
        (machine, &terms.knowledge),
        &survey.segments,
        |segment| type_of(machine, args, terms, segment),
        |lookup| texts.iter().map(|text| resolve(text, lookup)).collect(),
    );
    let mut channels = vec![];
    for (text, (found, completed)) in texts.iter().zip(found?) {
        if let Some(id) = &completed {
            warn(&format!("'{}' means {}", quote(text.as_bytes()), id.short()));
        }
        channels.push(found);
    }
    Ok(channels)
}

/// Returns the type of `--as`, or that of the segment.
fn type_of(machine: &dyn Machine, args: &ChannelArgs, terms: &ScopeTerms, segment: &Segment) -> TypeResult {
    if args.kinds.is_empty() {
        return read_placed_type(machine, segment, &terms.knowledge);
    }
    let name = OsString::from(segment.id.to_string());
    let types = type_name::resolve(machine, &name, &args.kinds).and_then(|types| chosen(&types));
    let (layout, placed) = types.map_err(|error| error.to_string())?;
    let Some(layout) = layout else { return Ok(placed) };
    let reader = Reader::open(machine, segment).map_err(|error| error.to_string())?;
    let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
    let built = layout.build(&peek, reader.size().unwrap_or(segment.size.0));
    built.map(|built| Some(PlacedType { ty: built.ty, offset: Some(0) })).map_err(|error| error.to_string())
}
