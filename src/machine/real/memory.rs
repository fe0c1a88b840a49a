//! The memory available for a new System V segment: `/proc/meminfo`, `/proc/sys/vm`.

use crate::machine::control::{HugePages, MemoryFacts};
use crate::segment::Bytes;
use std::fs;

pub fn facts() -> MemoryFacts {
    let Ok(meminfo) = fs::read_to_string("/proc/meminfo") else { return MemoryFacts::default() };
    let setting = |name: &str| number(&fs::read_to_string(format!("/proc/sys/vm/{name}")).ok()?);
    let line =
        |name: &str| meminfo.lines().find_map(|line| number(line.strip_prefix(name)?.strip_prefix(':')?));
    // `__vm_enough_memory` in mm/util.c. Mode 1 never refuses, and the limit in mode 2 depends on
    // the other processes.
    let reservable = match setting("overcommit_memory") {
        Some(0) => line("MemTotal").zip(line("SwapTotal")).map(|(memory, swap)| Bytes((memory + swap) << 10)),
        _ => None,
    };
    let size = Bytes(line("Hugepagesize").unwrap_or(0) << 10);
    let count = |name: &str| line(name).unwrap_or(0);
    let surplus = setting("nr_overcommit_hugepages").unwrap_or(0).saturating_sub(count("HugePages_Surp"));
    let free = count("HugePages_Free").saturating_sub(count("HugePages_Rsvd")).saturating_add(surplus);
    let group = setting("hugetlb_shm_group").and_then(|group| u32::try_from(group).ok());
    MemoryFacts { reservable, huge: Some(HugePages { size, free, group }) }
}

/// Returns the first number in a string.
fn number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}
