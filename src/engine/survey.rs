//! Surveys the machine: at an interval, or only on request.

use super::holders::LatestScan;
use super::pace::Pace;
use super::report::{Body, Report};
use super::worker::{Job, Worker};
use super::{Clock, Request};
use crate::act::recover;
use crate::identify::Identifier;
use crate::machine::Machine;
use crate::survey::Names;
use std::time::Duration;

pub struct SurveyWorker {
    latest: LatestScan,
    identifier: Identifier,
    names: Names,
    pace: Pace,
}

impl SurveyWorker {
    /// Reads the holders from `latest`. Surveys on request only until it gets an interval.
    pub fn new(latest: LatestScan, identifier: Identifier) -> Self {
        Self { latest, identifier, names: Names::default(), pace: Pace::new(None, 2) }
    }
}

impl Worker for SurveyWorker {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        match job.request {
            Request::Survey => self.pace.request(Clock::ZERO),
            Request::SurveyEvery(every) => self.pace.every = every,
            _ => {}
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        self.pace.due()
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        self.pace.start(now);
        let holdings = self.latest.last();
        let mut survey = self.identifier.survey(machine, holdings.as_deref(), &mut self.names);
        let renamed = recover::find_renamed(machine, &survey.segments, survey.at);
        survey.problems.extend(renamed.iter().map(recover::RenamedObject::notice));
        vec![Report::new(now, Body::Surveyed(Box::new(survey)))]
    }

    fn took(&mut self, time: Duration) {
        self.pace.add_duration(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::State;

    const SECOND: Duration = Duration::from_secs(1);

    fn worker() -> SurveyWorker {
        SurveyWorker::new(LatestScan::default(), Identifier::default())
    }

    fn send(worker: &mut SurveyWorker, request: Request) {
        let job = Job::new(request);
        assert!(worker.handle(&FakeMachine::new(), Clock::ZERO, job).is_empty());
    }

    #[test]
    fn survey_runs_at_once_at_each_interval_and_on_request() {
        let (machine, mut surveyor) = (FakeMachine::new(), worker());
        assert_eq!(surveyor.deadline(), None);
        send(&mut surveyor, Request::SurveyEvery(Some(SECOND)));
        assert_eq!(surveyor.deadline(), Some(Clock::ZERO));
        assert_eq!(surveyor.work(&machine, 5 * SECOND).len(), 1);
        assert_eq!(surveyor.deadline(), Some(6 * SECOND));
        send(&mut surveyor, Request::Survey);
        assert_eq!(surveyor.deadline(), Some(Clock::ZERO));
        surveyor.work(&machine, 5 * SECOND + SECOND / 2);
        assert_eq!(surveyor.deadline(), Some(6 * SECOND + SECOND / 2));
    }

    #[test]
    fn survey_without_an_interval_runs_only_on_request() {
        let (machine, mut surveyor) = (FakeMachine::new(), worker());
        send(&mut surveyor, Request::SurveyEvery(Some(SECOND)));
        surveyor.work(&machine, Clock::ZERO);
        send(&mut surveyor, Request::SurveyEvery(None));
        assert_eq!(surveyor.deadline(), None);
        send(&mut surveyor, Request::Survey);
        surveyor.work(&machine, SECOND);
        assert_eq!(surveyor.deadline(), None);
    }

    #[test]
    fn slow_survey_runs_less_often() {
        let (machine, mut surveyor) = (FakeMachine::new(), worker());
        send(&mut surveyor, Request::SurveyEvery(Some(SECOND)));
        surveyor.work(&machine, SECOND);
        surveyor.took(3 * SECOND);
        assert_eq!(surveyor.deadline(), Some(7 * SECOND));
    }

    #[test]
    fn survey_reports_interrupted_removals() {
        let machine = FakeMachine::new();
        machine.edit(|facts| facts.effective_uid = 1000);
        machine.add_object("shmlens-removing-0123456789abcdef-camera0", FakeBytes::hole(1));
        let events = worker().work(&machine, Clock::ZERO);
        let [Report { body: Body::Surveyed(survey), .. }] = &events[..] else { panic!("{events:?}") };
        let [problem] = &survey.problems[..] else { panic!("{:?}", survey.problems) };
        assert!(
            problem.contains("removal of posix:/camera0") && problem.contains("rm --recover"),
            "{problem}"
        );
    }

    #[test]
    fn survey_has_verdicts() {
        let machine = FakeMachine::new();
        let index = machine.add_sysv(1, 0, FakeBytes::hole(1));
        machine.edit(|facts| facts.sysv[index].row.nattch = 1);
        let events = worker().work(&machine, Clock::ZERO);
        let [Report { body: Body::Surveyed(survey), .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(survey.segments[0].verdict.state, State::InUse);
    }
}
