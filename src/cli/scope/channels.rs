//! Channels on the command line.

use super::ScopeTerms;
use crate::cli::args::ChannelArgs;
use crate::cli::dump::chosen;
use crate::cli::out::warn;
use crate::cli::type_name;
use crate::cli::{Failure, survey_with_unlinked};
use crate::decode::PlacedType;
use crate::identify::typing::read_certain_type;
use crate::machine::Machine;
use crate::memory::Reader;
use crate::scope::Channel;
use crate::scope::text::{Lookup, held_type, resolve};
use crate::segment::{Segment, SegmentId, quote};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;

/// Finds the channels, and prints the full names of segments that were shortened.
pub fn find(machine: &dyn Machine, args: &ChannelArgs, terms: &ScopeTerms) -> Result<Vec<Channel>, Failure> {
    let texts = terms.settings.expand(&args.channels).map_err(|error| Failure::Usage(error.to_string()))?;
    if texts.is_empty() {
        return Err(Failure::Usage(format!("no channels in {}", quote(args.channels.join(" ").as_bytes()))));
    }
    let survey = survey_with_unlinked(machine);
    let types = Types { machine, args, terms, found: RefCell::default() };
    let lookup = Lookup {
        segments: &survey.segments,
        type_of: &|segment| types.of(segment),
        parse_type: &|segment, text| held_type(machine, segment, text, &terms.knowledge),
    };
    let mut channels = vec![];
    for text in &texts {
        let resolved = resolve(text, &lookup)?;
        if let Some(id) = &resolved.completed {
            warn(&format!("'{}' means {}", quote(text.as_bytes()), id.short()));
        }
        channels.push(resolved.channel);
    }
    Ok(channels)
}

/// The types of segments.
struct Types<'a> {
    machine: &'a dyn Machine,
    args: &'a ChannelArgs,
    terms: &'a ScopeTerms,
    found: RefCell<HashMap<SegmentId, Result<Option<PlacedType>, String>>>,
}

impl Types<'_> {
    /// Returns the type of `--as`, or the certain type of a segment.
    fn of(&self, segment: &Segment) -> Result<Option<PlacedType>, String> {
        if let Some(found) = self.found.borrow().get(&segment.id) {
            return found.clone();
        }
        let found = if self.args.kinds.is_empty() { self.certain(segment) } else { self.given(segment) };
        self.found.borrow_mut().insert(segment.id.clone(), found.clone());
        found
    }

    fn given(&self, segment: &Segment) -> Result<Option<PlacedType>, String> {
        let name = OsString::from(segment.id.to_string());
        let types =
            type_name::resolve(self.machine, &name, &self.args.kinds).and_then(|types| chosen(&types));
        let (layout, placed) = types.map_err(|error| error.to_string())?;
        let Some(layout) = layout else { return Ok(placed) };
        let reader = Reader::open(self.machine, segment).map_err(|error| error.to_string())?;
        let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
        let built = layout.build(&peek, reader.size().unwrap_or(segment.size.0));
        built
            .map(|built| Some(PlacedType { ty: built.ty, offset: Some(0) }))
            .map_err(|error| error.to_string())
    }

    fn certain(&self, segment: &Segment) -> Result<Option<PlacedType>, String> {
        read_certain_type(self.machine, segment, &self.terms.knowledge).map_err(|error| error.to_string())
    }
}
