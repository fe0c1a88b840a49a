//! The memory of a holder, read page by page without stopping it.

use crate::decode::debug::Registers;
use crate::identify::locks::{SegmentMapping, mapping_of};
use crate::machine::Machine;
use crate::machine::image::{Image, MappedRange, Target, Thread, ThreadActivity};
use crate::machine::process::{Examination, Object, ProcessId, ScanOptions};
use crate::segment::{Holder, Segment, escape};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::time::Duration;

/// The stack pointer and the program counter, as DWARF numbers them on x86-64.
pub(super) const RSP: u16 = 7;
pub(super) const RIP: u16 = 16;
const PAGE: usize = 4096;
/// Pages that are read of one process.
const MAX_PAGES: usize = 16 << 10;

/// A holder's memory, and the places where it maps the segment.
pub struct AddressSpace {
    pub image: Box<dyn Image>,
    /// In the order of their addresses.
    pub mappings: Vec<MappedRange>,
    segment: Vec<SegmentMapping>,
    process: String,
    /// The pages that were read; `None` for those that cannot be read.
    pages: RefCell<HashMap<u64, Option<Vec<u8>>>>,
}

impl AddressSpace {
    /// # Errors
    /// Fails if the process has exited, or may not be examined.
    pub fn open(machine: &dyn Machine, segment: &Segment, holder: &Holder) -> io::Result<Self> {
        let id = ProcessId { pid: holder.pid, start: holder.start };
        let image = machine.open_image(&id)?;
        let mappings = image.mappings()?;
        // Only the examination tells System V segments of this namespace from others.
        let options = ScanOptions { segment_devices: machine.segment_devices()?, ..ScanOptions::default() };
        let object = Object::of(segment);
        let segment = match machine.examine(holder.pid, &options) {
            Examination::Found(process, uses) if process.id == id => {
                let mapped = uses.iter().filter(|one| Some(one.of) == object);
                mapped.filter_map(mapping_of).collect()
            }
            Examination::Unreadable(_) => return Err(io::ErrorKind::PermissionDenied.into()),
            _ => vec![],
        };
        let process = format!("{} ({})", escape(&holder.command), holder.pid);
        Ok(Self { image, mappings, segment, process, pages: RefCell::default() })
    }

    /// `writer (4121)`, safe to print.
    pub fn process(&self) -> &str {
        &self.process
    }

    /// The offset in the segment that an address means.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        self.segment.iter().find_map(|mapping| mapping.offset_of(address))
    }

    pub fn mapping(&self, address: u64) -> Option<&MappedRange> {
        let after = self.mappings.partition_point(|mapping| mapping.addresses.start <= address);
        let before = self.mappings.get(after.checked_sub(1)?)?;
        before.addresses.contains(&address).then_some(before)
    }

    /// Fills a buffer. Returns false if a part cannot be read. Shared memory is not read: that would
    /// allocate its holes.
    pub fn read(&self, address: u64, into: &mut [u8]) -> bool {
        let mut done = 0;
        while done < into.len() {
            let Some(at) = address.checked_add(done as u64) else { return false };
            let within = usize::try_from(at % PAGE as u64).unwrap_or(0);
            let count = (into.len() - done).min(PAGE - within);
            let target = &mut into[done..done + count];
            let copied = self.page(at - within as u64, |page| {
                let part = page.get(within..within + count)?;
                target.copy_from_slice(part);
                Some(())
            });
            if copied.is_none() {
                return false;
            }
            done += count;
        }
        true
    }

    fn page<T>(&self, start: u64, look: impl FnOnce(&mut [u8]) -> Option<T>) -> Option<T> {
        let mut pages = self.pages.borrow_mut();
        if !pages.contains_key(&start) && pages.len() >= MAX_PAGES {
            return None;
        }
        let page = pages.entry(start).or_insert_with(|| {
            self.mapping(start).filter(|mapping| !mapping.shared)?;
            let mut page = vec![0; PAGE];
            let count = self.image.read(start, &mut page).ok()?;
            page.truncate(count);
            Some(page)
        });
        look(page.as_deref_mut()?)
    }

    /// Reads a number of up to 8 bytes.
    pub fn number(&self, address: u64, size: u64, is_little: bool) -> Option<u64> {
        let mut bytes = [0; 8];
        let size = usize::try_from(size).ok().filter(|size| (1..=8).contains(size))?;
        self.read(address, &mut bytes[..size]).then(|| {
            if is_little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) >> (64 - 8 * size) }
        })
    }

    /// The threads that sleep, with their stack pointers and program counters.
    pub fn sleeping_threads(&self) -> Vec<(Thread, Registers)> {
        /// Threads that are examined.
        const MAX_THREADS: usize = 256;
        let threads = self.image.threads().unwrap_or_default().into_iter().take(MAX_THREADS);
        let registers = |thread: Thread| {
            let (stack, program_counter) = match self.image.activity(thread.tid).ok()? {
                ThreadActivity::Running => return None,
                ThreadActivity::Faulting { stack, program_counter } => (stack, program_counter),
                ThreadActivity::Sleeping(call) => (call.stack, call.program_counter),
            };
            Some((thread, Registers::from([(RSP, stack), (RIP, program_counter)])))
        };
        threads.filter_map(registers).collect()
    }

    /// The threads that wake up or run within some time, with all their registers. Their stacks replace
    /// what was read of them before.
    ///
    /// # Errors
    /// As for [`Image::catch_threads`].
    pub fn caught_threads(&self, wait: Duration) -> io::Result<Vec<(Thread, Registers)>> {
        /// Threads that are caught. Each takes a descriptor and locked memory.
        const MAX_THREADS: usize = 16;
        let threads = self.image.threads()?;
        let target = |thread: &Thread| {
            let wakes_at = match self.image.activity(thread.tid).ok()? {
                ThreadActivity::Running => None,
                ThreadActivity::Faulting { program_counter, .. } => Some(program_counter),
                ThreadActivity::Sleeping(call) => Some(call.program_counter),
            };
            Some(Target { tid: thread.tid, wakes_at })
        };
        let targets: Vec<Target> = threads.iter().filter_map(target).take(MAX_THREADS).collect();
        let caught = self.image.catch_threads(&targets, wait)?.into_iter().filter_map(|caught| {
            let thread = threads.iter().find(|thread| thread.tid == caught.tid)?;
            self.replace(caught.registers[usize::from(RSP)], &caught.stack);
            Some((thread.clone(), (0..).zip(caught.registers).collect()))
        });
        Ok(caught.collect())
    }

    /// Replaces what was read of the memory from `start` on.
    fn replace(&self, start: u64, bytes: &[u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(address) = start.checked_add(at as u64) else { return };
            let within = usize::try_from(address % PAGE as u64).unwrap_or(0);
            let count = rest.len().min(PAGE - within);
            self.page(address - within as u64, |page| {
                page.get_mut(within..within + count)?.copy_from_slice(&rest[..count]);
                Some(())
            });
            at += count;
        }
    }

    /// The rest of the mapping that contains an address.
    pub fn rest_of_mapping(&self, address: u64) -> Option<Range<u64>> {
        Some(address..self.mapping(address)?.addresses.end)
    }
}
