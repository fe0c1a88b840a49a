//! The symbol table of a program: its functions by their addresses, without debug information.

use super::elf::Elf;
use super::error::Result;
use super::file::{Allowance, FileSource, Input, OpenFile};
use super::separate;
use cpp_demangle::{DemangleOptions, Symbol as Mangled};
use gimli::RunTimeEndian;
use object::elf::{STT_FUNC, STT_GNU_IFUNC};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// More functions than any program has.
const MAX_SYMBOLS: usize = 1 << 22;
/// Bytes of a name, mangled or not. Names that refer to parts of themselves can become huge.
const MAX_NAME: usize = 4096;
/// Functions within functions that may contain an address.
const MAX_NESTED: usize = 16;

/// The functions of a symbol table.
#[derive(Debug)]
pub struct Symbols {
    /// In the order of their addresses.
    functions: Vec<Entry>,
    names: Arc<[u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    start: u64,
    /// 0 if unknown: to the next function.
    size: u64,
    /// The offset in the names.
    name: u32,
}

/// A function of a symbol table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// With its namespaces and classes, without its parameters.
    pub name: String,
    pub start: u64,
}

impl Symbols {
    /// Reads the symbols of an ELF file: `.symtab`, which may be in its debug file, or `.dynsym`.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is damaged, no ELF file or too large.
    pub fn open(file: &dyn FileSource, path: &Path, files: &dyn OpenFile) -> Result<Self> {
        let input = Input::new(file, path)?;
        let mut allowance = Allowance::default();
        let elf = Elf::read(&input, &mut allowance)?;
        if elf.has(".symtab") {
            return Self::read(&elf, &input, [".symtab", ".strtab"], &mut allowance);
        }
        let build_id = elf.build_id(&input, &mut allowance);
        if let Some(found) = separate::find(&elf, &input, build_id.as_deref(), path, files, &mut allowance)?
            && found.elf.has(".symtab")
        {
            let other = Input::new(found.file.as_ref(), &found.path)?;
            return Self::read(&found.elf, &other, [".symtab", ".strtab"], &mut allowance);
        }
        Self::read(&elf, &input, [".dynsym", ".dynstr"], &mut allowance)
    }

    fn read(
        elf: &Elf,
        input: &Input<'_>,
        [table, names]: [&str; 2],
        allowance: &mut Allowance,
    ) -> Result<Self> {
        let table = elf.bytes(table, input, allowance)?;
        let names = elf.bytes(names, input, allowance)?;
        let entries = table.chunks_exact(if elf.address_size == 8 { 24 } else { 16 });
        let mut functions: Vec<Entry> =
            entries.filter_map(|bytes| Entry::parse(bytes, elf)).take(MAX_SYMBOLS).collect();
        functions.sort_unstable();
        Ok(Self { functions, names })
    }

    /// The function at an address of the file.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<Symbol> {
        let after = self.functions.partition_point(|function| function.start <= address);
        let before = self.functions.get(..after)?.iter().rev().take(MAX_NESTED);
        let found = before.into_iter().find(|function| {
            let end = function.start.saturating_add(function.size);
            function.size == 0 && function.start == self.functions[after - 1].start || address < end
        })?;
        let name = self.names.get(found.name as usize..)?;
        let name = name.split(|&byte| byte == 0).next().filter(|name| !name.is_empty())?;
        Some(Symbol { name: demangled(name), start: found.start })
    }
}

impl Entry {
    /// Parses an `Elf64_Sym` or `Elf32_Sym`. `None` for anything but a function of the file.
    fn parse(bytes: &[u8], elf: &Elf) -> Option<Self> {
        let number = |at: usize, size: usize| {
            let bytes = bytes.get(at..at + size)?;
            let mut all = [0; 8];
            Some(match elf.order {
                RunTimeEndian::Little => {
                    all[..size].copy_from_slice(bytes);
                    u64::from_le_bytes(all)
                }
                RunTimeEndian::Big => {
                    all[8 - size..].copy_from_slice(bytes);
                    u64::from_be_bytes(all)
                }
            })
        };
        let ((info, section), start, size) = if elf.address_size == 8 {
            ((number(4, 1)?, number(6, 2)?), number(8, 8)?, number(16, 8)?)
        } else {
            ((number(12, 1)?, number(14, 2)?), number(4, 4)?, number(8, 4)?)
        };
        let is_function = [STT_FUNC.0, STT_GNU_IFUNC.0].iter().any(|&kind| u64::from(kind) == info & 0xf);
        // Section 0: it is in another file.
        let name = u32::try_from(number(0, 4)?).ok()?;
        (is_function && section != 0 && start != 0).then_some(Self { start, size, name })
    }
}

/// The name in the source, without parameters. A name that is not mangled stays.
fn demangled(name: &[u8]) -> String {
    /// Text up to [`MAX_NAME`] bytes.
    struct Limited(String);
    impl fmt::Write for Limited {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            if self.0.len() + text.len() > MAX_NAME {
                return Err(fmt::Error);
            }
            self.0.push_str(text);
            Ok(())
        }
    }
    let name = name.get(..MAX_NAME).unwrap_or(name);
    let plain = || String::from_utf8_lossy(name).into_owned();
    // The parser takes any type too, and `a` is that of a signed char.
    let Some(Ok(mangled)) = name.starts_with(b"_Z").then(|| Mangled::new(name)) else { return plain() };
    let options = DemangleOptions::new().no_params().no_return_type();
    let mut text = Limited(String::new());
    match mangled.structured_demangle(&mut text, &options) {
        Ok(()) => without_hash(text.0),
        Err(_) => plain(),
    }
}

/// Removes the hash that rustc appends to the names of its functions: `::h` and 16 digits.
fn without_hash(mut name: String) -> String {
    let hash = name.rsplit_once("::h").map(|(_, hash)| hash);
    if hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        name.truncate(name.len() - "::h".len() - 16);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(functions: &[(u64, u64, u32)], names: &[u8]) -> Symbols {
        let functions = functions.iter().map(|&(start, size, name)| Entry { start, size, name }).collect();
        Symbols { functions, names: names.into() }
    }

    #[test]
    fn function_contains_the_address() {
        let symbols = symbols(&[(16, 16, 0), (20, 4, 2), (64, 0, 4), (80, 8, 900)], b"a\0b\0c\0");
        let at = |address| symbols.at(address).map(|found| found.name);
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(
            [at(15), at(16), at(20), at(24), at(31)],
            [None, named("a"), named("b"), named("a"), named("a")]
        );
        assert_eq!([at(32), at(64), at(79), at(80), at(88)], [None, named("c"), named("c"), None, None]);
    }

    #[test]
    fn names_are_demangled_without_parameters() {
        assert_eq!(demangled(b"_ZN5Motor4stepEd"), "Motor::step");
        assert_eq!(demangled(b"_ZN4ring4step17h67d0400bb4375f1fE"), "ring::step");
        assert_eq!(demangled(b"_ZN4ring9h67d04000E"), "ring::h67d04000");
        assert_eq!(demangled(b"main"), "main");
        assert_eq!(demangled(b"_Zx\xff"), "_Zx\u{fffd}");
        let huge = [b"_ZN1a".as_slice(), &b"IS_S_".repeat(2000)].concat();
        assert!(demangled(&huge).len() <= 3 * MAX_NAME);
    }
}
