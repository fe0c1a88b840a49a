//! The headers of programs in the catalog that are documented in their sources.

use super::{Built, Fit, Peek};
use crate::decode::{ByteOrder, Field, Record, RecordKind, Scalar, Type};

/// A header: its fields in order, without gaps, and the check of its contents.
struct Header {
    name: &'static str,
    order: ByteOrder,
    fields: &'static [(&'static str, Scalar)],
    /// Set if it ends where the segment does.
    is_at_end: bool,
    /// Returns the evidence if the fields fit a segment of this size.
    fits: fn(fields: &[u64], size: u64) -> Option<String>,
}

use Scalar::{Char, I32, I64, U32, U64};

const HEADERS: [Header; 4] = [
    // `PGShmemHeader` in src/include/storage/pg_shmem.h.
    Header {
        name: "postgresql",
        order: ByteOrder::Little,
        fields: &[
            ("magic", I32),
            ("creator_pid", I32),
            ("total_size", U64),
            ("free_offset", U64),
            ("dsm_control", U32),
        ],
        is_at_end: false,
        fits: |fields, _| match *fields {
            [679_834_894, pid, total, free, _]
                if pid > 0 && free >= 40 && free <= total && free.is_multiple_of(8) =>
            {
                Some(format!("magic number of PostgreSQL; created by process {pid}"))
            }
            _ => None,
        },
    },
    // `sysvshm_chunk_head` in ext/sysvshm/php_sysvshm.h: all of it is in terms of the segment.
    Header {
        name: "php",
        order: ByteOrder::Little,
        fields: &[("magic", Char), ("start", I64), ("end", I64), ("free", I64), ("total", I64)],
        is_at_end: false,
        fits: |fields, size| match *fields {
            // PHP_SM
            [0x4d53_5f50_4850, 40, end, free, total]
                if total <= size && (40..=total).contains(&end) && free == total - end =>
            {
                Some(format!("magic text of PHP; variables take {} bytes", end - 40))
            }
            _ => None,
        },
    },
    // `XWDFileHeader` in X11/XWDFile.h, with the name of the window behind it.
    Header {
        name: "xwd",
        order: ByteOrder::Big,
        fields: &[
            ("header_size", U32),
            ("file_version", U32),
            ("pixmap_format", U32),
            ("pixmap_depth", U32),
            ("pixmap_width", U32),
            ("pixmap_height", U32),
            ("xoffset", U32),
            ("byte_order", U32),
            ("bitmap_unit", U32),
            ("bitmap_bit_order", U32),
            ("bitmap_pad", U32),
            ("bits_per_pixel", U32),
            ("bytes_per_line", U32),
            ("visual_class", U32),
            ("red_mask", U32),
            ("green_mask", U32),
            ("blue_mask", U32),
            ("bits_per_rgb", U32),
            ("colormap_entries", U32),
            ("ncolors", U32),
            ("window_width", U32),
            ("window_height", U32),
            ("window_x", U32),
            ("window_y", U32),
            ("window_border", U32),
        ],
        is_at_end: false,
        fits: |fields, size| {
            let (&[header, 7, 0..=2, depth, width, height], &[bits, line]) =
                (fields.get(..6)?, fields.get(11..13)?)
            else {
                return None;
            };
            // A color of the map takes 12 bytes.
            let end = header + 12 * fields.get(19)? + line.checked_mul(height)?;
            let fits = header >= 100 && depth <= bits && width * bits <= 8 * line && end <= size;
            fits.then(|| format!("an X window dump of {width}x{height} pixels that fits the segment"))
        },
    },
    // `struct shm_marker` in src/pulsecore/shm.c.
    Header {
        name: "pulseaudio",
        order: ByteOrder::Little,
        fields: &[
            ("marker", U32),
            ("pid", I32),
            ("reserved1", U64),
            ("reserved2", U64),
            ("reserved3", U64),
            ("reserved4", U64),
        ],
        is_at_end: true,
        fits: |fields, _| match *fields {
            [0xbeef_cafe, pid, 0, 0, 0, 0] if pid > 0 => {
                Some(format!("marker of PulseAudio at the end; created by process {pid}"))
            }
            _ => None,
        },
    },
];

impl Header {
    fn ty(&self) -> Option<Type> {
        let mut end = 0;
        let mut fields = vec![];
        for &(name, scalar) in self.fields {
            let ty = Type::scalar(scalar, self.order);
            let ty = if scalar == Char { Type::array(ty, 8).ok()? } else { ty };
            let size = ty.size();
            fields.push(Field::new(name, ty, end));
            end += size;
        }
        Type::record(Record::new(RecordKind::Struct, self.name, fields), end, 8).ok()
    }

    /// The fields as numbers.
    fn numbers(&self, ty: &Type, bytes: &[u8]) -> Vec<u64> {
        let number = |range: std::ops::Range<u64>| {
            let at = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = bytes.get(at(range.start)..at(range.end)).unwrap_or_default();
            let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
            match self.order {
                ByteOrder::Little => bytes.iter().rev().fold(0, push),
                ByteOrder::Big => bytes.iter().fold(0, push),
            }
        };
        ty.leaves().map(|leaf| number(leaf.range())).collect()
    }

    fn fit(&self, contents: &Peek<'_>, size: u64) -> Option<Fit> {
        let ty = self.ty()?;
        let offset = if self.is_at_end { size.checked_sub(ty.size())? } else { 0 };
        if offset + ty.size() > size {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(ty.size()).ok()?];
        if !contents(offset, &mut bytes) {
            return None;
        }
        let evidence = (self.fits)(&self.numbers(&ty, &bytes), size)?;
        let name = if offset == 0 { self.name.to_owned() } else { format!("{}@{offset:#x}", self.name) };
        Some(Fit { name, offset, built: Built { ty, count: 1, is_certain: true, evidence, note: None } })
    }
}

/// Returns the type of a header by its name.
pub fn named(word: &str) -> Option<Type> {
    HEADERS.iter().find(|header| header.name == word.trim())?.ty()
}

/// Finds the headers that fit the contents of a segment.
pub fn fitting(contents: &Peek<'_>, size: u64) -> Vec<Fit> {
    HEADERS.iter().filter_map(|header| header.fit(contents, size)).collect()
}
