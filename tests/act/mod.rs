//! Actions on real segments. The results are verified with the kernel and with system tools,
//! independently of the survey.

mod access;
mod cli;
mod create;
mod permissions;
mod predict;
mod races;
mod remove;

use nix::unistd::geteuid;
use shmlens::act::{self, ActError, Action, ChangeReport, Copying, ModeChange, Options, Plan};
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Mode, Segment, SegmentId};
use shmlens::survey::{Names, Survey};

const FORCE: Options = Options { force: true, read_only: false, bulk: false, links_removed: 0, clean: false };
const REMOVE: Action = Action::Remove(Copying::Without);

/// Surveys the segments and returns the one with this name.
#[track_caller]
fn find_segment(id: &SegmentId) -> Segment {
    let survey = Survey::take(&RealMachine, &mut Names::default());
    survey.segments.into_iter().find(|segment| segment.id == *id).unwrap_or_else(|| panic!("no {id}"))
}

#[track_caller]
fn plan_action(id: &SegmentId, action: &Action) -> Plan {
    act::plan(&RealMachine, &find_segment(id), action, &FORCE)
}

#[track_caller]
fn carry_out(id: &SegmentId, action: &Action) -> Result<ChangeReport, ActError> {
    act::apply(&RealMachine, &plan_action(id, action)).result
}

fn set_mode(mode: u32) -> Action {
    Action::SetMode(ModeChange::to(Mode::new(mode)))
}

fn is_root() -> bool {
    geteuid().is_root()
}
