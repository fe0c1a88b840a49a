//! What a process has mapped: by `PROCMAP_QUERY` where the kernel has it, and
//! from the text of its maps elsewhere (`proc_pid_maps(5)`).

use super::Proc;
use crate::machine::process::{Object, Place, Use, Wanted};
use crate::segment::Access;
use crate::sys::procmap::{self, Mapping, Which};
use crate::sys::statx_link;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once the kernel has said that it knows no `PROCMAP_QUERY`.
static TEXT_ONLY: AtomicBool = AtomicBool::new(false);

/// Longer than the name of any System V segment.
const NAME: usize = 64;

/// Adds the mappings of a process; `path` is below `/proc`.
///
/// # Errors
/// `ENOENT` and `ESRCH` when it is gone or has no memory, `EACCES`.
pub fn find(proc: &Proc, path: &str, wanted: Wanted, uses: &mut Vec<Use>) -> io::Result<()> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let maps = File::from(openat(proc.fd(), format!("{path}/maps").as_str(), flags, Mode::empty())?);
    let mut finder = Finder { proc, path, wanted, here: None, uses };
    if !TEXT_ONLY.load(Ordering::Relaxed) {
        match finder.by_query(&maps) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => {
                TEXT_ONLY.store(true, Ordering::Relaxed);
            }
            done => return done,
        }
    }
    finder.by_text(maps)
}

struct Finder<'a> {
    proc: &'a Proc,
    path: &'a str,
    wanted: Wanted,
    /// Whether the process is in our IPC namespace, once that was asked.
    here: Option<bool>,
    uses: &'a mut Vec<Use>,
}

impl Finder<'_> {
    fn by_query(&mut self, maps: &File) -> io::Result<()> {
        let mut name = [0; NAME];
        let mut at = 0;
        while let Some(mapping) = procmap::next(maps.as_fd(), at, Which::Shared)? {
            at = mapping.end;
            if Some(mapping.device) == self.wanted.devices.objects {
                self.add_object(&mapping, false);
            } else if Some(mapping.device) == self.wanted.devices.sysv || mapping.huge {
                let name = procmap::name(maps.as_fd(), mapping.start, &mut name)?;
                self.add_if_sysv(&mapping, name);
            }
        }
        if !self.wanted.private {
            return Ok(());
        }
        let mut at = 0;
        while let Some(mapping) = procmap::next(maps.as_fd(), at, Which::All)? {
            at = mapping.end;
            if !mapping.shared && Some(mapping.device) == self.wanted.devices.objects {
                self.add_object(&mapping, true);
            }
        }
        Ok(())
    }

    /// The text of all mappings, private ones too.
    fn by_text(&mut self, mut maps: File) -> io::Result<()> {
        let mut text = vec![];
        maps.read_to_end(&mut text)?;
        if text.is_empty() {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        for line in text.split(|&byte| byte == b'\n') {
            let Some((mapping, name)) = parse(line) else { continue };
            if Some(mapping.device) == self.wanted.devices.objects {
                if mapping.shared || self.wanted.private {
                    self.add_object(&mapping, !mapping.shared);
                }
            } else if mapping.shared {
                self.add_if_sysv(&mapping, name);
            }
        }
        Ok(())
    }

    fn add_object(&mut self, mapping: &Mapping, private: bool) {
        let of = Object::File { device: mapping.device, inode: mapping.inode };
        self.add(of, mapping, private);
    }

    fn add_if_sysv(&mut self, mapping: &Mapping, name: &[u8]) {
        let Ok(shmid) = i32::try_from(mapping.inode) else { return };
        if is_sysv(name) && self.is_here() {
            self.add(Object::Sysv(shmid), mapping, false);
        }
    }

    fn add(&mut self, of: Object, mapping: &Mapping, private: bool) {
        self.uses.push(Use {
            of,
            access: if mapping.writable && !private { Access::ReadWrite } else { Access::Read },
            private,
            place: Place::Mapping { start: mapping.start, end: mapping.end },
            reaches: mapping.offset.saturating_add(mapping.end - mapping.start),
        });
    }

    /// Whether its System V segments are those that we see: shmids are given
    /// anew in every IPC namespace.
    fn is_here(&mut self) -> bool {
        if let Some(here) = self.here {
            return here;
        }
        let namespace =
            |path: String| CString::new(path).ok().and_then(|path| statx_link(self.proc.fd(), &path).ok());
        let theirs = namespace(format!("{}/ns/ipc", self.path));
        let ours = namespace("thread-self/ns/ipc".to_owned());
        let here = matches!((theirs, ours), (Some(theirs), Some(ours)) if theirs.inode == ours.inode);
        self.here = Some(here);
        here
    }
}

/// Whether the kernel gave that name to a System V segment (`newseg` in
/// `ipc/shm.c`): `/SYSV`, the key in hexadecimal, and " (deleted)". A memfd on
/// the same file system is `/memfd:`.
pub fn is_sysv(name: &[u8]) -> bool {
    let key = name.strip_prefix(b"/SYSV").and_then(|rest| rest.strip_suffix(b" (deleted)"));
    key.is_some_and(|key| key.len() == 8 && key.iter().all(u8::is_ascii_hexdigit))
}

/// `7f0c4b000000-7f0c4b021000 rw-s 00000000 00:01 32770   /SYSV000004d2 (deleted)`
fn parse(line: &[u8]) -> Option<(Mapping, &[u8])> {
    let mut fields = line.splitn(6, |&byte| byte == b' ');
    let mut text = || fields.next().and_then(|field| std::str::from_utf8(field).ok());
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    let (start, end) = text()?.split_once('-')?;
    let flags = text()?.as_bytes();
    let offset = hexadecimal(text()?)?;
    let (major, minor) = text()?.split_once(':')?;
    let major = u32::from_str_radix(major, 16).ok()?;
    let minor = u32::from_str_radix(minor, 16).ok()?;
    let inode = text()?.parse().ok()?;
    let name = fields.next().unwrap_or_default().trim_ascii_start();
    let mapping = Mapping {
        start: hexadecimal(start)?,
        end: hexadecimal(end)?,
        offset,
        device: libc::makedev(major, minor),
        inode,
        writable: flags.get(1) == Some(&b'w'),
        shared: flags.get(3) == Some(&b's'),
        huge: false,
    };
    (inode != 0 && mapping.end > mapping.start).then_some((mapping, name))
}
