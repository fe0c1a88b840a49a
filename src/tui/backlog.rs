//! Limits how many keys wait for the loop. A terminal can send them faster than
//! they are handled (`yes` in its input, a paste without bracketed paste), and
//! the queue of the loop has no limit of its own.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The most input events that wait at once. More than anybody types ahead.
const MOST: usize = 1024;

/// Counts the input events that wait for the loop.
#[derive(Debug, Clone, Default)]
pub struct Backlog(Arc<(Mutex<usize>, Condvar)>);

/// The place of one event in the backlog. Dropping it makes room.
#[derive(Debug)]
pub struct Slot(Backlog);

impl Backlog {
    /// Takes a place. Blocks while there is none.
    pub fn enter(&self) -> Slot {
        let (waiting, room) = &*self.0;
        let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting =
            room.wait_while(waiting, |waiting| *waiting >= MOST).unwrap_or_else(PoisonError::into_inner);
        *waiting += 1;
        Slot(self.clone())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (waiting, room) = &*self.0.0;
        *waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_full_backlog_blocks_until_an_event_is_handled() {
        let backlog = Backlog::default();
        let mut slots: Vec<Slot> = (0..MOST).map(|_| backlog.enter()).collect();
        let (entered, seen) = mpsc::channel();
        let one_more = thread::spawn(move || {
            let _slot = backlog.enter();
            entered.send(()).unwrap();
        });
        assert_eq!(seen.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout));
        slots.pop();
        assert_eq!(seen.recv_timeout(Duration::from_secs(10)), Ok(()));
        one_more.join().unwrap();
    }
}
