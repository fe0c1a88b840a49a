//! The headers of an ELF file: its sections, and where its segments are loaded.

use super::error::{DebugError, Result};
use super::file::{Allowance, Input};
use gimli::RunTimeEndian;
use object::elf::{
    ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, ET_REL, FileHeader32, FileHeader64, PF_X, PT_LOAD, SHF_COMPRESSED,
    SHT_NOBITS,
};
use object::read::elf::{CompressionHeader as _, FileHeader, ProgramHeader as _, SectionHeader as _};
use object::{CompressedData, CompressionFormat, Endianness, pod};
use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

/// More sections than any linked program has.
const MAX_SECTIONS: u32 = 1 << 16;
/// The names of all sections.
const MAX_NAMES: u64 = 1 << 22;
/// A zlib stream is at most about 1030 times larger when decompressed, one of zstd may be more.
const MAX_RATIO: u64 = 1 << 14;

/// The headers of a file.
#[derive(Debug)]
pub(super) struct Elf {
    pub order: RunTimeEndian,
    /// In bytes.
    pub address_size: u8,
    pub machine: u16,
    /// An object file: its addresses are those of no program.
    pub is_object: bool,
    pub segments: Vec<Segment>,
    /// By name. In a `.dwo` file, each type has a section of its own.
    sections: HashMap<Vec<u8>, Vec<Section>>,
}

/// A part of the file that is loaded into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub file_offset: u64,
    pub address: u64,
    pub size: u64,
    pub executable: bool,
}

#[derive(Debug, Clone, Copy)]
struct Section {
    address: u64,
    offset: u64,
    size: u64,
    is_compressed: bool,
    /// It takes no space in the file.
    is_absent: bool,
}

impl Elf {
    pub fn read(input: &Input<'_>, allowance: &mut Allowance) -> Result<Self> {
        let size = (size_of::<FileHeader64<Endianness>>() as u64).min(input.size);
        let head = input.read(0, size, allowance)?;
        let not_elf = || DebugError::NotElf { file: input.name.clone() };
        if !head.starts_with(b"\x7fELF") {
            return Err(not_elf());
        }
        match head.get(4) {
            Some(1) => Self::read_class::<FileHeader32<Endianness>>(&head, input, allowance),
            Some(2) => Self::read_class::<FileHeader64<Endianness>>(&head, input, allowance),
            _ => Err(not_elf()),
        }
    }

    fn read_class<H: FileHeader<Endian = Endianness>>(
        head: &[u8],
        input: &Input<'_>,
        allowance: &mut Allowance,
    ) -> Result<Self> {
        let damaged = || input.damaged("its ELF header is invalid");
        let (header, _) = pod::from_bytes::<H>(head).map_err(|()| damaged())?;
        let endian = header.endian().map_err(|_| damaged())?;
        let order = match endian {
            Endianness::Little => RunTimeEndian::Little,
            Endianness::Big => RunTimeEndian::Big,
        };
        let mut elf = Self {
            order,
            address_size: if header.is_type_64() { 8 } else { 4 },
            machine: header.e_machine(endian).0,
            is_object: header.e_type(endian) == ET_REL,
            segments: vec![],
            sections: HashMap::new(),
        };
        let size = u64::from(header.e_phnum(endian)) * size_of::<H::ProgramHeader>() as u64;
        if size > 0 {
            let bytes = input.read(header.e_phoff(endian).into(), size, allowance)?;
            let segments = pod::slice_from_all_bytes::<H::ProgramHeader>(&bytes).map_err(|()| damaged())?;
            elf.segments = segments
                .iter()
                .filter(|segment| segment.p_type(endian) == PT_LOAD)
                .map(|segment| Segment {
                    file_offset: segment.p_offset(endian).into(),
                    address: segment.p_vaddr(endian).into(),
                    size: segment.p_memsz(endian).into(),
                    executable: segment.p_flags(endian).0 & PF_X.0 != 0,
                })
                .collect();
        }
        elf.read_sections(header, endian, input, allowance)?;
        Ok(elf)
    }

    fn read_sections<H: FileHeader<Endian = Endianness>>(
        &mut self,
        header: &H,
        endian: Endianness,
        input: &Input<'_>,
        allowance: &mut Allowance,
    ) -> Result<()> {
        let damaged = || input.damaged("its section headers are invalid");
        let start: u64 = header.e_shoff(endian).into();
        if start == 0 {
            return Ok(());
        }
        let each = size_of::<H::SectionHeader>() as u64;
        if u64::from(header.e_shentsize(endian)) != each {
            return Err(damaged());
        }
        // With more than 65279 sections, the first header has their number.
        let first = input.read(start, each, allowance)?;
        let (first, _) = pod::from_bytes::<H::SectionHeader>(&first).map_err(|()| damaged())?;
        let count = match header.e_shnum(endian) {
            0 => u32::try_from(first.sh_size(endian).into()).map_err(|_| damaged())?,
            count => count.into(),
        };
        let names = header.e_shstrndx(endian).index().map_or_else(|| first.sh_link(endian), u32::from);
        if count > MAX_SECTIONS {
            return Err(damaged());
        }
        let bytes = input.read(start, u64::from(count) * each, allowance)?;
        let headers = pod::slice_from_all_bytes::<H::SectionHeader>(&bytes).map_err(|()| damaged())?;
        let names = headers.get(names as usize).ok_or_else(damaged)?;
        if names.sh_size(endian).into() > MAX_NAMES {
            return Err(damaged());
        }
        let names = input.read(names.sh_offset(endian).into(), names.sh_size(endian).into(), allowance)?;
        for section in headers {
            let name = names.get(section.sh_name(endian) as usize..).unwrap_or_default();
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            if !name.starts_with(b".") {
                continue;
            }
            let section = Section {
                address: section.sh_addr(endian).into(),
                offset: section.sh_offset(endian).into(),
                size: section.sh_size(endian).into(),
                is_compressed: section.sh_flags(endian).contains(SHF_COMPRESSED),
                is_absent: section.sh_type(endian) == SHT_NOBITS,
            };
            self.sections.entry(name.to_vec()).or_default().push(section);
        }
        Ok(())
    }

    pub fn has(&self, name: &str) -> bool {
        self.named(name).iter().any(|section| !section.is_absent && section.size > 0)
    }

    pub fn address_of(&self, name: &str) -> Option<u64> {
        self.named(name).first().map(|section| section.address)
    }

    fn named(&self, name: &str) -> &[Section] {
        self.sections.get(name.as_bytes()).map_or(&[], Vec::as_slice)
    }

    /// The bytes of the sections with a name, decompressed. Empty if there is none. `.debug_info` may
    /// have the old compressed form `.zdebug_info`.
    pub fn bytes(&self, name: &str, input: &Input<'_>, allowance: &mut Allowance) -> Result<Arc<[u8]>> {
        let mut sections = self.named(name);
        let mut is_old = false;
        if let (true, Some(rest)) = (sections.is_empty(), name.strip_prefix(".debug_")) {
            sections = self.named(&format!(".zdebug_{rest}"));
            is_old = true;
        }
        let mut all: Arc<[u8]> = Arc::default();
        for section in sections.iter().filter(|section| !section.is_absent) {
            let bytes = input.read(section.offset, section.size, allowance)?;
            let bytes = if is_old || section.is_compressed {
                let damaged = || input.damaged(&format!("{name} cannot be decompressed"));
                let size = self.compression(&bytes, is_old).map(|(_, size, _)| size).ok_or_else(damaged)?;
                if size / MAX_RATIO > bytes.len() as u64 {
                    return Err(damaged());
                }
                allowance.take(size, &input.name)?;
                self.decompressed(&bytes, is_old).ok_or_else(damaged)?.into()
            } else {
                bytes
            };
            all = if all.is_empty() { bytes } else { all.iter().chain(&*bytes).copied().collect() };
        }
        Ok(all)
    }

    fn decompressed(&self, bytes: &[u8], is_old: bool) -> Option<Vec<u8>> {
        let (format, uncompressed_size, data) = self.compression(bytes, is_old)?;
        let data = CompressedData { format, data, uncompressed_size };
        data.decompress().ok().map(std::borrow::Cow::into_owned)
    }

    /// The format, the size when decompressed, and the compressed bytes.
    fn compression<'a>(&self, bytes: &'a [u8], is_old: bool) -> Option<(CompressionFormat, u64, &'a [u8])> {
        fn parse<H: FileHeader<Endian = Endianness>>(
            bytes: &[u8],
            endian: Endianness,
        ) -> Option<(CompressionFormat, u64, &[u8])> {
            let (header, data) = pod::from_bytes::<H::CompressionHeader>(bytes).ok()?;
            let format = match header.ch_type(endian) {
                ELFCOMPRESS_ZLIB => CompressionFormat::Zlib,
                ELFCOMPRESS_ZSTD => CompressionFormat::Zstandard,
                _ => return None,
            };
            Some((format, header.ch_size(endian).into(), data))
        }
        if is_old {
            let (size, data) = bytes.strip_prefix(b"ZLIB")?.split_first_chunk::<8>()?;
            return Some((CompressionFormat::Zlib, u64::from_be_bytes(*size), data));
        }
        let endian = match self.order {
            RunTimeEndian::Little => Endianness::Little,
            RunTimeEndian::Big => Endianness::Big,
        };
        if self.address_size == 8 {
            parse::<FileHeader64<Endianness>>(bytes, endian)
        } else {
            parse::<FileHeader32<Endianness>>(bytes, endian)
        }
    }

    /// The build-id; `None` without one.
    pub fn build_id(&self, input: &Input<'_>, allowance: &mut Allowance) -> Option<Vec<u8>> {
        let bytes = self.bytes(".note.gnu.build-id", input, allowance).ok()?;
        let word = |at: usize| {
            let bytes = *bytes.get(at..)?.first_chunk::<4>()?;
            let word = match self.order {
                RunTimeEndian::Little => u32::from_le_bytes(bytes),
                RunTimeEndian::Big => u32::from_be_bytes(bytes),
            };
            usize::try_from(word).ok()
        };
        let (name, size) = (word(0)?, word(4)?);
        let start = 12_usize.checked_add(name.checked_next_multiple_of(4)?)?;
        Some(bytes.get(start..start.checked_add(size)?)?.to_vec())
    }
}
