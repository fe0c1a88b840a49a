//! Samples on their way to the caller.

use crate::scope::Batch;
use std::ops::Deref;
use std::sync::Arc;

/// Deliveries that may wait for the caller. Further ticks are missed, so that a caller that does not
/// keep up does not fill the memory.
pub const MAX_WAITING: usize = 64;

/// A batch that the caller has not used yet.
#[derive(Debug)]
pub struct Delivery {
    /// The number of the request.
    pub number: u64,
    batch: Box<Batch>,
    _waiting: Arc<()>,
}

/// Counts the batches that wait.
#[derive(Debug, Default)]
pub struct Deliveries(Arc<()>);

impl Deliveries {
    pub fn add(&self, number: u64, batch: Batch) -> Delivery {
        Delivery { number, batch: Box::new(batch), _waiting: Arc::clone(&self.0) }
    }

    /// Returns true if the caller has to use some first.
    pub fn are_full(&self) -> bool {
        Arc::strong_count(&self.0) > MAX_WAITING
    }
}

impl Delivery {
    /// Takes the batch out, which then no longer counts as waiting.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        *self.batch
    }
}

impl Deref for Delivery {
    type Target = Batch;

    fn deref(&self) -> &Batch {
        &self.batch
    }
}
