//! Every action on real segments, verified with the kernel and system tools instead of the
//! program's own survey.

mod access;
mod cli;
mod create;
mod permissions;
mod predict;
mod races;
mod remove;

use nix::unistd::geteuid;
use shmlens::act::{self, ActError, Action, Copying, Done, ModeChange, Options, Plan};
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Mode, Segment, SegmentId};
use shmlens::survey::{Names, Survey};

const FORCE: Options = Options { force: true, read_only: false, many: false, links_removed: 0, clean: false };
const REMOVE: Action = Action::Remove(Copying::Without);

/// Returns the segment from a new survey.
#[track_caller]
fn shown(id: &SegmentId) -> Segment {
    let survey = Survey::take(&RealMachine, &mut Names::default());
    survey.segments.into_iter().find(|segment| segment.id == *id).unwrap_or_else(|| panic!("no {id}"))
}

#[track_caller]
fn planned(id: &SegmentId, action: &Action) -> Plan {
    act::plan(&RealMachine, &shown(id), action, &FORCE)
}

/// Plans and applies the action as the user of this thread.
#[track_caller]
fn carry_out(id: &SegmentId, action: &Action) -> Result<Done, ActError> {
    act::apply(&RealMachine, &planned(id, action)).result
}

fn to(mode: u32) -> Action {
    Action::SetMode(ModeChange::to(Mode::new(mode)))
}

fn am_root() -> bool {
    geteuid().is_root()
}
