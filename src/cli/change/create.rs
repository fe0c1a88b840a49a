//! `create`: makes a segment.

use super::log::Log;
use super::tell::Teller;
use crate::act::{self, NewSegment, Options, Source};
use crate::cli::args::{CreateArgs, CreateKind, NewArgs};
use crate::cli::out::Out;
use crate::cli::{Failure, Status};
use crate::machine::Machine;
use crate::machine::control::NewSysv;
use crate::segment::{Bytes, Key, ObjectName, escape, plain_error, quote};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

pub fn run(
    machine: &dyn Machine,
    args: &CreateArgs,
    options: Options,
    log: &Log,
    out: &mut Out,
) -> Result<Status, Failure> {
    let (new, tell) = match &args.kind {
        CreateKind::Sysv(args) => {
            let sysv = NewSysv {
                key: args.key.unwrap_or(Key(0)),
                size: size(&args.new)?,
                mode: args.new.mode,
                huge: args.huge,
                no_reserve: args.no_reserve,
            };
            (NewSegment::Sysv(sysv, source(&args.new)), args.new.tell)
        }
        CreateKind::Posix(args) => {
            let new = NewSegment::Posix {
                name: name(&args.name)?,
                size: size(&args.new)?,
                mode: args.new.mode,
                source: source(&args.new),
            };
            (new, args.new.tell)
        }
    };
    let mut teller = Teller::new("create", tell, out);
    let plan = act::plan_create(machine, &new, &options);
    super::carry_out(machine, &plan, log, &mut teller)?;
    Ok(teller.status())
}

/// The size that is given, or that of the file.
fn size(new: &NewArgs) -> Result<Bytes, Failure> {
    match (new.size, &new.from) {
        (Some(size), _) => Ok(size),
        (None, Some(path)) => fs::metadata(path).map(|facts| Bytes(facts.len())).map_err(|error| {
            Failure::Usage(format!(
                "{} cannot be read: {}",
                escape(path.as_os_str().as_bytes()),
                plain_error(&error)
            ))
        }),
        (None, None) => Err(Failure::Usage("give a --size, or a file with --from".to_owned())),
    }
}

fn source(new: &NewArgs) -> Source {
    new.from.clone().map_or(Source::Nothing, Source::File)
}

fn name(text: &OsStr) -> Result<ObjectName, Failure> {
    ObjectName::from_text(text.as_bytes()).ok_or_else(|| {
        Failure::Usage(format!("invalid name '{}' for a POSIX segment", quote(text.as_bytes())))
    })
}
