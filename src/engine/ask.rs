//! Looks up what the user is typing, and the facts about a segment that need access to it. Runs on
//! its own thread, since the user database may be remote.

use super::report::{Body, Report};
use super::worker::{Job, Worker};
use super::{Clock, Request};
use crate::act::Question;
use crate::identify::about::Probe;
use crate::machine::Machine;
use crate::segment::Segment;

/// The worker that answers questions.
#[derive(Default)]
pub struct Ask {
    /// The latest question of each kind.
    questions: Vec<Question>,
    /// The last segment to probe, and those related to it.
    probe: Option<(Box<Segment>, Vec<Segment>)>,
}

impl Worker for Ask {
    fn handle(&mut self, _: &dyn Machine, _: Clock, job: Job) -> Vec<Report> {
        match job.request {
            Request::Ask(question) => {
                self.questions.retain(|before| !question.replaces(before));
                self.questions.push(question);
            }
            Request::Probe(segment, related) => self.probe = Some((segment, related)),
            _ => {}
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        (!self.questions.is_empty() || self.probe.is_some()).then_some(Clock::ZERO)
    }

    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        let answer = |question: Question| {
            let answer = question.ask(machine);
            Report::new(now, Body::Answered(question, answer))
        };
        let mut reports: Vec<Report> = self.questions.drain(..).map(answer).collect();
        reports.extend(self.probe.take().map(|(segment, related)| {
            let probe = Probe::check(machine, &segment, &related.iter().collect::<Vec<_>>(), &[]);
            Report::new(now, Body::Probed(segment.id, probe))
        }));
        reports
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::Answer;
    use crate::machine::fake::FakeMachine;

    #[test]
    fn only_the_last_question_of_a_kind_is_answered() {
        let (machine, mut ask) = (FakeMachine::new(), Ask::default());
        assert_eq!(ask.deadline(), None);
        let mut send = |question| {
            let job = Job::new(Request::Ask(question));
            assert!(ask.handle(&machine, Clock::ZERO, job).is_empty());
        };
        for text in ["a", "an", "ann"] {
            send(Question::User(text.to_owned()));
        }
        send(Question::Group("bob".to_owned()));
        assert_eq!(ask.deadline(), Some(Clock::ZERO));
        let bodies: Vec<Body> =
            ask.work(&machine, Clock::ZERO).into_iter().map(|report| report.body).collect();
        let [
            Body::Answered(Question::User(user), Answer::Number(Ok((1000, _)))),
            Body::Answered(Question::Group(_), Answer::Number(Ok((1001, _)))),
        ] = bodies.as_slice()
        else {
            panic!("{bodies:?}");
        };
        assert_eq!((user.as_str(), ask.deadline()), ("ann", None));
    }
}
