//! Simulates a kernel without `O_TMPFILE` on any file system, as with NFS.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The bit that `O_TMPFILE` does not share with other flags, see `open(2)`.
const TMPFILE: u32 = 0o20_000_000;

/// Makes `openat` with `O_TMPFILE` fail with `EOPNOTSUPP` in the command, through a `seccomp(2)`
/// filter.
pub fn without_tmpfile(command: &mut Command) -> &mut Command {
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: u16::try_from(code).unwrap(), jt, jf, k };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let mut filter = [
        // The system call number.
        step(load, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 3, u32::try_from(libc::SYS_openat).unwrap()),
        // Its third argument, on a little-endian machine.
        step(load, 0, 0, 32),
        step(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, TMPFILE),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EOPNOTSUPP.cast_unsigned()),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let set = move || {
        let program = libc::sock_fprog { len: 6, filter: filter.as_mut_ptr() };
        // SAFETY: two prctl calls that read the filter, which outlives them.
        let result = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
                | libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: the closure makes two system calls and allocates nothing.
    unsafe { command.pre_exec(set) }
}
