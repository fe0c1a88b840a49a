//! Long work: how far it is, and how to stop it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Which way to look from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards the end.
    Forward,
    /// Towards the beginning.
    Backward,
}

/// Shared between who does long work and who waits for it.
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: Arc<AtomicBool>,
    done: AtomicU64,
    total: AtomicU64,
    /// The number of the current item, the number of items, and the item in words.
    item: Mutex<(usize, usize, String)>,
    cut_short: AtomicBool,
}

impl Progress {
    /// Nothing done of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop. It does so within a few milliseconds, and ends
    /// as if there were nothing more to find.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// The flag that [`Progress::cancel`] sets, for work that outlives a borrow.
    #[must_use]
    pub fn cancellation(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// How many bytes are done; holes count too.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// How many bytes there are in all; 0 before the work has begun.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Begins: so many bytes to do, none done.
    pub fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.cut_short.store(false, Ordering::Relaxed);
    }

    /// Notes that the segment ended before the work did: it has shrunk.
    pub fn cut_short(&self) {
        self.cut_short.store(true, Ordering::Relaxed);
    }

    /// Whether the segment ended before the work did.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    /// So many bytes are done by now.
    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// Begins the next item of several; `what` names it.
    pub fn next_item(&self, item: usize, items: usize, what: String) {
        self.begin(0);
        *self.item.lock().unwrap_or_else(PoisonError::into_inner) = (item, items, what);
    }

    /// The number of the current item, the number of items, and the item in words.
    #[must_use]
    pub fn item(&self) -> (usize, usize, String) {
        self.item.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
