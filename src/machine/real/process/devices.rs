//! The devices of System V segments.

use crate::sys;
use std::sync::OnceLock;
use std::{fs, io};

/// Returns the device for normal pages and one for each huge page size. Cached, since devices do
/// not change until reboot; errors are not cached.
pub fn sysv_devices() -> io::Result<&'static [u64]> {
    static DEVICES: OnceLock<Vec<u64>> = OnceLock::new();
    if let Some(devices) = DEVICES.get() {
        return Ok(devices);
    }
    let mut devices = vec![sys::kernel_device()?];
    for size in huge_page_sizes() {
        match sys::huge_page_device(size) {
            Ok(device) => devices.push(device),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                return Err(error);
            }
            // The kernel does not support this size after all.
            Err(_) => {}
        }
    }
    Ok(DEVICES.get_or_init(|| devices))
}

/// Returns the huge page sizes in bytes, from `/sys/kernel/mm/hugepages/hugepages-2048kB`.
fn huge_page_sizes() -> impl Iterator<Item = u64> {
    let entries = fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| {
        let name = entry.file_name();
        let kib: u64 = name.to_str()?.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
        Some(kib << 10).filter(|size| size.is_power_of_two())
    })
}
