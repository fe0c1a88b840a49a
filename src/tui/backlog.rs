//! Limits the number of queued input events. A terminal can send keys faster than they are handled
//! (`yes` as input, a paste without bracketed paste), and the channel to the event loop is
//! unbounded.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Maximum number of queued events, more than any user types ahead.
const MAX_QUEUED: usize = 1024;

/// The number of queued input events.
#[derive(Debug, Clone, Default)]
pub struct Backlog(Arc<(Mutex<usize>, Condvar)>);

/// A slot in the queue. Dropping it frees the slot.
#[derive(Debug)]
pub struct Slot(Backlog);

impl Backlog {
    /// Reserves a slot. Blocks while the queue is full.
    pub fn enter(&self) -> Slot {
        let (waiting, not_full) = &*self.0;
        let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = not_full
            .wait_while(waiting, |waiting| *waiting >= MAX_QUEUED)
            .unwrap_or_else(PoisonError::into_inner);
        *waiting += 1;
        Slot(self.clone())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (waiting, not_full) = &*self.0.0;
        *waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        not_full.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn full_backlog_blocks_until_an_event_is_handled() {
        let backlog = Backlog::default();
        let mut slots: Vec<Slot> = (0..MAX_QUEUED).map(|_| backlog.enter()).collect();
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
