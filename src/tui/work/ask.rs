//! Asks the machine about what is being typed. On a thread of its own: a user
//! database may be far away.

use super::Worker;
use crate::act::Question;
use crate::app::Event;
use crate::app::event::Clock;
use crate::machine::Machine;
use std::sync::Arc;

/// Asks.
pub struct Asker {
    machine: Arc<dyn Machine>,
    /// Of each kind only the last.
    questions: Vec<Question>,
}

impl Asker {
    /// One who asks this machine.
    pub const fn new(machine: Arc<dyn Machine>) -> Self {
        Self { machine, questions: vec![] }
    }
}

impl Worker for Asker {
    type Order = Question;

    fn handle(&mut self, _: Clock, question: Question) -> Vec<Event> {
        self.questions.retain(|before| !question.overtakes(before));
        self.questions.push(question);
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        (!self.questions.is_empty()).then_some(Clock::ZERO)
    }

    fn work(&mut self, _: Clock) -> Vec<Event> {
        let questions = std::mem::take(&mut self.questions);
        let answer = |question: Question| {
            let answer = question.ask(&*self.machine);
            Event::Answered(question, answer)
        };
        questions.into_iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::Answer;
    use crate::machine::made::MadeMachine;

    #[test]
    fn only_the_last_of_what_was_typed_is_asked() {
        let mut asker = Asker::new(Arc::new(MadeMachine::new()));
        assert_eq!(asker.deadline(), None);
        for text in ["a", "an", "ann"] {
            assert!(asker.handle(Clock::ZERO, Question::User(text.to_owned())).is_empty());
        }
        asker.handle(Clock::ZERO, Question::Group("bob".to_owned()));
        assert_eq!(asker.deadline(), Some(Clock::ZERO));
        let events = asker.work(Clock::ZERO);
        let [
            Event::Answered(Question::User(user), Answer::Number(Ok((1000, _)))),
            Event::Answered(Question::Group(_), Answer::Number(Ok((1001, _)))),
        ] = events.as_slice()
        else {
            panic!("{events:?}");
        };
        assert_eq!((user.as_str(), asker.deadline()), ("ann", None));
    }
}
