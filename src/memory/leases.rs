//! The write leases of other programs (`F_SETLEASE` of `fcntl(2)`). Opening a file breaks its
//! lease: the kernel asks the holder to release it.

use super::OpenError;
use crate::machine::Machine;
use crate::machine::process::FileLock;
use crate::segment::Segment;
use std::time::Duration;

/// The age up to which the table is used. Reading it takes some 10 ms, because the kernel waits for
/// all processes that are changing locks.
const FRESH: Duration = Duration::from_millis(50);

/// The table of write leases, which is read again when it is old.
///
/// Shows only leases of processes in this pid namespace. A lease that is taken after the table was
/// read is missed.
#[derive(Debug, Default)]
pub struct WriteLeases {
    read: Option<Duration>,
    /// Device, inode and holder.
    leases: Vec<(u64, u64, Option<u32>)>,
}

impl WriteLeases {
    /// Returns the leases among file locks that were listed at this monotonic time.
    pub fn of<'a>(read: Duration, locks: impl IntoIterator<Item = &'a FileLock>) -> Self {
        let leases = locks.into_iter().filter(|lock| lock.write_lease);
        let leases = leases.map(|lock| (lock.device, lock.inode, lock.pid)).collect();
        Self { read: Some(read), leases }
    }

    /// Checks that no other process has a write lease on the segment.
    ///
    /// # Errors
    /// [`OpenError::Leased`].
    pub fn check(&mut self, machine: &dyn Machine, segment: &Segment) -> Result<(), OpenError> {
        let Some(facts) = segment.posix() else { return Ok(()) };
        self.refresh(machine);
        let file = (facts.device, facts.inode);
        match self.leases.iter().find(|(device, inode, _)| (*device, *inode) == file) {
            Some(&(.., pid)) => Err(OpenError::Leased { id: segment.id.clone(), pid }),
            None => Ok(()),
        }
    }

    /// Reads the table again if it is old. An unreadable table counts as empty.
    pub fn refresh(&mut self, machine: &dyn Machine) {
        let age = self.read.map(|read| machine.monotonic_time().saturating_sub(read));
        if age.is_some_and(|age| age < FRESH) {
            return;
        }
        let locks = machine.locks().unwrap_or_default();
        *self = Self::of(machine.monotonic_time(), &locks);
    }
}
