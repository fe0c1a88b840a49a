//! Runs jobs on two threads. The results come out in the order of the jobs.

use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The job whose result is next.
#[derive(Default)]
struct NextJob {
    job: u64,
    /// Set if no more results are needed.
    is_over: bool,
}

/// Runs jobs until `take` returns `None` or `give` breaks, on two threads if `shared` is set.
/// `take` and `give` run in order and never concurrently; `work` runs in parallel. Each thread has
/// its own `S`: `take` stores a job in it, `work` the result.
pub fn in_order<S: Default>(
    shared: bool,
    take: impl FnMut(&mut S) -> bool + Send,
    work: impl Fn(&mut S) + Sync,
    give: impl FnMut(&mut S) -> ControlFlow<()> + Send,
) {
    // The number of the next job; `None` after the last job.
    let source = Mutex::new((Some(0), take));
    let sink = Mutex::new(give);
    let turn = Sequence::default();
    let worker = || {
        let _end = EndOnPanic(&turn);
        let mut state = S::default();
        while let Some(job) = {
            let mut source = lock(&source);
            let (next, take) = &mut *source;
            let job = next.take().filter(|_| !turn.is_finished() && take(&mut state));
            *next = job.map(|job| job + 1);
            job
        } {
            work(&mut state);
            if !turn.wait_for(job) {
                return;
            }
            let done = (lock(&sink))(&mut state).is_break();
            turn.pass(done);
        }
    };
    thread::scope(|scope| {
        if shared {
            // If no second thread can be started, as at the process limit, this one does all jobs.
            let _ = thread::Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
}

#[derive(Default)]
struct Sequence {
    turn: Mutex<NextJob>,
    moved: Condvar,
}

impl Sequence {
    fn is_finished(&self) -> bool {
        lock(&self.turn).is_over
    }

    /// Waits for the turn of a job. Returns false if no more results are needed.
    fn wait_for(&self, job: u64) -> bool {
        let mut turn = lock(&self.turn);
        while turn.job != job && !turn.is_over {
            turn = self.moved.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        !turn.is_over
    }

    fn pass(&self, is_over: bool) {
        let mut turn = lock(&self.turn);
        turn.job += 1;
        turn.is_over |= is_over;
        drop(turn);
        self.moved.notify_all();
    }
}

/// Wakes the other thread when one panics.
struct EndOnPanic<'a>(&'a Sequence);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.pass(true);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(shared: bool, jobs: u64, stop_at: u64) -> Vec<u64> {
        let mut next = 0;
        let mut given = vec![];
        in_order(
            shared,
            |state: &mut u64| {
                *state = next;
                next += 1;
                next <= jobs
            },
            |state| *state *= *state,
            |state| {
                given.push(*state);
                if *state >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        given
    }

    #[test]
    fn results_come_in_order() {
        let all: Vec<u64> = (0..1000).map(|n| n * n).collect();
        for shared in [false, true] {
            assert_eq!(squares(shared, 1000, u64::MAX), all);
            assert_eq!(squares(shared, 1000, 100), all[..=10]);
            assert!(squares(shared, 0, 0).is_empty());
        }
    }

    #[test]
    fn take_is_not_called_again_after_the_last_job() {
        for shared in [false, true] {
            let mut left = Some(100u32);
            in_order(
                shared,
                |(): &mut ()| {
                    left = left.expect("called again").checked_sub(1);
                    left.is_some()
                },
                |()| (),
                |()| ControlFlow::Continue(()),
            );
            assert_eq!(left, None);
        }
    }

    #[test]
    fn panic_wakes_the_other_thread() {
        let panicked = std::panic::catch_unwind(|| {
            let mut next = 0;
            in_order(
                true,
                |state: &mut u64| {
                    next += 1;
                    *state = next;
                    next < 1000
                },
                |state| assert!(*state != 500, "job 500 panics"),
                |_| ControlFlow::Continue(()),
            );
        });
        assert!(panicked.is_err());
    }
}
