//! News of segments, from the worker that opens them to the one that samples them.

use crate::engine::Clock;
use crate::scope::EventKind;
use crate::scope::sampler::Memory;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A queue that takes the sampling thread a nanosecond to check.
#[derive(Clone, Default)]
pub struct Exchange(Arc<Shared>);

#[derive(Default)]
struct Shared {
    has_news: AtomicBool,
    news: Mutex<Vec<(u64, News)>>,
}

pub enum News {
    /// A segment, by the index of its plan, was opened, or closed with `None`.
    Memory(usize, Option<Vec<Box<dyn Memory>>>),
    /// A channel changed.
    Event(Clock, usize, EventKind),
    /// All segments were looked for.
    Ready,
}

impl Exchange {
    /// Adds news for the request of this number.
    pub fn send(&self, request: u64, news: News) {
        self.lock().push((request, news));
        self.0.has_news.store(true, Ordering::Release);
    }

    /// Takes the news for a request, and drops those for earlier ones.
    pub fn take(&self, request: u64) -> Vec<News> {
        if !self.0.has_news.load(Ordering::Acquire) {
            return vec![];
        }
        let mut news = self.lock();
        // Those for a later request stay until that is here.
        let (now, later): (Vec<_>, Vec<_>) = news.drain(..).partition(|(number, _)| *number <= request);
        self.0.has_news.store(!later.is_empty(), Ordering::Release);
        *news = later;
        drop(news);
        now.into_iter().filter(|(number, _)| *number == request).map(|(_, news)| news).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, News)>> {
        self.0.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_reach_their_request_only() {
        let exchange = Exchange::default();
        for request in [1, 2, 3] {
            exchange.send(request, News::Ready);
        }
        assert_eq!([2, 2, 3, 3].map(|request| exchange.take(request).len()), [1, 0, 1, 0]);
    }
}
