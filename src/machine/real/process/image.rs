//! Running processes in `/proc`, read from outside.

use super::maps;
use super::stat::inner_tid;
use super::subject::Subject;
use super::{Proc, RealMachine};
use crate::machine::image::{
    CaughtThread, FileVersion, Image, Images, MappedRange, ProgramFile, SystemCall, Target, Thread,
    ThreadActivity,
};
use crate::machine::process::ProcessId;
use crate::sys::entries::{self, Buffer};
use crate::sys::watchpoint;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io::{self, IoSliceMut, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::time::Duration;

/// More than the mappings of any process take.
const MAX_MAPS: u64 = 64 << 20;

impl Images for RealMachine {
    fn open_image(&self, process: &ProcessId) -> io::Result<Box<dyn Image>> {
        let subject = Subject::open(Proc::shared()?, &process.pid.to_string())?;
        let image = RealImage { subject, process: *process };
        image.check()?;
        Ok(Box::new(image))
    }

    fn ptrace_scope(&self) -> u32 {
        let text = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

struct RealImage {
    subject: Subject,
    process: ProcessId,
}

impl RealImage {
    /// Fails with `ESRCH` if the process has exited.
    fn check(&self) -> io::Result<()> {
        if self.subject.stat()?.start == self.process.start {
            return Ok(());
        }
        Err(io::Error::from_raw_os_error(libc::ESRCH))
    }

    fn open(&self, path: &OsStr, flags: OFlag) -> io::Result<File> {
        // A FIFO or a terminal would block or become the controlling terminal.
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | flags;
        Ok(File::from(openat(self.subject.fd(), path, flags, Mode::empty())?))
    }

    fn open_program(&self, path: &OsStr) -> io::Result<OpenProgram> {
        let file = self.open(path, OFlag::empty())?;
        let stat = file.metadata()?;
        if !stat.is_file() || stat.file_type().is_char_device() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        let version = FileVersion {
            device: stat.dev(),
            inode: stat.ino(),
            size: stat.size(),
            modified: (stat.mtime(), stat.mtime_nsec()),
        };
        Ok(OpenProgram { file, version })
    }
}

impl Image for RealImage {
    fn mappings(&self) -> io::Result<Vec<MappedRange>> {
        let mut text = vec![];
        self.open(OsStr::new("maps"), OFlag::empty())?.take(MAX_MAPS).read_to_end(&mut text)?;
        if text.is_empty() {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(maps::all(&text))
    }

    fn read(&self, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let unreadable = || io::Error::from_raw_os_error(libc::EFAULT);
        let base = usize::try_from(address).map_err(|_| unreadable())?;
        let pid = i32::try_from(self.process.pid).map_err(|_| unreadable())?;
        let remote = [RemoteIoVec { base, len: buffer.len() }];
        let count = process_vm_readv(Pid::from_raw(pid), &mut [IoSliceMut::new(buffer)], &remote)?;
        // The pid may have been reused.
        self.check()?;
        Ok(count)
    }

    fn threads(&self) -> io::Result<Vec<Thread>> {
        let tasks = self.subject.open_file(c"task", OFlag::O_DIRECTORY)?;
        let mut tids = vec![];
        entries::for_each(tasks.as_fd(), &mut Buffer::default(), |_, name| {
            tids.extend(name.to_str().ok().and_then(|name| name.parse::<u32>().ok()));
        })?;
        // A thread may exit meanwhile.
        let thread = |tid| {
            let file = |name| CString::new(format!("task/{tid}/{name}")).ok();
            let mut command = self.subject.read(&file("comm")?).ok()?;
            command.pop_if(|last| *last == b'\n');
            let status = self.subject.read(&file("status")?).ok()?;
            Some(Thread { tid, inner_tid: inner_tid(&status).unwrap_or(tid), name: command })
        };
        Ok(tids.into_iter().filter_map(thread).collect())
    }

    fn activity(&self, tid: u32) -> io::Result<ThreadActivity> {
        let path = CString::new(format!("task/{tid}/syscall")).map_err(|_| io::ErrorKind::InvalidInput)?;
        parse_syscall(&self.subject.read(&path)?).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn catch_threads(&self, targets: &[Target], wait: Duration) -> io::Result<Vec<CaughtThread>> {
        let caught = watchpoint::catch_threads(targets, wait)?;
        // The ids may have been reused.
        self.check()?;
        Ok(caught)
    }

    fn open_mapped(&self, mapping: &MappedRange) -> io::Result<Box<dyn ProgramFile>> {
        let addresses = &mapping.addresses;
        let entry = format!("map_files/{:x}-{:x}", addresses.start, addresses.end);
        if let Ok(program) = self.open_program(OsStr::new(&entry)) {
            return Ok(Box::new(program));
        }
        // Without the right to open map_files, try the program itself, then its path. The device of
        // a mapping differs from that of the file on overlayfs.
        let path = in_root(&mapping.name);
        let candidates = [OsStr::new("exe"), OsStr::from_bytes(&path)];
        let mut failed = io::Error::from_raw_os_error(libc::ESTALE);
        for path in candidates {
            match self.open_program(path) {
                Ok(program) if program.version.inode == mapping.inode => return Ok(Box::new(program)),
                Ok(_) => {}
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn open_path(&self, path: &[u8]) -> io::Result<Box<dyn ProgramFile>> {
        Ok(Box::new(self.open_program(OsStr::from_bytes(&in_root(path)))?))
    }
}

/// The path below the root directory of the process.
fn in_root(path: &[u8]) -> Vec<u8> {
    [b"root/", path.trim_ascii_start()].concat()
}

struct OpenProgram {
    file: File,
    version: FileVersion,
}

impl ProgramFile for OpenProgram {
    fn size(&self) -> u64 {
        self.version.size
    }

    fn version(&self) -> FileVersion {
        self.version
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}

/// Parses `/proc/PID/task/TID/syscall`: `running`, or `-1 SP PC`, or the number of the call, six
/// arguments, SP and PC (`proc_pid_syscall` in `fs/proc/base.c`).
fn parse_syscall(text: &[u8]) -> Option<ThreadActivity> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_whitespace();
    let first = words.next()?;
    if first == "running" {
        return Some(ThreadActivity::Running);
    }
    let number = first.parse().ok()?;
    let values: Vec<u64> = words
        .map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16))
        .collect::<Result<_, _>>()
        .ok()?;
    match *values.as_slice() {
        [stack, program_counter] => Some(ThreadActivity::Faulting { stack, program_counter }),
        [ref arguments @ .., stack, program_counter] => {
            let arguments = arguments.try_into().ok()?;
            Some(ThreadActivity::Sleeping(SystemCall { number, arguments, stack, program_counter }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::process::Processes as _;
    use std::sync::mpsc;

    fn own_image() -> Box<dyn Image> {
        let own = RealMachine.process(RealMachine.own_pid()).unwrap().id;
        RealMachine.open_image(&own).unwrap()
    }

    #[test]
    fn image_of_this_process_has_its_program_memory_and_threads() {
        let image = own_image();
        let word = Box::new(0x1234_5678_9abc_def0_u64);
        let address = std::ptr::from_ref(&*word) as u64;
        let mut bytes = [0; 8];
        assert_eq!(image.read(address, &mut bytes).unwrap(), 8);
        assert_eq!(u64::from_ne_bytes(bytes), *word);
        assert_eq!(image.read(8, &mut bytes).unwrap_err().raw_os_error(), Some(libc::EFAULT));

        let mappings = image.mappings().unwrap();
        assert!(mappings.is_sorted_by_key(|mapping| mapping.addresses.start));
        assert!(mappings.iter().any(|mapping| mapping.addresses.contains(&address) && mapping.writable));
        let code = image_of_this_process_has_its_program_memory_and_threads as fn() as usize as u64;
        let program = mappings.iter().find(|mapping| mapping.addresses.contains(&code)).unwrap();
        assert!(program.executable && !program.shared && program.name.starts_with(b"/"));
        let file = image.open_mapped(program).unwrap();
        let mut magic = [0; 4];
        assert_eq!(file.read_at(0, &mut magic).unwrap(), 4);
        assert_eq!(&magic, b"\x7fELF");
        let by_name = image.open_path(&program.name).unwrap();
        assert_eq!((file.version(), file.size()), (by_name.version(), by_name.size()));

        let threads = image.threads().unwrap();
        assert!(threads.iter().all(|thread| thread.tid == thread.inner_tid), "{threads:?}");
        let own = u32::try_from(nix::unistd::gettid().as_raw()).unwrap();
        assert!(threads.iter().any(|thread| thread.tid == own), "{threads:?}");
        // The thread is reading the file.
        let ThreadActivity::Sleeping(call) = image.activity(own).unwrap() else { panic!("not in a call") };
        assert_eq!(call.number, libc::SYS_read);
    }

    #[test]
    fn sleeping_thread_shows_its_system_call() {
        let (send_tid, tid) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let sleeper = std::thread::spawn(move || {
            send_tid.send(nix::unistd::gettid().as_raw()).unwrap();
            // Waits on a futex.
            let _ = ended.recv();
        });
        let tid = u32::try_from(tid.recv().unwrap()).unwrap();
        let image = own_image();
        let call = loop {
            if let ThreadActivity::Sleeping(call) = image.activity(tid).unwrap()
                && call.number == libc::SYS_futex
            {
                break call;
            }
            std::thread::yield_now();
        };
        let mappings = image.mappings().unwrap();
        let mapping =
            |address: u64| mappings.iter().find(|mapping| mapping.addresses.contains(&address)).unwrap();
        assert!(mapping(call.stack).writable);
        assert!(mapping(call.program_counter).executable);
        drop(end);
        sleeper.join().unwrap();
    }

    #[test]
    fn image_of_a_reused_pid_is_not_opened() {
        let mut own = RealMachine.process(RealMachine.own_pid()).unwrap().id;
        own.start += 1;
        assert_eq!(RealMachine.open_image(&own).err().unwrap().raw_os_error(), Some(libc::ESRCH));
    }

    #[test]
    fn system_calls_parse() {
        assert_eq!(parse_syscall(b"running\n"), Some(ThreadActivity::Running));
        assert_eq!(
            parse_syscall(b"-1 0x7ffc 0x55d0\n"),
            Some(ThreadActivity::Faulting { stack: 0x7ffc, program_counter: 0x55d0 })
        );
        let call = SystemCall {
            number: 202,
            arguments: [0x7f00, 0x80, 2, 0, 0, 1],
            stack: 0x7ffd,
            program_counter: 0x7f01,
        };
        let text = b"202 0x7f00 0x80 0x2 0x0 0x0 0x1 0x7ffd 0x7f01\n";
        assert_eq!(parse_syscall(text), Some(ThreadActivity::Sleeping(call)));
        for wrong in [&b""[..], b"202 0x1", b"x 0x1 0x2", b"202 \xff"] {
            assert_eq!(parse_syscall(wrong), None);
        }
    }
}
