//! Runs two steps of a process on two threads.

use std::ops::ControlFlow;
use std::sync::mpsc::{channel, sync_channel};
use std::{iter, thread};

/// Few, so that the items stay in the processor cache.
const MAX_ITEMS: usize = 4;

/// Fills items with `fill` until it returns false, and passes them in order to `drain` until it
/// breaks. `fill` runs on its own thread if `shared` is set. Items are reused.
pub fn pipeline<S: Default + Send>(
    shared: bool,
    mut fill: impl FnMut(&mut S) -> bool + Send,
    mut drain: impl FnMut(&mut S) -> ControlFlow<()>,
) {
    let has_thread = shared
        && thread::scope(|scope| {
            let (ready, filled) = sync_channel::<S>(MAX_ITEMS);
            let (give_back, unused) = channel::<Vec<S>>();
            let fill = &mut fill;
            let worker = thread::Builder::new().spawn_scoped(scope, move || {
                for mut item in unused.into_iter().flatten() {
                    if !fill(&mut item) || ready.send(item).is_err() {
                        break;
                    }
                }
            });
            // If no second thread can be started, as at the process limit, this one does both.
            if worker.is_err() {
                return false;
            }
            // Pass half of the items at a time: a thread that waited for each would spend most of
            // its time waking up.
            let half = || iter::repeat_with(S::default).take(MAX_ITEMS / 2).collect();
            let _ = give_back.send(half());
            let _ = give_back.send(half());
            let mut used = Vec::with_capacity(MAX_ITEMS / 2);
            for mut item in filled {
                if drain(&mut item).is_break() {
                    break;
                }
                used.push(item);
                if used.len() == MAX_ITEMS / 2 {
                    let _ = give_back.send(std::mem::take(&mut used));
                }
            }
            true
        });
    let mut item = S::default();
    while !has_thread && fill(&mut item) && drain(&mut item).is_continue() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(shared: bool, count: u64, stop_at: u64) -> Vec<u64> {
        let mut next = 0;
        let mut drained = vec![];
        pipeline(
            shared,
            |item: &mut u64| {
                *item = next;
                next += 1;
                next <= count
            },
            |item| {
                drained.push(*item);
                if *item == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        drained
    }

    #[test]
    fn all_items_arrive_in_order() {
        for shared in [false, true] {
            for count in [0, 1, 2, 3, 4, 5, 1000] {
                assert_eq!(numbers(shared, count, u64::MAX), (0..count).collect::<Vec<_>>());
                assert_eq!(numbers(shared, count, 4), (0..count.min(5)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn fill_is_not_called_again_after_the_last_item() {
        for shared in [false, true] {
            let mut left = Some(100u32);
            pipeline(
                shared,
                |(): &mut ()| {
                    left = left.expect("called again").checked_sub(1);
                    left.is_some()
                },
                |()| ControlFlow::Continue(()),
            );
            assert_eq!(left, None);
        }
    }

    #[test]
    fn panic_in_either_thread_ends_both() {
        for panic_in_fill in [false, true] {
            let panicked = std::panic::catch_unwind(|| {
                let mut next = 0;
                pipeline(
                    true,
                    |item: &mut u64| {
                        next += 1;
                        *item = next;
                        assert!(!panic_in_fill || next != 500, "on purpose");
                        true
                    },
                    |item| {
                        assert!(panic_in_fill || *item != 500, "on purpose");
                        ControlFlow::Continue(())
                    },
                );
            });
            assert!(panicked.is_err());
        }
    }
}
