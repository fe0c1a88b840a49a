//! Write watchpoints of the local machine.

use super::RealMachine;
use crate::machine::watch::{Event, WatchOptions, WatchedBytes, WriteWatch, WriteWatching};
use crate::sys::watchpoint::{self, ThreadWatch};
use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

impl WriteWatching for RealMachine {
    fn watch_writes(
        &self,
        tid: u32,
        watched: &[WatchedBytes],
        options: WatchOptions,
    ) -> io::Result<Box<dyn WriteWatch>> {
        Ok(Box::new(ThreadWatch::open(tid, watched, options)?))
    }

    fn trap_cost(&self) -> io::Result<Duration> {
        watchpoint::trap_cost()
    }

    fn perf_event_paranoid(&self) -> Option<i32> {
        fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?.trim().parse().ok()
    }
}

impl WriteWatch for ThreadWatch {
    fn hits(&self) -> io::Result<u64> {
        self.hits()
    }

    fn drain(&mut self, take: &mut dyn FnMut(Event<'_>)) {
        self.drain(take);
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor()
    }

    fn disable(&self) -> io::Result<()> {
        self.disable()
    }
}
