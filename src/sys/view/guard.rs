//! The handler of SIGBUS that replaces missing pages of views by zeros, `sigaction(2)`.
//!
//! Signals in other memory go to the handler that was installed before.

use super::super::page_size;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The maximum number of guarded ranges.
const MAX_RANGES: usize = 512;

/// A guarded range of addresses. The handler only reads these, so that it needs no lock.
struct Slot {
    taken: AtomicBool,
    /// 0 while there is no range.
    start: AtomicUsize,
    end: AtomicUsize,
    hit: AtomicBool,
}

static SLOTS: [Slot; MAX_RANGES] = [const {
    Slot {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        hit: AtomicBool::new(false),
    }
}; MAX_RANGES];

/// The handler before ours, and the size of a page: a handler may not call `sysconf`.
struct Before {
    action: libc::sigaction,
    page: usize,
}

static BEFORE: OnceLock<Before> = OnceLock::new();

/// Guards a range of addresses until it is dropped.
#[derive(Debug)]
pub struct Guard(usize);

impl Guard {
    /// Guards the pages of a range.
    ///
    /// # Errors
    /// `ENOBUFS` if there are too many ranges.
    pub fn new(start: usize, length: usize) -> io::Result<Self> {
        install()?;
        let free = SLOTS.iter().position(|slot| !slot.taken.swap(true, Ordering::Relaxed));
        let index = free.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOBUFS))?;
        let slot = &SLOTS[index];
        slot.hit.store(false, Ordering::Relaxed);
        slot.end.store(start + length, Ordering::Relaxed);
        slot.start.store(start, Ordering::Release);
        Ok(Self(index))
    }

    /// Returns true if a page of the range was missing.
    #[must_use]
    pub fn is_hit(&self) -> bool {
        SLOTS[self.0].hit.load(Ordering::Relaxed)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let slot = &SLOTS[self.0];
        slot.start.store(0, Ordering::Release);
        slot.taken.store(false, Ordering::Release);
    }
}

/// Installs the handler once.
fn install() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let mut before = MaybeUninit::<libc::sigaction>::zeroed();
        let mut ours = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: zeroed, and every bit pattern of it is valid.
        let action = unsafe { ours.assume_init_mut() };
        action.sa_sigaction = handle as *const () as usize;
        // The handler of the standard library runs on the alternate stack too.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        // The handler has to know the former one before the first signal, so read it first.
        // SAFETY: the kernel writes one sigaction, and any bit pattern of one is valid.
        let before = unsafe {
            libc::sigaction(libc::SIGBUS, ptr::null(), before.as_mut_ptr());
            before.assume_init()
        };
        BEFORE.get_or_init(|| Before { action: before, page: usize::try_from(page_size()).unwrap_or(4096) });
        // SAFETY: `handle` is async-signal-safe.
        match unsafe { libc::sigaction(libc::SIGBUS, ours.as_ptr(), ptr::null_mut()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
        }
    });
    installed.map_err(io::Error::from_raw_os_error)
}

/// Handles SIGBUS. Only loads atomics and makes system calls, so it is async-signal-safe.
extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(before) = BEFORE.get() else { return };
    // SAFETY: the kernel passes a valid siginfo_t because of SA_SIGINFO. A positive code comes from
    // the kernel, which sets the address for SIGBUS.
    let address = unsafe { ((*info).si_code > 0).then(|| (*info).si_addr().addr()) };
    if !address.is_some_and(|address| fill(address, before.page)) {
        forward(before, signal, info, context);
    }
}

/// Maps a page of zeros at an address in a guarded range. Returns false for any other address.
fn fill(address: usize, page: usize) -> bool {
    let within = |slot: &&Slot| {
        let start = slot.start.load(Ordering::Acquire);
        let first = start - start % page;
        start != 0 && (first..slot.end.load(Ordering::Relaxed).next_multiple_of(page)).contains(&address)
    };
    let Some(slot) = SLOTS.iter().find(within) else { return false };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let start = ptr::without_provenance_mut(address - address % page);
    // SAFETY: errno is a variable of this thread. The page belongs to a view, which only `View::load`
    // reads, and the view unmaps it.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let mapped = libc::mmap(start, page, libc::PROT_READ, flags, -1, 0);
        *errno = saved;
        if mapped == libc::MAP_FAILED {
            return false;
        }
    }
    slot.hit.store(true, Ordering::Relaxed);
    true
}

/// Passes a signal on to the former handler.
fn forward(before: &Before, signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let action = &before.action;
    match action.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            let mut default = MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: a zeroed sigaction means SIG_DFL. The access is repeated after this handler,
            // and then ends the process; a signal that another process sent is raised again.
            unsafe {
                default.assume_init_mut().sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, default.as_ptr(), ptr::null_mut());
                if (*info).si_code <= 0 {
                    libc::raise(signal);
                }
            }
        }
        handler if action.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: a handler that was installed with SA_SIGINFO has this type.
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: a handler that was installed without SA_SIGINFO has this type.
            let handler: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}
