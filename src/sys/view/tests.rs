//! Tests of views: what they read, and pages that go away.

use super::*;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::MetadataExt as _;

fn file(size: u64) -> File {
    // A tmpfs, as /dev/shm.
    let file = tempfile::tempfile_in("/dev/shm").unwrap();
    file.set_len(size).unwrap();
    file
}

fn bytes(view: &View, words: Range<usize>) -> Vec<u8> {
    words.flat_map(|word| view.load(word).unwrap().to_ne_bytes()).collect()
}

#[test]
fn view_reads_its_part_and_nothing_past_it() {
    let page = page_size();
    let file = file(3 * page);
    let content: Vec<u8> = (0..64).collect();
    file.write_all_at(&content, 2 * page - 32).unwrap();
    let view = View::of_file(&file, 2 * page - 32..2 * page + 28).unwrap();
    assert_eq!(bytes(&view, 0..8)[..60], content[..60]);
    assert_eq!((view.load(8), view.load(usize::MAX / 4)), (None, None));
    file.write_all_at(&[9], 2 * page + 8).unwrap();
    assert_eq!(bytes(&view, 5..6)[0], 9);
    assert!(!view.is_lost());
    assert_eq!(View::of_file(&file, 4..12).unwrap_err().raw_os_error(), Some(libc::EINVAL));
    assert_eq!(View::of_file(&file, 8..8).unwrap_err().raw_os_error(), Some(libc::EINVAL));
}

#[test]
fn mapping_allocates_nothing() {
    let file = file(1 << 20);
    let _view = View::of_file(&file, 0..1 << 20).unwrap();
    assert_eq!(file.metadata().unwrap().blocks(), 0);
}

#[test]
fn page_that_is_truncated_away_reads_as_zeros_and_is_reported() {
    let page = page_size();
    let file = file(2 * page);
    file.write_all_at(&vec![7; 8192], 0).unwrap();
    let view = View::of_file(&file, page..page + 64).unwrap();
    let other = View::of_file(&file, 0..64).unwrap();
    assert_eq!(bytes(&view, 0..1), [7; 8]);
    file.set_len(page).unwrap();
    assert_eq!(bytes(&view, 0..8), [0; 64]);
    assert!(view.is_lost());
    assert_eq!((bytes(&other, 0..1), other.is_lost()), (vec![7; 8], false));
    drop(view);
    let again = View::of_file(&file, 0..64).unwrap();
    assert!(!again.is_lost(), "a slot that is used again starts anew");
}

#[test]
fn signal_in_other_memory_ends_the_process() {
    let file = file(page_size());
    let _view = View::of_file(&file, 0..64).unwrap();
    let other = File::open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file))).unwrap();
    let length = NonZero::new(8192).unwrap();
    // SAFETY: a new mapping at an address of the kernel's choice.
    let address = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, &other, 0) };
    let address = address.unwrap();
    file.set_len(0).unwrap();
    // SAFETY: the child only makes system calls and loads a byte, which may raise a signal.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: as above.
        unsafe {
            // No core dump.
            libc::prctl(libc::PR_SET_DUMPABLE, 0);
            address.cast::<u8>().as_ptr().read_volatile();
            libc::_exit(0);
        }
    }
    let mut status = 0;
    // SAFETY: the child is ours, and the mapping is not used anymore.
    unsafe {
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        munmap(address, length.get()).unwrap();
    }
    assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGBUS, "{status:#x}");
}
