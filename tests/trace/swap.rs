//! Swapped pages are skipped in previews, and are never reported as zeros.

use super::{PAGE, fields_of_sysv};
use crate::support::{
    Child, Namespaces, Nobody, Object, SOON, Sysv, Terminal, python, shmlens, skip_for_kernel, tool,
};
use shmlens::machine::real::RealMachine;
use shmlens::memory::{PageBuffer, Peek, Reader, peek};
use shmlens::segment::SegmentId;
use shmlens::survey::{Names, Survey};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

/// Swap space for this test. The whole machine shares it, so it is small and removed on drop.
struct Swap {
    swapoff: PathBuf,
    file: PathBuf,
}

impl Swap {
    /// Returns `None` if the kernel does not support swap.
    fn new() -> Option<Self> {
        let (mkswap, swapon, swapoff) = (tool("mkswap")?, tool("swapon")?, tool("swapoff")?);
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("swap-{}", std::process::id()));
        fs::write(&file, vec![0; 8 << 20]).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let run = |tool: PathBuf| Command::new(tool).arg(&file).output().unwrap().status.success();
        let works = run(mkswap) && run(swapon);
        if works {
            return Some(Self { swapoff, file });
        }
        let _ = fs::remove_file(&file);
        skip_for_kernel("needs swap");
        None
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        let _ = Command::new(&self.swapoff).arg(&self.file).output();
        let _ = fs::remove_file(&self.file);
    }
}

/// Starts a process that maps a segment, writes to pages 0 and 200, and swaps them out. `map` sets
/// `p`, its address. The kernel swaps out only pages that this process alone has mapped, and that
/// have left the batch of the processor that allocated them.
fn swapped_out(map: &str) -> Option<Child> {
    const PAGE_OUT: u32 = 21;
    let text = format!(
        "import ctypes, mmap, os, sys\n\
         c = ctypes.CDLL(None); c.shmat.restype = c.mmap.restype = ctypes.c_void_p\n\
         {map}\n\
         ctypes.memmove(p, b'hello, first', 12); ctypes.memmove(p + 200 * 4096 + 5, b'hello, last', 11)\n\
         for i in range(50): assert c.madvise(ctypes.c_void_p(p), 256 * 4096, {PAGE_OUT}) == 0\n\
         print('attached', flush=True); sys.stdin.read()"
    );
    let mut child = Child::spawn_piped(&mut python(&text)?);
    assert_eq!(child.line(SOON), "attached");
    Some(child)
}

fn open(id: &SegmentId) -> Reader {
    let survey = Survey::take(&RealMachine, &mut Names::default());
    let segment = survey.segments.into_iter().find(|segment| segment.id == *id).unwrap();
    Reader::open(&RealMachine, &segment).unwrap()
}

/// Checks a peek at a segment whose pages 0 and 200 have data and are swapped out.
#[track_caller]
fn check_peek(seen: &Peek) {
    assert_eq!(seen.swapped, [0..PAGE, 200 * PAGE..201 * PAGE]);
    assert_eq!(seen.holes, [PAGE..200 * PAGE, 201 * PAGE..256 * PAGE]);
    assert!(seen.bytes.len() as u64 == 256 * PAGE && seen.bytes.iter().all(|&byte| byte == 0));
}

fn read(reader: &Reader, offset: u64) -> Vec<u8> {
    let mut buffer = PageBuffer::default();
    reader.fill(&mut buffer, offset, 5).unwrap();
    buffer.to_vec()
}

/// These checks share a test, because the whole machine shares the swap space.
#[test]
fn swapped_pages_are_not_zeros() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_swap) = Swap::new() else { return };
    system_v();
    posix();
}

fn system_v() {
    let sysv = Sysv::new(0x4d2, 256 * PAGE, 0o644);
    let attach = format!("p = c.shmat({}, None, 0)", sysv.shmid);
    let Some(holder) = swapped_out(&attach) else { return };
    let before = fields_of_sysv(sysv.shmid);
    if before["swap"] != 2 * PAGE.cast_signed() {
        return skip_for_kernel("the kernel does not swap out on request");
    }
    check_peek(&peek(&open(&sysv.id()), 0..u64::MAX).unwrap());
    let mut terminal = Terminal::start((120, 30), shmlens());
    terminal.wait_for("~~ ~~ ~~", SOON);
    terminal.send("q");
    terminal.wait_exit(SOON);
    assert_eq!(fields_of_sysv(sysv.shmid), before, "no preview brings a page back");
    {
        // mincore reports a page in the swap cache as resident, and other swapped pages like holes.
        let _nobody = Nobody::here();
        let reader = open(&sysv.id());
        let seen = peek(&reader, 0..u64::MAX).unwrap();
        for offset in [0, 200 * PAGE + 5] {
            let marked = seen.swapped.iter().any(|run| run.contains(&offset));
            let bytes = &seen.bytes[usize::try_from(offset).unwrap()..];
            assert!(marked || bytes.starts_with(b"hello"), "{offset:#x} {:?}", seen.swapped);
        }
        assert_eq!((read(&reader, 0), read(&reader, 200 * PAGE + 5)), (b"hello".into(), b"hello".into()));
    }
    drop(holder);
    let Some(_holder) = swapped_out(&attach) else { return };
    let reader = open(&sysv.id());
    assert_eq!((read(&reader, 0), read(&reader, 200 * PAGE + 5)), (b"hello".into(), b"hello".into()));
}

fn posix() {
    let object = Object::new("object", 256 * PAGE, 0o600);
    let map = "f = os.open('/dev/shm/object', os.O_RDWR); p = c.mmap(None, ctypes.c_size_t(256 * 4096), 3, 1, f, 0)";
    let Some(_holder) = swapped_out(map) else { return };
    let reader = open(&object.id());
    check_peek(&peek(&reader, 0..u64::MAX).unwrap());
    check_peek(&peek(&reader, 0..u64::MAX).unwrap());
    assert_eq!((read(&reader, 0), read(&reader, 200 * PAGE + 5)), (b"hello".into(), b"hello".into()));
    let seen = peek(&reader, 0..u64::MAX).unwrap();
    assert!(seen.swapped.is_empty() && seen.bytes.starts_with(b"hello"));
}
