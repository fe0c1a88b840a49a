//! The workers: what may take long or block is done on threads of their own,
//! so that the loop always answers.

mod act;
mod ask;
mod open;
mod preview;
mod search;
mod survey;
mod view;

pub use act::{Doer, Order as ActOrder};
pub use ask::Asker;
pub use survey::{Order as SurveyOrder, Surveyor};
pub use view::{Order as ViewOrder, Viewer};

use super::message::Message;
use crate::app::Event;
use crate::app::event::Clock;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

/// Somebody who takes orders and reports events. Knows no thread and no
/// clock, so that tests drive it step by step.
pub trait Worker {
    /// What it can be told to do.
    type Order;

    /// Takes an order. What is slow and may be overtaken by the next order is
    /// left for [`Worker::work`].
    fn handle(&mut self, now: Clock, order: Self::Order) -> Vec<Event>;

    /// When it has something to do by itself; `None`: not before the next order.
    fn deadline(&self) -> Option<Clock>;

    /// Does what is due.
    fn work(&mut self, now: Clock) -> Vec<Event>;
}

/// The clock of the program: starts with it.
#[derive(Debug, Clone, Copy)]
pub struct Began(Instant);

impl Began {
    /// The program begins now.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// How long ago it began.
    pub fn clock(self) -> Clock {
        self.0.elapsed()
    }
}

/// Lets a worker do its orders until nobody can give it any, or nobody wants
/// to hear of it. Sleeps while there is nothing to do.
pub fn drive<W: Worker>(
    worker: &mut W,
    began: Began,
    orders: &Receiver<W::Order>,
    messages: &Sender<Message>,
) {
    let report = |events: Vec<Event>| events.into_iter().all(|event| messages.send(event.into()).is_ok());
    loop {
        let order = match worker.deadline() {
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => orders.recv_timeout(due.saturating_sub(began.clock())),
        };
        let mut order = match order {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // All orders first: of a row of them often only the last matters.
        while let Some(next) = order {
            if !report(worker.handle(began.clock(), next)) {
                return;
            }
            order = orders.try_recv().ok();
        }
        let now = began.clock();
        if worker.deadline().is_some_and(|due| due <= now) && !report(worker.work(now)) {
            return;
        }
    }
}

/// Starts a thread. If it panics, the loop is told and ends the program; the
/// panic hook has left the terminal and said why by then.
pub fn spawn(
    name: &str,
    messages: Sender<Message>,
    run: impl FnOnce(&Sender<Message>) + Send + 'static,
) -> io::Result<()> {
    struct Alarm(Sender<Message>);
    impl Drop for Alarm {
        fn drop(&mut self) {
            if thread::panicking() {
                // When nobody listens any more, the program is ending anyway.
                let _ = self.0.send(Message::Panicked);
            }
        }
    }
    thread::Builder::new().name(name.into()).spawn(move || {
        let alarm = Alarm(messages);
        run(&alarm.0);
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(10);

    /// Notes its orders, and works at the time it was told last.
    #[derive(Default)]
    struct Clerk {
        due: Option<Clock>,
        worked: usize,
    }

    impl Worker for Clerk {
        type Order = Clock;

        fn handle(&mut self, _: Clock, order: Clock) -> Vec<Event> {
            self.due = Some(order);
            vec![]
        }

        fn deadline(&self) -> Option<Clock> {
            self.due
        }

        fn work(&mut self, _: Clock) -> Vec<Event> {
            self.due = None;
            self.worked += 1;
            vec![Event::Tick]
        }
    }

    #[test]
    fn orders_are_taken_before_work_is_done_and_the_end_is_the_end() {
        let (order, orders) = mpsc::channel();
        let (messages, inbox) = mpsc::channel();
        for _ in 0..5 {
            order.send(Duration::ZERO).unwrap();
        }
        drop(order);
        let mut clerk = Clerk::default();
        drive(&mut clerk, Began::now(), &orders, &messages);
        assert_eq!(clerk.worked, 1, "five orders of which the last counts");
        assert!(matches!(inbox.try_recv(), Ok(Message::Event(Event::Tick))));
    }

    #[test]
    fn a_deadline_wakes_it() {
        let (order, orders) = mpsc::channel();
        let (messages, inbox) = mpsc::channel();
        spawn("clerk", messages, move |messages| {
            drive(&mut Clerk::default(), Began::now(), &orders, messages);
        })
        .unwrap();
        order.send(Duration::from_millis(20)).unwrap();
        assert!(matches!(inbox.recv_timeout(LONG), Ok(Message::Event(Event::Tick))));
        drop(order);
        assert!(matches!(inbox.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected)));
    }

    #[test]
    fn a_panic_is_told() {
        let (messages, inbox) = mpsc::channel();
        spawn("unlucky", messages, |_| panic!("on purpose")).unwrap();
        assert!(matches!(inbox.recv_timeout(LONG), Ok(Message::Panicked)));
    }
}
