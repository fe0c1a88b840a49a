//! Parses the output of `crowd.cpp`: the segments that the crowd holds.

use shmlens::machine::process::Object;
use shmlens::segment::Access;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead;

/// A process's access to an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldObject {
    pub pid: u32,
    pub access: Access,
    pub mappings: u32,
    pub descriptors: u32,
    pub private: bool,
}

/// The holders, as they report themselves.
#[derive(Debug, Default)]
pub struct Truth {
    /// All segments and objects, with their holders by pid.
    pub held: BTreeMap<Object, Vec<HeldObject>>,
    pub names: HashMap<Object, Vec<u8>>,
    /// The unlinked objects.
    pub deleted: BTreeSet<Object>,
    pub roles: HashMap<String, Vec<u32>>,
    /// The names that processes gave themselves.
    pub commands: HashMap<u32, Vec<u8>>,
    /// Attachments that are counted but cannot be found.
    pub unseen: BTreeMap<Object, u32>,
}

impl Truth {
    /// Reads up to the line that reports all processes ready.
    pub fn read(lines: &mut impl BufRead) -> Self {
        let mut truth = Self::default();
        let mut line = String::new();
        loop {
            line.clear();
            let read = lines.read_line(&mut line);
            assert!(read.is_ok_and(|count| count > 0), "the crowd ended too soon");
            if line == "ready\n" {
                break;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            truth.take(&words).unwrap_or_else(|| panic!("unexpected line of the crowd: {line:?}"));
        }
        for holders in truth.held.values_mut() {
            holders.sort();
        }
        truth
    }

    fn take(&mut self, words: &[&str]) -> Option<()> {
        match *words {
            ["sysv", shmid] => {
                self.held.entry(Object::Sysv(shmid.parse().ok()?)).or_default();
            }
            [kind @ ("posix" | "deleted"), device, inode, name] => {
                let object = Object::File { device: device.parse().ok()?, inode: inode.parse().ok()? };
                self.held.entry(object).or_default();
                self.names.insert(object, bytes(name)?);
                if kind == "deleted" {
                    self.deleted.insert(object);
                }
            }
            ["process", pid, role, command] => {
                let pid = pid.parse().ok()?;
                self.roles.entry(role.to_owned()).or_default().push(pid);
                if command != "-" {
                    self.commands.insert(pid, bytes(command)?);
                }
            }
            ["hold", pid, of, access, mappings, descriptors, private] => {
                self.held.entry(object(of)?).or_default().push(HeldObject {
                    pid: pid.parse().ok()?,
                    access: if access == "rw" { Access::ReadWrite } else { Access::Read },
                    mappings: mappings.parse().ok()?,
                    descriptors: descriptors.parse().ok()?,
                    private: private == "private",
                });
            }
            ["unseen", _, of, mappings] => {
                *self.unseen.entry(object(of)?).or_default() += mappings.parse::<u32>().ok()?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// Parses `sysv:3` or `file:26:7`.
fn object(text: &str) -> Option<Object> {
    let words: Vec<&str> = text.split(':').collect();
    match words[..] {
        ["sysv", shmid] => Some(Object::Sysv(shmid.parse().ok()?)),
        ["file", device, inode] => {
            Some(Object::File { device: device.parse().ok()?, inode: inode.parse().ok()? })
        }
        _ => None,
    }
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
}
