//! Holders of segments, compared with a crowd of real processes that report what they hold.

mod complete;
mod consistency;
mod ending;
mod found;
mod storm;
mod truth;
mod verdicts;

use crate::support::{Child, compile_cpp};
use shmlens::machine::real::RealMachine;
use shmlens::survey::{Depth, Holdings, Names, Survey};
use std::io::BufReader;
use std::process::Command;
use truth::Truth;

/// A running crowd, and the segments that it holds.
struct Crowd {
    _child: Child,
    truth: Truth,
}

impl Crowd {
    /// Starts this many ordinary processes with this many segments of each kind, and processes that
    /// are hard to see. Requires namespaces of its own. `None` without a compiler.
    fn gather(processes: usize, segments: usize) -> Option<Self> {
        let program = compile_cpp("tests/holders/crowd.cpp")?;
        let arguments = [processes, 20, segments].map(|number| number.to_string());
        let mut child = Child::spawn_piped(Command::new(program).args(arguments).arg("special"));
        let truth = Truth::read(&mut BufReader::new(child.stdout()));
        Some(Self { _child: child, truth })
    }

    /// Returns the process with this role.
    fn pid(&self, role: &str) -> u32 {
        self.truth.roles[role][0]
    }
}

/// Surveys the segments after a full scan of the visible processes.
/// Surveys the machine again while other tests start processes too fast for a complete scan.
fn survey_real() -> (Survey, Holdings) {
    let complete = || Some(survey_once()).filter(|(survey, _)| survey.problems.is_empty());
    (0..10).find_map(|_| complete()).unwrap_or_else(survey_once)
}

fn survey_once() -> (Survey, Holdings) {
    let mut names = Names::default();
    let holdings = Holdings::scan(&RealMachine, Depth::Private, &[], &mut names);
    let mut survey = Survey::take(&RealMachine, &mut names);
    survey.join(&holdings, &RealMachine, &mut names);
    (survey, holdings)
}
