//! Python: a numpy dtype where it has every field, otherwise `ctypes`.

use super::identifier::{is_python_global, is_reserved_in_python, python_string, rust_string};
use super::model::{BitField, Dialect, Member, Model, Part, RecordModel};
use super::path::{Leaf, Step, first_leaves};
use super::place::{Aligns, Slot, padding, place};
use super::{Attachment, CodeError, Target, dimensions, is_foreign, is_integer, line, note};
use crate::decode::{ByteOrder, Scalar, Type};
use std::fmt::Write as _;

const DIALECT: Dialect = Dialect {
    is_reserved: is_reserved_in_python,
    is_taken: is_python_global,
    has_bit_fields: false,
    has_anonymous: true,
};
/// numpy keeps sizes of records in an `int`.
const MAX_RECORD: u64 = i32::MAX as u64;

pub fn definitions(ty: &Type) -> Result<String, CodeError> {
    let model = Model::new(ty, DIALECT)?;
    let (import, types) = if is_numpy(&model) {
        ("import numpy as np\n", numpy_types(&model))
    } else {
        ("import ctypes\n", ctypes_types(&model))
    };
    Ok(format!("{}{import}\n{types}", enum_import(&model)) + &enums(&model))
}

fn enum_import(model: &Model) -> &'static str {
    if model.enums.iter().any(is_shown) { "import enum\n" } else { "" }
}

pub fn program(attachment: &Attachment, ty: Option<&Type>, offset: u64) -> Result<String, CodeError> {
    let model = ty.map(|ty| Model::new(ty, DIALECT)).transpose()?;
    let is_numpy = model.as_ref().is_some_and(is_numpy);
    let (imports, attach) = attach(attachment);
    let mut modules: Vec<&str> = imports.to_vec();
    if model.is_some() && !is_numpy && !modules.contains(&"ctypes") {
        modules.push("ctypes");
    }
    if model.as_ref().is_some_and(|model| !enum_import(model).is_empty()) {
        modules.push("enum");
    }
    modules.sort_unstable();
    let mut out = format!("# Attaches to {}, read-only.\n", attachment.target.describe());
    for module in modules {
        line(&mut out, format_args!("import {module}"));
    }
    if matches!(attach.1, Way::SharedMemory) {
        out.push_str("from multiprocessing import resource_tracker, shared_memory\n");
    }
    if is_numpy {
        out.push_str("\nimport numpy as np\n");
    }
    out.push('\n');
    if let Some(model) = &model {
        out.push_str(&if is_numpy { numpy_types(model) } else { ctypes_types(model) });
        out.push_str(&enums(model));
        line(&mut out, format_args!("OFFSET = {offset}"));
    }
    out.push_str(&attach.0);
    let buffer = if matches!(attach.1, Way::SharedMemory) { "memory.buf" } else { "memory" };
    match &model {
        None => {
            line(
                &mut out,
                format_args!("\nmemory = attach()\ndata = memoryview({buffer}).cast(\"B\").toreadonly()"),
            );
            out.push_str("print(len(data), \"bytes\")\nprint(data[:16].hex(\" \"))\n");
        }
        Some(model) if is_numpy => {
            let (dtype, shape) = root_dtype(model);
            line(&mut out, format_args!("\nmemory = attach()"));
            line(
                &mut out,
                format_args!("data = np.ndarray({shape}, dtype={dtype}, buffer={buffer}, offset=OFFSET)"),
            );
            out.push_str("data.flags.writeable = False  # To write as well: without this line.\n");
            prints(&mut out, model, numpy_expression);
        }
        Some(model) => {
            let _ = write!(
                out,
                "\nmemory = attach()\n\n\n{}",
                READ.replace("@TYPE@", &root_ctype(model)).replace("@BUFFER@", buffer)
            );
            out.push_str("\n\ndata = read()\n");
            prints(&mut out, model, ctypes_expression);
        }
    }
    if matches!(attach.1, Way::SharedMemory) {
        out.push_str("del data  # Before close(), which fails while there are views.\nmemory.close()\n");
    }
    Ok(out)
}

enum Way {
    SharedMemory,
    Buffer,
}

/// The modules and the function that attach.
fn attach(attachment: &Attachment) -> (&'static [&'static str], (String, Way)) {
    let sysv = |declaration: String, id: &str| {
        let text = SYSV.replace("@DECLARATION@", &declaration).replace("@ID@", id);
        (["ctypes", "os"].as_slice(), (text.replace("@SIZE@", &attachment.size.to_string()), Way::Buffer))
    };
    match &attachment.target {
        Target::Object(name) => match std::str::from_utf8(name.as_bytes()) {
            // The resource tracker gets lines of ASCII with colons between their parts.
            Ok(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"/:".contains(&byte)) => {
                (["sys"].as_slice(), (OBJECT.replace("@NAME@", &python_string(text)), Way::SharedMemory))
            }
            // SharedMemory does not take this name.
            _ => {
                let path = rust_string(&[b"/dev/shm/", name.as_bytes()].concat());
                (["mmap"].as_slice(), (FILE.replace("@PATH@", &path), Way::Buffer))
            }
        },
        Target::Shmid(shmid) => sysv(format!("SHMID = {shmid}"), "SHMID"),
        Target::Key(key) => {
            sysv(format!("KEY = {:#x}", key.0), "check(libc.shmget(KEY, SIZE, 0), \"shmget\")")
        }
    }
}

const OBJECT: &str = r#"NAME = @NAME@


def attach():
    # SharedMemory needs the permission to write. If you may only read the object, use
    # mmap.mmap(os.open("/dev/shm/...", os.O_RDONLY), 0, prot=mmap.PROT_READ) instead.
    if sys.version_info >= (3, 13):
        # With track=True, the object would be unlinked when this program exits.
        return shared_memory.SharedMemory(name=NAME, create=False, track=False)
    memory = shared_memory.SharedMemory(name=NAME, create=False)
    # Otherwise the resource tracker would unlink the object when this program exits.
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory

"#;
const FILE: &str = r#"

def attach():
    with open(b@PATH@, "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

"#;
/// multiprocessing has no System V segments.
const SYSV: &str = r#"@DECLARATION@
SIZE = @SIZE@
SHM_RDONLY = 0o10000


def check(result, call):
    if result in (-1, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), call + ": " + os.strerror(ctypes.get_errno()))
    return result


def attach():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmget.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
    libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    libc.shmat.restype = ctypes.c_void_p
    shmid = @ID@
    # To write as well: 0 in place of SHM_RDONLY.
    address = check(libc.shmat(shmid, None, SHM_RDONLY), "shmat")
    return (ctypes.c_ubyte * SIZE).from_address(address)

"#;
const READ: &str = r"def read():
    # A copy: writing to it does not change the segment.
    return @TYPE@.from_buffer_copy(@BUFFER@, OFFSET)
";

fn prints(out: &mut String, model: &Model, expression: fn(&Leaf<'_>) -> String) {
    let leaves = first_leaves(model, |_, _| true);
    for leaf in &leaves {
        line(out, format_args!("print(\"{} =\", {})", leaf.label(), expression(leaf)));
    }
    if leaves.is_empty() {
        out.push_str("print(data)\n");
    }
}

fn is_shown(found: &super::model::EnumModel) -> bool {
    is_integer(found.underlying) && !found.enumerators.is_empty()
}

fn enums(model: &Model) -> String {
    let mut out = String::new();
    for found in model.enums.iter().filter(|found| is_shown(found)) {
        line(&mut out, format_args!("\nclass {}(enum.IntEnum):{}", found.name.text, found.name.note("#")));
        for (name, value) in &found.enumerators {
            line(&mut out, format_args!("    {} = {value}{}", name.text, name.note("#")));
        }
        out.push_str("\n\n");
    }
    out
}

/// Returns true if a numpy dtype has every field.
fn is_numpy(model: &Model) -> bool {
    let is_part = |part: &Part| {
        let (element, counts) = dimensions(part);
        let is_known = match element {
            Part::Scalar(Scalar::U128 | Scalar::I128, _) => false,
            Part::Enum(at) => is_integer(model.enums[*at].underlying),
            Part::Text(..) | Part::Bytes(_) => model.size_of(element) <= MAX_RECORD,
            _ => true,
        };
        is_known && counts.len() < 32
    };
    is_part(&model.root)
        && model.records.iter().all(|record| {
            !record.is_union
                && record.bit_fields.is_empty()
                && record.size <= MAX_RECORD
                && record.members.iter().all(|member| is_part(&member.part))
        })
}

const fn order_mark(order: ByteOrder) -> char {
    match order {
        ByteOrder::Little => '<',
        ByteOrder::Big => '>',
    }
}

/// The dtype of a part, and the shape that follows from it.
fn dtype(model: &Model, part: &Part) -> (String, Vec<u64>) {
    let (element, mut counts) = dimensions(part);
    let plain = |code: &str| format!("\"{code}\"");
    let scalar = |scalar: Scalar, order: ByteOrder| {
        let code = match scalar {
            Scalar::U8 => "u1",
            Scalar::I8 => "i1",
            Scalar::U16 | Scalar::Char16 => "u2",
            Scalar::I16 => "i2",
            Scalar::U32 => "u4",
            Scalar::I32 => "i4",
            Scalar::U64 => "u8",
            Scalar::F16 => "f2",
            Scalar::F32 => "f4",
            Scalar::F64 => "f8",
            Scalar::F80 => "f16",
            Scalar::Complex64 => "c8",
            Scalar::Complex128 => "c16",
            Scalar::Char32 => "U1",
            Scalar::TimeSeconds => "M8[s]",
            Scalar::TimeMillis => "M8[ms]",
            Scalar::TimeMicros => "M8[us]",
            Scalar::TimeNanos => "M8[ns]",
            Scalar::Datetime(tick) => &format!("M8{tick}"),
            Scalar::Timedelta(tick) => &format!("m8{tick}"),
            Scalar::Bool => return plain("?"),
            Scalar::Char | Scalar::Char8 => return plain("S1"),
            Scalar::U128 | Scalar::I128 => return plain("V16"),
            Scalar::I64 => "i8",
        };
        let mark = if scalar.size() > 1 { order_mark(order) } else { '|' };
        format!("\"{mark}{code}\"")
    };
    let text = match element {
        Part::Scalar(kind, order) => scalar(*kind, *order),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            let kind = if found.underlying == Scalar::Char { Scalar::I8 } else { found.underlying };
            scalar(kind, found.order)
        }
        Part::Pointer { size, order, .. } => format!("\"{}u{size}\"", order_mark(*order)),
        Part::Text(Scalar::Char32, order, units) => format!("\"{}U{units}\"", order_mark(*order)),
        Part::Text(Scalar::Char16, order, units) => {
            counts.push(*units);
            scalar(Scalar::Char16, *order)
        }
        Part::Text(_, _, units) => format!("\"S{units}\""),
        Part::Bytes(size) => format!("\"V{size}\""),
        Part::Record(at) => model.records[*at].name.text.clone(),
        Part::Array(..) => plain("V1"),
    };
    (text, counts)
}

fn shape(counts: &[u64]) -> String {
    match counts {
        [one] => format!("({one},)"),
        _ => format!("({})", counts.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn root_dtype(model: &Model) -> (String, String) {
    let (text, counts) = dtype(model, &model.root);
    (text, shape(&counts))
}

/// Names of dtypes may be any text: they stay as they were declared.
fn dtype_names(record: &RecordModel) -> Vec<String> {
    let mut names = std::collections::HashSet::new();
    let declared = |member: &Member| Some(&member.declared).filter(|name| !name.is_empty()).cloned();
    let all: Vec<String> = record
        .members
        .iter()
        .map(|member| declared(member).unwrap_or_else(|| member.name.text.clone()))
        .collect();
    let is_unique = all.iter().all(|name| names.insert(name));
    if is_unique { all } else { record.members.iter().map(|member| member.name.text.clone()).collect() }
}

fn numpy_types(model: &Model) -> String {
    let mut out = String::new();
    for record in &model.records {
        let formats: Vec<String> = record
            .members
            .iter()
            .map(|member| match dtype(model, &member.part) {
                (text, counts) if counts.is_empty() => text,
                (text, counts) => format!("({text}, {})", shape(&counts)),
            })
            .collect();
        let names: Vec<String> = dtype_names(record).iter().map(|name| python_string(name)).collect();
        line(&mut out, format_args!("{} = np.dtype({{{}", record.name.text, record.name.note("#")));
        line(&mut out, format_args!("    \"names\": [{}],", listed(&names, |_| String::new())));
        let notes = |at: usize| {
            super::meaning(&record.members[at].part).map_or_else(String::new, |note| format!("  # {note}"))
        };
        line(&mut out, format_args!("    \"formats\": [{}],", listed(&formats, notes)));
        let offsets: Vec<String> = record.members.iter().map(|member| member.offset.to_string()).collect();
        line(&mut out, format_args!("    \"offsets\": [{}],", listed(&offsets, |_| String::new())));
        line(&mut out, format_args!("    \"itemsize\": {},\n}})", record.size));
    }
    out
}

/// On one line if they are short and without notes.
fn listed(items: &[String], note: impl Fn(usize) -> String) -> String {
    let notes: Vec<String> = (0..items.len()).map(note).collect();
    let length: usize = items.iter().map(|item| item.len() + 2).sum();
    if length < 80 && notes.iter().all(String::is_empty) {
        return items.join(", ");
    }
    let mut out = String::from("\n");
    for (item, note) in items.iter().zip(notes) {
        line(&mut out, format_args!("        {item},{note}"));
    }
    out + "    "
}

fn numpy_expression(leaf: &Leaf<'_>) -> String {
    let mut text = String::from("data");
    for step in &leaf.steps {
        match step {
            Step::Index(index) => drop(write!(text, "[{index}]")),
            Step::Member(member) | Step::Anonymous(member) => {
                let name = if member.declared.is_empty() { &member.name.text } else { &member.declared };
                let _ = write!(text, "[{}]", python_string(name));
            }
            Step::BitField(_) => {}
        }
    }
    match leaf.part {
        // numpy strips only the NULs at the end.
        Part::Text(Scalar::Char | Scalar::Char8, ..) | Part::Scalar(Scalar::Char | Scalar::Char8, _) => {
            format!("{text}.tobytes().partition(b\"\\0\")[0]")
        }
        _ => text,
    }
}

fn ctypes_expression(leaf: &Leaf<'_>) -> String {
    let mut text = String::from("data");
    for step in &leaf.steps {
        match step {
            Step::Index(index) => drop(write!(text, "[{index}]")),
            Step::Member(member) | Step::Anonymous(member) => drop(write!(text, ".{}", member.name.text)),
            Step::BitField(field) => drop(write!(text, ".{}", field.name.text)),
        }
    }
    let is_text = matches!(leaf.part, Part::Text(..)) && !ctype_of_leaf(leaf.part).contains("uint");
    let is_bytes = ctype_of_leaf(leaf.part).contains(" * ");
    match leaf.steps.last() {
        // Arrays of text in an array, and values alone, are objects of ctypes.
        None | Some(Step::Index(_)) if is_text => format!("{text}.value"),
        None if !is_bytes => format!("{text}.value"),
        _ if is_bytes && !is_text => format!("{text}[:]"),
        _ => text,
    }
}

fn ctype_of_leaf(part: &Part) -> String {
    let swapped = |name: &str, order: ByteOrder| match order {
        _ if order == ByteOrder::native() => format!("ctypes.{name}"),
        ByteOrder::Big => format!("ctypes.{name}.__ctype_be__"),
        ByteOrder::Little => format!("ctypes.{name}.__ctype_le__"),
    };
    let bytes = |size: u64| format!("ctypes.c_uint8 * {size}");
    let scalar = |kind: Scalar, order: ByteOrder| match kind {
        Scalar::U8 => "ctypes.c_uint8".to_owned(),
        Scalar::I8 => "ctypes.c_int8".to_owned(),
        Scalar::U16 | Scalar::F16 | Scalar::Char16 => swapped("c_uint16", order),
        Scalar::I16 => swapped("c_int16", order),
        Scalar::U32 => swapped("c_uint32", order),
        Scalar::I32 => swapped("c_int32", order),
        Scalar::U64 => swapped("c_uint64", order),
        Scalar::F32 => swapped("c_float", order),
        Scalar::F64 => swapped("c_double", order),
        Scalar::F80 if is_foreign(order, kind) => bytes(16),
        Scalar::F80 => "ctypes.c_longdouble".to_owned(),
        Scalar::U128 | Scalar::I128 => bytes(16),
        Scalar::Complex64 => swapped("c_float", order) + " * 2",
        Scalar::Complex128 => swapped("c_double", order) + " * 2",
        Scalar::Bool => "ctypes.c_bool".to_owned(),
        Scalar::Char | Scalar::Char8 => "ctypes.c_char".to_owned(),
        Scalar::Char32 if is_foreign(order, kind) => swapped("c_uint32", order),
        Scalar::Char32 => "ctypes.c_wchar".to_owned(),
        _ => swapped("c_int64", order),
    };
    match part {
        Part::Scalar(kind, order) => scalar(*kind, *order),
        Part::Pointer { size: 4, order, .. } => swapped("c_uint32", *order),
        Part::Pointer { order, .. } => swapped("c_uint64", *order),
        Part::Text(kind, order, units) => format!("{} * {units}", scalar(*kind, *order)),
        Part::Bytes(size) => bytes(*size),
        Part::Enum(_) | Part::Array(..) | Part::Record(_) => String::new(),
    }
}

fn ctype(model: &Model, part: &Part) -> String {
    match part {
        Part::Array(element, count) => format!("{} * {count}", ctype(model, element)),
        Part::Record(at) => model.records[*at].name.text.clone(),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            let kind = if found.underlying == Scalar::Char { Scalar::I8 } else { found.underlying };
            ctype_of_leaf(&Part::Scalar(kind, found.order))
        }
        _ => ctype_of_leaf(part),
    }
}

fn root_ctype(model: &Model) -> String {
    match ctype(model, &model.root) {
        text if text.contains(' ') => format!("({text})"),
        text => text,
    }
}

fn align(model: &Model, part: &Part) -> u64 {
    let of = |scalar: Scalar, order: ByteOrder| match scalar {
        Scalar::U128 | Scalar::I128 => 1,
        Scalar::F80 if is_foreign(order, scalar) => 1,
        _ => scalar.align() as u64,
    };
    match part {
        Part::Scalar(scalar, order) | Part::Text(scalar, order, _) => of(*scalar, *order),
        Part::Enum(at) => of(model.enums[*at].underlying, model.enums[*at].order),
        Part::Pointer { size, .. } => *size,
        _ => 1,
    }
}

fn ctypes_types(model: &Model) -> String {
    let mut out = String::new();
    if model.records.iter().any(|record| !record.bit_fields.is_empty()) {
        out.push_str(BITS);
    }
    for (record, layout) in model.records.iter().zip(place(model, Aligns::new(align, false))) {
        let base = if record.is_union { "Union" } else { "Structure" };
        line(&mut out, format_args!("\nclass {}(ctypes.{base}):{}", record.name.text, record.name.note("#")));
        if layout.is_packed {
            out.push_str("    _pack_ = 1\n    _layout_ = \"ms\"\n");
        }
        let is_anonymous = |part: &Part| matches!(part, Part::Record(at) if model.records[*at].is_anonymous);
        let mut anonymous = String::new();
        for member in record.members.iter().filter(|member| is_anonymous(&member.part)) {
            let _ = write!(anonymous, "\"{}\", ", member.name.text);
        }
        if !anonymous.is_empty() {
            line(&mut out, format_args!("    _anonymous_ = ({})", anonymous.trim_end()));
        }
        out.push_str("    _fields_ = [\n");
        let mut pads = 0;
        for slot in &layout.slots {
            match slot {
                Slot::Member(member) => {
                    let (name, word) = (&member.name.text, ctype(model, &member.part));
                    line(
                        &mut out,
                        format_args!("        (\"{name}\", {word}),{}", ctypes_note(model, member)),
                    );
                }
                Slot::Bytes(count) => {
                    let name = padding(&layout.names, &mut pads);
                    line(&mut out, format_args!("        (\"{name}\", ctypes.c_uint8 * {count}),"));
                }
                Slot::Bits(_) => {}
            }
        }
        out.push_str("    ]\n");
        for field in &record.bit_fields {
            out.push_str(&bit_field(model, record, field));
        }
        line(&mut out, format_args!("\n\nassert ctypes.sizeof({}) == {}", record.name.text, record.size));
        for member in &record.members {
            let (record, field, offset) = (&record.name.text, &member.name.text, member.offset);
            line(&mut out, format_args!("assert {record}.{field}.offset == {offset}"));
        }
        out.push('\n');
    }
    out
}

fn ctypes_note(model: &Model, member: &Member) -> String {
    match dimensions(&member.part).0 {
        Part::Enum(at) => format!("  # {}", model.enums[*at].name.text),
        _ => note(member, "#"),
    }
}

const BITS: &str = r#"
def _bits(member, first, width, is_signed):
    def get(self):
        value = int.from_bytes(bytes(getattr(self, member)), "little") >> first & (1 << width) - 1
        return value - (1 << width) if is_signed and value >> (width - 1) else value

    return property(get)

"#;

fn bit_field(model: &Model, record: &RecordModel, field: &BitField) -> String {
    let is_signed = match &field.part {
        Part::Scalar(scalar, _) => scalar.is_signed(),
        Part::Enum(at) => model.enums[*at].underlying.is_signed(),
        _ => false,
    };
    let signed = if is_signed { "True" } else { "False" };
    let (name, member) = (&field.name.text, &record.members[field.member].name.text);
    let mut out = String::new();
    line(
        &mut out,
        format_args!(
            "    {name} = _bits(\"{member}\", {}, {}, {signed}){}",
            field.first,
            field.width,
            field.name.note("#")
        ),
    );
    out
}
