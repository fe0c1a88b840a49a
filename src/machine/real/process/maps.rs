//! The mappings of a process, from `PROCMAP_QUERY` if the kernel supports it, otherwise from the
//! maps file (`proc_pid_maps(5)`).

use super::subject::Subject;
use crate::machine::image::MappedRange;
use crate::machine::process::{Claim, Object, ScanOptions, Use};
use crate::segment::{Access, Place};
use crate::sys::procmap::{self, Mapping, MappingFilter};
use nix::fcntl::OFlag;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once the kernel has rejected `PROCMAP_QUERY`.
static TEXT_ONLY: AtomicBool = AtomicBool::new(false);

/// The buffer size for names, which fits any System V segment and most objects. A longer name needs
/// a second query.
const NAME_BUFFER_SIZE: usize = 256;
/// The buffer size for the maps file, which fits most processes.
const MAPS_BUFFER_SIZE: usize = 64 << 10;

/// Adds the mappings of a process.
///
/// # Errors
/// `ENOENT` and `ESRCH` if the process is gone or has no memory, `EACCES`, `EMFILE`.
pub fn find(subject: &Subject, wanted: &ScanOptions, uses: &mut Vec<Use>) -> io::Result<()> {
    let maps = File::from(subject.open_file(c"maps", OFlag::empty())?);
    let mut finder = Finder { subject, wanted, here: None, uses };
    if !wanted.as_text && !TEXT_ONLY.load(Ordering::Relaxed) {
        match finder.find_by_query(&maps) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => {
                TEXT_ONLY.store(true, Ordering::Relaxed);
            }
            done => return done,
        }
    }
    finder.find_by_text(maps)
}

struct Finder<'a> {
    subject: &'a Subject,
    wanted: &'a ScanOptions,
    /// Set if the process is in this IPC namespace; `None` if not checked yet.
    here: Option<bool>,
    uses: &'a mut Vec<Use>,
}

impl Finder<'_> {
    fn find_by_query(&mut self, maps: &File) -> io::Result<()> {
        let mut name = [0; NAME_BUFFER_SIZE];
        let mut at = 0;
        if !self.wanted.private {
            while let Some((mapping, name)) =
                procmap::next(maps.as_fd(), at, MappingFilter::Shared, &mut name)?
            {
                at = mapping.end;
                self.add_found(&mapping, name);
            }
            return Ok(());
        }
        // Most mappings are libraries, whose names are slow to query and not needed.
        while let Some((mapping, _)) = procmap::next(maps.as_fd(), at, MappingFilter::All, &mut [])? {
            at = mapping.end;
            if mapping.shared {
                let named = procmap::next(maps.as_fd(), mapping.start, MappingFilter::Shared, &mut name)?;
                let name = named.filter(|(found, _)| *found == mapping).map_or(&[][..], |(_, name)| name);
                self.add_found(&mapping, name);
            } else {
                self.add_found(&mapping, &[]);
            }
        }
        Ok(())
    }

    /// Reads the maps file, which includes private mappings.
    fn find_by_text(&mut self, mut maps: File) -> io::Result<()> {
        let mut text = Vec::with_capacity(MAPS_BUFFER_SIZE);
        maps.read_to_end(&mut text)?;
        if text.is_empty() {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        for line in text.split(|&byte| byte == b'\n') {
            if let Some((mapping, name)) = parse(line) {
                self.add_found(&mapping, name);
            }
        }
        Ok(())
    }

    fn add_found(&mut self, mapping: &Mapping, name: &[u8]) {
        let segment_devices = &self.wanted.segment_devices;
        if Some(mapping.device) == segment_devices.objects {
            if mapping.shared || self.wanted.private {
                self.add(Object::File { device: mapping.device, inode: mapping.inode }, mapping, None);
            }
        } else if mapping.shared && segment_devices.sysv.contains(&mapping.device) {
            self.add_if_sysv(mapping, name);
        }
    }

    fn add_if_sysv(&mut self, mapping: &Mapping, name: &[u8]) {
        let Ok(shmid) = i32::try_from(mapping.inode) else { return };
        let (subject, wanted) = (self.subject, self.wanted);
        if let Some(key) = sysv_key(name) {
            let here = *self.here.get_or_insert_with(|| subject.sees(wanted));
            let normal_pages = wanted.segment_devices.sysv.first() == Some(&mapping.device);
            self.add(Object::Sysv(shmid), mapping, Some(Claim { key, normal_pages, here }));
        }
    }

    fn add(&mut self, of: Object, mapping: &Mapping, claim: Option<Claim>) {
        self.uses.push(Use {
            of,
            access: if mapping.writable && mapping.shared { Access::ReadWrite } else { Access::Read },
            private: !mapping.shared,
            place: Place::Mapping { start: mapping.start, end: mapping.end },
            reaches: mapping.offset.saturating_add(mapping.end - mapping.start),
            claim,
        });
    }
}

/// Returns the key in the kernel's name of a System V segment (`newseg` in `ipc/shm.c`): `/SYSV`,
/// the key in hexadecimal, and " (deleted)". `None` for other names: a memfd on the same file
/// system is `/memfd:`.
pub fn sysv_key(name: &[u8]) -> Option<u32> {
    let key = name.strip_prefix(b"/SYSV").and_then(|rest| rest.strip_suffix(b" (deleted)"))?;
    let is_key = key.len() == 8 && key.iter().all(u8::is_ascii_hexdigit);
    is_key.then(|| u32::from_str_radix(std::str::from_utf8(key).ok()?, 16).ok()).flatten()
}

/// Returns the path of the file mapped at this address, from the maps file.
pub fn name_at(table: &[u8], start: u64) -> Option<Vec<u8>> {
    let mut lines = table.split(|&byte| byte == b'\n').filter_map(parse);
    let (_, name) = lines.find(|(mapping, _)| mapping.start == start)?;
    Some(unescaped(name))
}

/// Returns all mappings in a maps file.
pub fn all(table: &[u8]) -> Vec<MappedRange> {
    table.split(|&byte| byte == b'\n').filter_map(parse_line).collect()
}

/// Restores newlines, which the maps file escapes as `\\012` (`seq_file_path` in `show_map_vma`).
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"\\012") {
            path.push(b'\n');
            rest = after;
        } else {
            path.push(first);
            rest = after;
        }
    }
    path
}

/// Parses a line about a file.
fn parse(line: &[u8]) -> Option<(Mapping, &[u8])> {
    let (mapping, name) = parse_fields(line)?;
    // Mappings without a file have device 0. Inode 0 may be a segment: shmids start at 0.
    (mapping.device != 0).then_some((mapping, name))
}

/// Parses a line about any mapping.
fn parse_line(line: &[u8]) -> Option<MappedRange> {
    let (mapping, name) = parse_fields(line)?;
    let executable = line.split(|&byte| byte == b' ').nth(1)?.get(2) == Some(&b'x');
    Some(MappedRange {
        addresses: mapping.start..mapping.end,
        offset: mapping.offset,
        device: mapping.device,
        inode: mapping.inode,
        writable: mapping.writable,
        executable,
        shared: mapping.shared,
        name: unescaped(name),
    })
}

/// Parses `7f0c4b000000-7f0c4b021000 rw-s 00000000 00:01 32770   /SYSV000004d2 (deleted)`.
fn parse_fields(line: &[u8]) -> Option<(Mapping, &[u8])> {
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
    };
    (mapping.end > mapping.start).then_some((mapping, name))
}
