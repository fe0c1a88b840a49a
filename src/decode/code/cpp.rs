//! C++.

use super::identifier::{cpp_string, is_reserved_in_cpp};
use super::model::{Dialect, Member, Model, Part, RecordModel};
use super::path::{Leaf, Step, first_leaves};
use super::place::{Aligns, Placed, Slot, padding, place};
use super::{Attachment, CodeError, Target, dimensions, is_foreign, is_integer, line, note};
use crate::decode::{Scalar, Type};
use std::fmt::Write as _;

const DIALECT: Dialect = Dialect {
    is_reserved: is_reserved_in_cpp,
    is_taken: is_reserved_in_cpp,
    has_bit_fields: true,
    has_anonymous: true,
};

pub fn definitions(ty: &Type) -> Result<String, CodeError> {
    Ok(types(&Model::new(ty, DIALECT)?))
}

pub fn program(attachment: &Attachment, ty: Option<&Type>, offset: u64) -> Result<String, CodeError> {
    let model = ty.map(|ty| Model::new(ty, DIALECT)).transpose()?;
    let mut out = format!("// Attaches to {}, read-only.\n", attachment.target.describe());
    out.push_str("// Build: g++ -std=c++17 FILE.cpp (glibc before 2.34 needs -lrt)\n");
    let (headers, open) = match &attachment.target {
        Target::Object(name) if name.as_bytes().contains(&b'/') => {
            // shm_open takes no path with directories.
            let path = [b"/dev/shm/", name.as_bytes()].concat();
            (
                FILE_HEADERS,
                FILE.replace("@OPEN@", &format!("open({}, O_RDONLY | O_CLOEXEC)", cpp_string(&path))),
            )
        }
        Target::Object(name) => {
            let name = [b"/", name.as_bytes()].concat();
            (FILE_HEADERS, FILE.replace("@OPEN@", &format!("shm_open({}, O_RDONLY, 0)", cpp_string(&name))))
        }
        Target::Shmid(shmid) => (SYSV_HEADERS, SYSV.replace("@ID@", &shmid.to_string())),
        Target::Key(key) => {
            let get = format!("shmget(static_cast<key_t>({:#x}), 0, 0)", key.0);
            (SYSV_HEADERS, SYSV.replace("@ID@", &get))
        }
    };
    out.push_str(HEADERS);
    // The definitions come before the headers with more macros.
    if let Some(model) = &model {
        out.push('\n');
        out.push_str(&types(model));
        out.push('\n');
    }
    out.push_str(headers);
    out.push_str(&open);
    match &model {
        Some(model) => typed_main(&mut out, model, offset),
        None => out.push_str(BYTES_MAIN),
    }
    Ok(out)
}

const HEADERS: &str = "#include <cstddef>\n#include <cstdint>\n";
const FILE_HEADERS: &str = "\
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string_view>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
";
const SYSV_HEADERS: &str = "\
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string_view>
#include <sys/ipc.h>
#include <sys/shm.h>
";
/// Attaches to a POSIX object.
const FILE: &str = r#"
struct Attached {
    const unsigned char *bytes;
    std::size_t size;
};

// To write as well: O_RDWR, and PROT_READ | PROT_WRITE.
static Attached attach() {
    const int file = @OPEN@;
    if (file < 0) {
        std::perror("open");
        return {nullptr, 0};
    }
    struct stat status;
    if (fstat(file, &status) != 0) {
        std::perror("fstat");
        close(file);
        return {nullptr, 0};
    }
    const std::size_t size = static_cast<std::size_t>(status.st_size);
    void *const address = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (address == MAP_FAILED) {
        std::perror("mmap");
        return {nullptr, 0};
    }
    return {static_cast<const unsigned char *>(address), size};
}
"#;
const SYSV: &str = r#"
struct Attached {
    const unsigned char *bytes;
    std::size_t size;
};

// To write as well: 0 in place of SHM_RDONLY.
static Attached attach() {
    const int shmid = @ID@;
    struct shmid_ds status;
    if (shmid < 0 || shmctl(shmid, IPC_STAT, &status) != 0) {
        std::perror(shmid < 0 ? "shmget" : "shmctl");
        return {nullptr, 0};
    }
    void *const address = shmat(shmid, nullptr, SHM_RDONLY);
    if (address == reinterpret_cast<void *>(-1)) {
        std::perror("shmat");
        return {nullptr, 0};
    }
    return {static_cast<const unsigned char *>(address), status.shm_segsz};
}
"#;
const BYTES_MAIN: &str = r#"
int main() {
    const Attached segment = attach();
    if (segment.bytes == nullptr) {
        return 1;
    }
    std::cout << segment.size << " bytes\n";
    for (std::size_t at = 0; at < segment.size && at < 16; at++) {
        std::printf("%02x ", segment.bytes[at]);
    }
    std::puts("");
}
"#;

/// Reads the type: other processes may write at the same time.
fn typed_main(out: &mut String, model: &Model, offset: u64) {
    let name = format!("shared::{}", model.name.text);
    let _ = write!(
        out,
        r#"
int main() {{
    const Attached segment = attach();
    if (segment.bytes == nullptr) {{
        return 1;
    }}
    const std::size_t offset = {offset};
    if (segment.size < offset || segment.size - offset < sizeof({name})) {{
        std::fprintf(stderr, "the segment is too small: %zu bytes\n", segment.size);
        return 1;
    }}
    // Other processes may write while you read.
    const auto *data = reinterpret_cast<const {name} *>(segment.bytes + offset);
"#
    );
    let leaves = first_leaves(model, is_printed);
    let is_float =
        |leaf: &Leaf<'_>| matches!(leaf.part, Part::Scalar(Scalar::F32 | Scalar::F64 | Scalar::F80, _));
    if leaves.iter().any(is_float) {
        out.push_str("    std::cout.precision(17);\n");
    }
    for leaf in &leaves {
        let value = expression(leaf);
        let value = match leaf.part {
            Part::Text(..) => format!("std::string_view({value}, strnlen({value}, sizeof {value}))"),
            Part::Enum(at) => format!("+static_cast<{}>({value})", scalar_word(model.enums[*at].underlying)),
            _ => format!("+{value}"),
        };
        line(out, format_args!("    std::cout << \"{} = \" << {value} << '\\n';", leaf.label()));
    }
    if leaves.is_empty() {
        out.push_str("    std::cout << static_cast<const void *>(data) << '\\n';\n");
    }
    out.push_str("}\n");
}

/// The expression for a value in `data`.
pub fn expression(leaf: &Leaf<'_>) -> String {
    let mut text = String::from("(*data)");
    for step in &leaf.steps {
        match step {
            Step::Index(index) => drop(write!(text, "[{index}]")),
            Step::Member(member) => drop(write!(text, ".{}", member.name.text)),
            Step::BitField(field) => drop(write!(text, ".{}", field.name.text)),
            Step::Anonymous(_) => {}
        }
    }
    match text.strip_prefix("(*data).") {
        Some(rest) => format!("data->{rest}"),
        None if leaf.steps.is_empty() => "*data".to_owned(),
        None => text,
    }
}

fn is_printed(model: &Model, leaf: &Leaf<'_>) -> bool {
    match leaf.part {
        Part::Scalar(scalar, order) => {
            let wide = [
                Scalar::U128,
                Scalar::I128,
                Scalar::F16,
                Scalar::Complex64,
                Scalar::Complex128,
                Scalar::Char,
                Scalar::Char8,
                Scalar::Char16,
                Scalar::Char32,
            ];
            !is_foreign(*order, *scalar) && !wide.contains(scalar)
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

fn scalar_word(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U8 => "std::uint8_t",
        Scalar::U16 | Scalar::F16 => "std::uint16_t",
        Scalar::U32 => "std::uint32_t",
        Scalar::U64 => "std::uint64_t",
        Scalar::I8 => "std::int8_t",
        Scalar::I16 => "std::int16_t",
        Scalar::I32 => "std::int32_t",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
        Scalar::F80 => "long double",
        Scalar::U128 => "unsigned __int128",
        Scalar::I128 => "__int128",
        Scalar::Complex64 => "_Complex float",
        Scalar::Complex128 => "_Complex double",
        Scalar::Bool => "bool",
        Scalar::Char | Scalar::Char8 => "char",
        Scalar::Char16 => "char16_t",
        Scalar::Char32 => "char32_t",
        _ => "std::int64_t",
    }
}

/// The words before and after the name of a declaration.
fn words(model: &Model, part: &Part) -> (String, String) {
    let bytes = |size: u64| ("unsigned char".to_owned(), format!("[{size}]"));
    match part {
        Part::Array(..) => {
            let (element, counts) = dimensions(part);
            let (before, after) = words(model, element);
            let mut all = String::new();
            for count in counts {
                let _ = write!(all, "[{count}]");
            }
            (before, all + &after)
        }
        Part::Scalar(scalar, order) if is_foreign(*order, *scalar) => bytes(scalar.size() as u64),
        Part::Scalar(scalar, _) => (scalar_word(*scalar).to_owned(), String::new()),
        Part::Text(scalar, order, units) if is_foreign(*order, *scalar) => {
            bytes(scalar.size() as u64 * units)
        }
        Part::Text(scalar, _, units) => (scalar_word(*scalar).to_owned(), format!("[{units}]")),
        Part::Bytes(size) => bytes(*size),
        Part::Pointer { size, order, .. } if is_foreign(*order, Scalar::U64) => bytes(*size),
        Part::Pointer { size: 4, .. } => ("std::uint32_t".to_owned(), String::new()),
        Part::Pointer { .. } => ("std::uintptr_t".to_owned(), String::new()),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            if !is_integer(found.underlying) || is_foreign(found.order, found.underlying) {
                return bytes(found.underlying.size() as u64);
            }
            (found.name.text.clone(), String::new())
        }
        Part::Record(at) => (model.records[*at].name.text.clone(), String::new()),
    }
}

fn align(model: &Model, part: &Part) -> u64 {
    let of = |scalar: Scalar, order| if is_foreign(order, scalar) { 1 } else { scalar.align() as u64 };
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
    let mut out = String::from("namespace shared {\n\n");
    for found in model.enums.iter().filter(|found| is_integer(found.underlying)) {
        let (name, word) = (&found.name.text, scalar_word(found.underlying));
        line(&mut out, format_args!("enum class {name} : {word} {{{}", found.name.note("//")));
        for (name, value) in &found.enumerators {
            line(&mut out, format_args!("    {} = {},{}", name.text, literal(*value), name.note("//")));
        }
        out.push_str("};\n\n");
    }
    let placed = place(model, Aligns::new(align, true));
    let writer = Writer { model, placed: &placed };
    for (record, layout) in model.records.iter().zip(&placed).filter(|(record, _)| !record.is_anonymous) {
        let name = &record.name.text;
        line(&mut out, format_args!("{} {name} {{{}", head(record.is_union, layout), record.name.note("//")));
        writer.body(layout, 1, &mut 0, &mut out);
        out.push_str("};\n");
        line(&mut out, format_args!("static_assert(sizeof({name}) == {}, \"size of {name}\");", record.size));
        writer.asserts(record, name, 0, &mut out);
        out.push('\n');
    }
    if !matches!(model.root, Part::Record(_) | Part::Enum(_)) {
        let (before, after) = words(model, &model.root);
        let (name, size) = (&model.name.text, model.size_of(&model.root));
        line(&mut out, format_args!("using {name} = {before}{after};"));
        line(&mut out, format_args!("static_assert(sizeof({name}) == {size}, \"size of {name}\");\n"));
    }
    out.push_str("} // namespace shared\n");
    out
}

fn head(is_union: bool, layout: &Placed<'_>) -> String {
    let word = if is_union { "union" } else { "struct" };
    match (layout.is_packed, layout.written_align) {
        (false, None) => word.to_owned(),
        (false, Some(align)) => format!("{word} alignas({align})"),
        (true, None) => format!("{word} __attribute__((packed))"),
        (true, Some(align)) => format!("{word} __attribute__((packed, aligned({align})))"),
    }
}

struct Writer<'a> {
    model: &'a Model,
    placed: &'a [Placed<'a>],
}

impl Writer<'_> {
    /// Writes the members. Those of anonymous records share the numbers of padding with them.
    fn body(&self, layout: &Placed<'_>, depth: usize, pads: &mut u32, out: &mut String) {
        let indent = "    ".repeat(depth);
        for slot in &layout.slots {
            match slot {
                Slot::Bytes(count) => {
                    let name = padding(&layout.names, pads);
                    line(out, format_args!("{indent}unsigned char {name}[{count}];"));
                }
                Slot::Bits(count) => line(out, format_args!("{indent}unsigned char : {count};")),
                Slot::Member(member) => self.member(member, &indent, depth, pads, out),
            }
        }
    }

    fn member(&self, member: &Member, indent: &str, depth: usize, pads: &mut u32, out: &mut String) {
        if let Part::Record(at) = member.part
            && self.model.records[at].is_anonymous
        {
            let (record, layout) = (&self.model.records[at], &self.placed[at]);
            line(out, format_args!("{indent}{} {{", head(record.is_union, layout)));
            self.body(layout, depth + 1, pads, out);
            line(out, format_args!("{indent}}};"));
            return;
        }
        let (before, after) = words(self.model, &member.part);
        let bits = member.bits.map_or_else(String::new, |bits| format!(" : {}", bits.width));
        let name = &member.name.text;
        line(out, format_args!("{indent}{before} {name}{after}{bits};{}", note(member, "//")));
    }

    /// Asserts the offsets of all members that are not bit-fields.
    fn asserts(&self, record: &RecordModel, name: &str, base: u64, out: &mut String) {
        for member in &record.members {
            let offset = base + member.offset;
            match member.part {
                Part::Record(at) if self.model.records[at].is_anonymous => {
                    self.asserts(&self.model.records[at], name, offset, out);
                }
                _ if member.bits.is_some() => {}
                _ => {
                    let field = &member.name.text;
                    line(
                        out,
                        format_args!(
                            "static_assert(offsetof({name}, {field}) == {offset}, \"offset of {field}\");"
                        ),
                    );
                }
            }
        }
    }
}

/// `-9223372036854775808` is no literal of C++.
fn literal(value: i128) -> String {
    match i64::try_from(value) {
        Ok(i64::MIN) => "-9223372036854775807 - 1".to_owned(),
        Ok(value) => value.to_string(),
        Err(_) => format!("{value}u"),
    }
}
