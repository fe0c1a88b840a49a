//! Rust, with the crate `libc`.

use super::identifier::{Identifiers, is_reserved_in_rust, is_rust_type, rust_string};
use super::model::{BitField, Dialect, Member, Model, Part, RecordModel};
use super::path::{Leaf, Step, first_leaves};
use super::place::{Aligns, Placed, Slot, padding, place};
use super::{Attachment, CodeError, Target, is_foreign, is_integer, line, note};
use crate::decode::{Scalar, Type};
use std::fmt::Write as _;

const DIALECT: Dialect = Dialect {
    is_reserved: is_reserved_in_rust,
    is_taken: is_rust_type,
    has_bit_fields: false,
    has_anonymous: false,
};

pub fn definitions(ty: &Type) -> Result<String, CodeError> {
    Ok(types(&Model::new(ty, DIALECT)?))
}

pub fn program(attachment: &Attachment, ty: Option<&Type>, offset: u64) -> Result<String, CodeError> {
    let model = ty.map(|ty| Model::new(ty, DIALECT)).transpose()?;
    let mut out = format!("// Attaches to {}, read-only.\n", attachment.target.describe());
    out.push_str("// Build: cargo add libc (Rust 1.77 or later)\n");
    out.push_str("use std::io;\n");
    if let Some(model) = &model {
        out.push('\n');
        out.push_str(&types(model));
    }
    out.push_str(&match &attachment.target {
        Target::Object(name) if name.as_bytes().contains(&b'/') => {
            // shm_open takes no path with directories.
            let path = rust_string(&[b"/dev/shm/", name.as_bytes(), b"\0"].concat());
            FILE.replace(
                "@OPEN@",
                &format!("libc::open(b{path}.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC)"),
            )
        }
        Target::Object(name) => {
            let name = rust_string(&[b"/", name.as_bytes(), b"\0"].concat());
            FILE.replace("@OPEN@", &format!("libc::shm_open(b{name}.as_ptr().cast(), libc::O_RDONLY, 0)"))
        }
        Target::Shmid(shmid) => SYSV.replace("@ID@", &shmid.to_string()),
        Target::Key(key) => {
            SYSV.replace("@ID@", &format!("unsafe {{ libc::shmget({:#x}_u32 as libc::key_t, 0, 0) }}", key.0))
        }
    });
    match &model {
        Some(model) => typed_main(&mut out, model, offset),
        None => out.push_str(BYTES_MAIN),
    }
    Ok(out)
}

const FILE: &str = r"
/// Returns the first byte and the size. To write as well: O_RDWR, and PROT_READ | PROT_WRITE.
fn attach() -> io::Result<(*const u8, usize)> {
    unsafe {
        let file = @OPEN@;
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut status: libc::stat = std::mem::zeroed();
        let found = libc::fstat(file, &mut status);
        let size = status.st_size as usize;
        let address = libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ, libc::MAP_SHARED, file, 0);
        let error = io::Error::last_os_error();
        libc::close(file);
        if found != 0 || address == libc::MAP_FAILED {
            return Err(error);
        }
        Ok((address.cast(), size))
    }
}
";
const SYSV: &str = r"
/// Returns the first byte and the size. To write as well: 0 in place of SHM_RDONLY.
fn attach() -> io::Result<(*const u8, usize)> {
    let shmid = @ID@;
    if shmid < 0 {
        return Err(io::Error::last_os_error());
    }
    unsafe {
        let mut status: libc::shmid_ds = std::mem::zeroed();
        if libc::shmctl(shmid, libc::IPC_STAT, &mut status) != 0 {
            return Err(io::Error::last_os_error());
        }
        let address = libc::shmat(shmid, std::ptr::null(), libc::SHM_RDONLY);
        if address as isize == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok((address.cast_const().cast(), status.shm_segsz))
    }
}
";
const BYTES_MAIN: &str = r#"
fn main() -> io::Result<()> {
    let (bytes, size) = attach()?;
    println!("{size} bytes");
    for at in 0..size.min(16) {
        // Other processes may write while you read.
        print!("{:02x} ", unsafe { bytes.add(at).read_volatile() });
    }
    println!();
    Ok(())
}
"#;

fn typed_main(out: &mut String, model: &Model, offset: u64) {
    let name = format!("shared::{}", model.name.text);
    let _ = write!(
        out,
        r#"
fn main() -> io::Result<()> {{
    let (bytes, size) = attach()?;
    let offset: usize = {offset};
    if size < offset || size - offset < std::mem::size_of::<{name}>() {{
        return Err(io::Error::other(format!("the segment is too small: {{size}} bytes")));
    }}
    // Other processes may write while you read: no reference, but a copy of each value.
    let data: *const {name} = unsafe {{ bytes.add(offset) }}.cast();
"#
    );
    let leaves = first_leaves(model, is_printed);
    for leaf in &leaves {
        let value = expression(leaf);
        let (label, format) = (leaf.label(), if matches!(leaf.part, Part::Text(..)) { "{}" } else { "{:?}" });
        let value = if matches!(leaf.part, Part::Text(..)) {
            format!("String::from_utf8_lossy({value}.split(|&byte| byte == 0).next().unwrap_or_default())")
        } else {
            value
        };
        line(out, format_args!("    println!(\"{label} = {format}\", {value});"));
    }
    if leaves.is_empty() {
        out.push_str("    println!(\"{data:?}\");\n");
    }
    out.push_str("    Ok(())\n}\n");
}

/// The expression for a value in `data`.
fn expression(leaf: &Leaf<'_>) -> String {
    let mut place = String::from("(*data)");
    for step in &leaf.steps {
        match step {
            Step::Index(index) => drop(write!(place, "[{index}]")),
            Step::Member(member) | Step::Anonymous(member) => drop(write!(place, ".{}", member.name.text)),
            Step::BitField(field) => {
                // The record is copied: its method needs a reference.
                let copied = format!("std::ptr::addr_of!({place}).read_unaligned()");
                return format!("unsafe {{ {copied}.{}() }}", field.name.text);
            }
        }
    }
    format!("unsafe {{ std::ptr::addr_of!({place}).read_unaligned() }}")
}

fn is_printed(model: &Model, leaf: &Leaf<'_>) -> bool {
    match leaf.part {
        Part::Scalar(scalar, order) => {
            let other = [
                Scalar::F16,
                Scalar::F80,
                Scalar::Complex64,
                Scalar::Complex128,
                Scalar::Char16,
                Scalar::Char32,
            ];
            !is_foreign(*order, *scalar) && !other.contains(scalar) && !scalar.is_character()
        }
        Part::Text(scalar, ..) => scalar.size() == 1,
        Part::Enum(at) => {
            let found = &model.enums[*at];
            is_integer(found.underlying) && !is_foreign(found.order, found.underlying)
        }
        Part::Pointer { order, .. } => !is_foreign(*order, Scalar::U64),
        _ => false,
    }
}

/// Types of which every value is valid: `bool` and `char` are not.
fn scalar_word(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U8 | Scalar::Bool | Scalar::Char | Scalar::Char8 => "u8",
        Scalar::U16 | Scalar::F16 | Scalar::Char16 => "u16",
        Scalar::U32 | Scalar::Char32 => "u32",
        Scalar::U64 => "u64",
        Scalar::I8 => "i8",
        Scalar::I16 => "i16",
        Scalar::I32 => "i32",
        Scalar::F32 => "f32",
        Scalar::F64 => "f64",
        Scalar::U128 => "u128",
        Scalar::I128 => "i128",
        Scalar::F80 => "[u8; 16]",
        Scalar::Complex64 => "[f32; 2]",
        Scalar::Complex128 => "[f64; 2]",
        _ => "i64",
    }
}

fn word(model: &Model, part: &Part) -> String {
    let bytes = |size: u64| format!("[u8; {size}]");
    match part {
        Part::Array(element, count) => format!("[{}; {count}]", word(model, element)),
        Part::Scalar(scalar, order) if is_foreign(*order, *scalar) => bytes(scalar.size() as u64),
        Part::Scalar(scalar, _) => scalar_word(*scalar).to_owned(),
        Part::Text(scalar, order, units) if is_foreign(*order, *scalar) => {
            bytes(scalar.size() as u64 * units)
        }
        Part::Text(scalar, _, units) => format!("[{}; {units}]", scalar_word(*scalar)),
        Part::Bytes(size) => bytes(*size),
        Part::Pointer { size, order, .. } if is_foreign(*order, Scalar::U64) => bytes(*size),
        Part::Pointer { size, .. } => (if *size == 4 { "u32" } else { "u64" }).to_owned(),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            if !is_integer(found.underlying) || is_foreign(found.order, found.underlying) {
                return bytes(found.underlying.size() as u64);
            }
            found.name.text.clone()
        }
        Part::Record(at) => model.records[*at].name.text.clone(),
    }
}

fn align(model: &Model, part: &Part) -> u64 {
    let of = |scalar: Scalar, order| match scalar {
        Scalar::F80 => 1,
        _ if is_foreign(order, scalar) => 1,
        _ => scalar.align() as u64,
    };
    match part {
        Part::Scalar(scalar, order) | Part::Text(scalar, order, _) => of(*scalar, *order),
        Part::Enum(at) if is_integer(model.enums[*at].underlying) => {
            of(model.enums[*at].underlying, model.enums[*at].order)
        }
        Part::Pointer { size, order, .. } if !is_foreign(*order, Scalar::U64) => *size,
        _ => 1,
    }
}

fn types(model: &Model) -> String {
    let mut out = String::from(
        "#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]\npub mod shared {\n",
    );
    // Modules and types share their names.
    let mut names = Identifiers::new(is_rust_type);
    names.reserve(model.records.iter().map(|record| record.name.text.clone()));
    names.reserve(model.enums.iter().map(|found| found.name.text.clone()));
    for found in model.enums.iter().filter(|found| is_integer(found.underlying)) {
        let (name, word) = (&found.name.text, scalar_word(found.underlying));
        line(&mut out, format_args!("    pub type {name} = {word};{}", found.name.note("//")));
        if !found.enumerators.is_empty() {
            let module = names.take("", &format!("{name}_values")).text;
            line(&mut out, format_args!("    pub mod {module} {{"));
            for (one, value) in &found.enumerators {
                line(
                    &mut out,
                    format_args!("        pub const {}: {word} = {value};{}", one.text, one.note("//")),
                );
            }
            out.push_str("    }\n");
        }
        out.push('\n');
    }
    let placed = place(model, Aligns::new(align, false));
    for (record, layout) in model.records.iter().zip(&placed) {
        definition(&mut out, model, record, layout);
    }
    if !matches!(model.root, Part::Record(_) | Part::Enum(_)) {
        let (name, size) = (&model.name.text, model.size_of(&model.root));
        line(&mut out, format_args!("    pub type {name} = {};", word(model, &model.root)));
        line(&mut out, format_args!("    const _: () = assert!(core::mem::size_of::<{name}>() == {size});"));
    }
    if model.records.iter().any(|record| !record.bit_fields.is_empty()) {
        out.push_str(BITS);
    }
    out.push_str("}\n");
    out
}

const BITS: &str = "    /// Reads the bits of a bit-field.
    fn bits(bytes: &[u8], first: usize, width: usize) -> u128 {
        (0..width).fold(0, |value, at| {
            let bit = first + at;
            value | u128::from(bytes[bit / 8] >> (bit % 8) & 1) << at
        })
    }
";

fn definition(out: &mut String, model: &Model, record: &RecordModel, layout: &Placed<'_>) {
    let name = &record.name.text;
    let representation = if layout.is_packed { "C, packed" } else { "C" };
    let kind = if record.is_union { "union" } else { "struct" };
    line(out, format_args!("    #[repr({representation})]\n    #[derive(Clone, Copy)]"));
    line(out, format_args!("    pub {kind} {name} {{{}", record.name.note("//")));
    let mut pads = 0;
    for slot in &layout.slots {
        match slot {
            Slot::Member(member) => {
                let (field, word) = (&member.name.text, word(model, &member.part));
                line(out, format_args!("        pub {field}: {word},{}", note(member, "//")));
            }
            Slot::Bytes(count) => {
                line(out, format_args!("        pub {}: [u8; {count}],", padding(&layout.names, &mut pads)));
            }
            // Bit-fields are in bytes.
            Slot::Bits(_) => {}
        }
    }
    out.push_str("    }\n");
    line(out, format_args!("    const _: () = assert!(core::mem::size_of::<{name}>() == {});", record.size));
    for Member { name: field, offset, .. } in &record.members {
        let field = &field.text;
        line(
            out,
            format_args!("    const _: () = assert!(core::mem::offset_of!({name}, {field}) == {offset});"),
        );
    }
    if !record.bit_fields.is_empty() {
        line(out, format_args!("    impl {name} {{"));
        for field in &record.bit_fields {
            accessor(out, model, record, field);
        }
        out.push_str("    }\n");
    }
    out.push('\n');
}

fn accessor(out: &mut String, model: &Model, record: &RecordModel, field: &BitField) {
    let scalar = match &field.part {
        Part::Scalar(scalar, _) => *scalar,
        Part::Enum(at) => model.enums[*at].underlying,
        _ => return,
    };
    let word = match scalar {
        scalar if is_integer(scalar) => scalar_word(scalar),
        scalar if scalar.is_signed() => "i128",
        _ => "u128",
    };
    let (name, member) = (&field.name.text, &record.members[field.member].name.text);
    let (first, width) = (field.first, field.width);
    let bits = format!("bits(&self.{member}, {first}, {width})");
    // The bytes of a union are one of its members.
    let bits = if record.is_union { format!("(unsafe {{ {bits} }})") } else { bits };
    let unused = 128 - u32::from(width.clamp(1, 128));
    let value = if scalar.is_signed() {
        format!("(({bits} << {unused}) as i128 >> {unused}) as {word}")
    } else {
        format!("{bits} as {word}")
    };
    line(out, format_args!("        pub fn {name}(&self) -> {word} {{{}", field.name.note("//")));
    line(out, format_args!("            {value}\n        }}"));
}
