//! A mutex in shared memory, `pthread_mutex_init(3)`, as C and C++ programs put into their structs.

use super::shm::Attachment;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// A mutex in an attached segment.
#[derive(Debug)]
pub struct SharedMutex<'a> {
    mutex: NonNull<libc::pthread_mutex_t>,
    /// Stays attached while the mutex is used.
    _memory: &'a Attachment,
}

impl<'a> SharedMutex<'a> {
    /// `sizeof(pthread_mutex_t)`
    pub const SIZE: usize = size_of::<libc::pthread_mutex_t>();

    /// Initializes an unlocked mutex for several processes (`PTHREAD_PROCESS_SHARED`).
    ///
    /// # Errors
    /// `EINVAL` if the offset is not aligned, not within the segment, or not writable; `ENOMEM`.
    pub fn new(memory: &'a Attachment, offset: usize) -> io::Result<Self> {
        let place = memory.writable_range(offset, Self::SIZE).map(NonNull::cast::<libc::pthread_mutex_t>);
        let mutex = place.filter(|place| place.is_aligned());
        let mutex = mutex.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        let mut attributes = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
        // SAFETY: each call gets attributes that the first one initialized, and the mutex is an
        // aligned range of the attachment that is large enough.
        unsafe {
            succeed(libc::pthread_mutexattr_init(attributes.as_mut_ptr()))?;
            let shared = libc::PTHREAD_PROCESS_SHARED;
            succeed(libc::pthread_mutexattr_setpshared(attributes.as_mut_ptr(), shared))?;
            succeed(libc::pthread_mutex_init(mutex.as_ptr(), attributes.as_ptr()))?;
            succeed(libc::pthread_mutexattr_destroy(attributes.as_mut_ptr()))?;
        }
        Ok(Self { mutex, _memory: memory })
    }

    /// Runs `change` with the mutex locked.
    ///
    /// # Errors
    /// Fails if another process has overwritten the mutex.
    pub fn run_locked(&self, change: impl FnOnce()) -> io::Result<()> {
        // SAFETY: `new` initialized the mutex, and the attachment is still there.
        succeed(unsafe { libc::pthread_mutex_lock(self.mutex.as_ptr()) })?;
        change();
        // SAFETY: this thread has locked it.
        succeed(unsafe { libc::pthread_mutex_unlock(self.mutex.as_ptr()) })
    }
}

/// Converts a result of pthreads, which is the error number itself.
fn succeed(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}
