//! Progress and cancellation of long work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The direction of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Toward the end.
    Forward,
    /// Toward the start.
    Backward,
}

/// The progress of long work, shared by the thread that works and those that wait.
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: Arc<AtomicBool>,
    done: AtomicU64,
    total: AtomicU64,
    /// The number of the current item, the number of items, and the current item's description.
    item: Mutex<(usize, usize, String)>,
    cut_short: AtomicBool,
}

impl Progress {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the work, which stops within a few milliseconds as if nothing were left to find.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Returns the flag that [`Progress::cancel`] sets, for work that outlives a borrow.
    #[must_use]
    pub fn cancellation(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Returns the number of bytes done, including holes.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Returns the total number of bytes; 0 before the work has started.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Starts work on `total` bytes.
    pub fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.cut_short.store(false, Ordering::Relaxed);
    }

    /// Records that the segment shrank and ended before the work did.
    pub fn cut_short(&self) {
        self.cut_short.store(true, Ordering::Relaxed);
    }

    /// Returns true if the segment ended before the work did.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// Starts the next of several items; `what` describes it.
    pub fn next_item(&self, item: usize, items: usize, what: String) {
        self.begin(0);
        *self.item.lock().unwrap_or_else(PoisonError::into_inner) = (item, items, what);
    }

    /// Returns the number of the current item, the number of items, and its description.
    #[must_use]
    pub fn item(&self) -> (usize, usize, String) {
        self.item.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
