//! The readers of subscriptions, shared with the worker that searches them.

use crate::engine::SubscriptionId;
use crate::memory::{Progress, Reader};
use crate::segment::SegmentId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The open readers.
#[derive(Clone, Default)]
pub struct Readers(Arc<Mutex<BTreeMap<SubscriptionId, Lent>>>);

struct Lent {
    reader: Reader,
    /// The search that uses a clone of the reader.
    search: Arc<Progress>,
}

impl Readers {
    /// Adds the reader of a new subscription.
    pub fn add(&self, subscription: SubscriptionId, reader: Reader) {
        self.lock().insert(subscription, Lent { reader, search: Arc::default() });
    }

    /// Returns a reader of a segment that any subscription has open.
    pub fn of(&self, segment: &SegmentId) -> Option<Reader> {
        self.lock().values().map(|lent| &lent.reader).find(|reader| reader.id() == segment).cloned()
    }

    /// Removes the reader of an ending subscription and cancels its search, which releases the
    /// segment within milliseconds.
    pub fn remove(&self, subscription: SubscriptionId) {
        if let Some(lent) = self.lock().remove(&subscription) {
            lent.search.cancel();
        }
    }

    /// Returns the reader of a subscription for a search.
    pub fn lend(&self, subscription: SubscriptionId, search: &Arc<Progress>) -> Option<Reader> {
        let mut all = self.lock();
        let lent = all.get_mut(&subscription)?;
        lent.search = Arc::clone(search);
        Some(lent.reader.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SubscriptionId, Lent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
