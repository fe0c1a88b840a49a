//! Programs in Python: with a numpy dtype if that has every field, otherwise with `ctypes`.

mod attach;
mod ctypes;
mod numpy;
mod values;

use super::functions;
use super::model::{Dialect, EnumModel, Model, Part};
use super::{Attachment, CodeError, is_integer, line, reserved};
use crate::decode::Type;
use attach::Attach;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use values::Show;

const DIALECT: Dialect = Dialect {
    in_fields: reserved::in_python,
    in_types: reserved::in_python_globals,
    in_enums: reserved::in_python_enums,
    has_bit_fields: false,
    has_anonymous: true,
};

pub fn definitions(ty: &Type) -> Result<String, CodeError> {
    let model = Model::new(ty, DIALECT)?;
    let types = types(&model);
    Ok(spaced(imports(&types, &[]) + "\n" + &types))
}

pub fn program(attachment: &Attachment, ty: Option<&Type>, offset: u64) -> Result<String, CodeError> {
    let model = ty.map(|ty| Model::new(ty, DIALECT)).transpose()?;
    let attach = Attach::to(attachment);
    let buffer = if attach.is_shared_memory { "memory.buf" } else { "memory" };
    let mut body = String::new();
    if let Some(model) = &model {
        body.push_str(&types(model));
        line(&mut body, format_args!("OFFSET = {offset}"));
    }
    body.push_str(&attach.text);
    match &model {
        Some(model) => typed_main(&mut body, model, buffer),
        None => {
            let _ = write!(
                body,
                "\nmemory = attach()\ndata = memoryview({buffer}).cast(\"B\").toreadonly()\n\
                 print(len(data), \"bytes\")\nprint(data[:16].hex(\" \"))\n"
            );
        }
    }
    if attach.is_shared_memory {
        body.push_str("del data  # Before close(), which fails while there are views.\nmemory.close()\n");
    }
    let shared = if attach.is_shared_memory {
        "from multiprocessing import resource_tracker, shared_memory\n"
    } else {
        ""
    };
    let imports = imports(&body, attach.modules);
    let (modules, numpy) = imports.split_once("\nimport numpy").unwrap_or((&imports, ""));
    let numpy = if numpy.is_empty() { String::new() } else { format!("\nimport numpy{numpy}") };
    let target = attachment.target.describe();
    let modules = modules.trim_end();
    Ok(spaced(format!("# Attaches to {target}, read-only.\n{modules}\n{shared}{numpy}\n{body}")))
}

/// Leaves at most two lines between parts.
fn spaced(mut text: String) -> String {
    while text.contains("\n\n\n\n") {
        text = text.replace("\n\n\n\n", "\n\n\n");
    }
    text
}

/// Imports the modules that a text uses.
fn imports(text: &str, modules: &[&'static str]) -> String {
    let mut modules: BTreeSet<&str> = modules.iter().copied().collect();
    let known = [("ctypes", "ctypes."), ("enum", "(enum."), ("struct", "struct."), ("time", "time.local")];
    modules.extend(known.iter().filter(|(_, word)| text.contains(word)).map(|(module, _)| *module));
    if text.contains("sys.stdout") {
        modules.insert("sys");
    }
    let mut out = String::new();
    for module in &modules {
        line(&mut out, format_args!("import {module}"));
    }
    if text.contains("np.") {
        out.push_str(if modules.is_empty() { "import numpy as np\n" } else { "\nimport numpy as np\n" });
    }
    out
}

/// The enumerations, then the records.
fn types(model: &Model) -> String {
    let mut out = String::new();
    for found in model.enums.iter().filter(|found| is_defined(found)) {
        line(&mut out, format_args!("\nclass {}(enum.IntEnum):{}", found.name.text, found.name.note("#")));
        for one in &found.enumerators {
            line(&mut out, format_args!("    {} = {}{}", one.name.text, one.value, one.name.note("#")));
        }
        out.push_str("\n\n");
    }
    out + &if numpy::is_numpy(model) { numpy::types(model) } else { ctypes::types(model) }
}

/// Returns true for enumerations that become a class.
fn is_defined(found: &EnumModel) -> bool {
    is_integer(found.underlying) && !found.enumerators.is_empty()
}

/// The name of the dtype or class of the whole type.
fn type_name(model: &Model) -> String {
    match model.root {
        Part::Enum(_) if !model.is_alias => format!("{}_type", model.name.text),
        _ => model.name.text.clone(),
    }
}

/// Reads the type and prints its first values.
fn typed_main(out: &mut String, model: &Model, buffer: &str) {
    let is_numpy = numpy::is_numpy(model);
    let show = Show::of(model, is_numpy);
    let functions = functions::PYTHON.called(&show.calls);
    for text in &functions {
        let _ = write!(out, "\n{text}\n\n");
    }
    out.push_str(&show.definitions);
    let name = type_name(model);
    if is_numpy {
        let _ = write!(
            out,
            "\nmemory = attach()\ndata = np.ndarray((), dtype={name}, buffer={buffer}, offset=OFFSET)\n\
             data.flags.writeable = False  # To write as well: without this line.\n"
        );
    } else {
        let _ = write!(
            out,
            "\nmemory = attach()\n\
             # A copy: writing to it does not change the segment.\n\
             data = {name}.from_buffer_copy({buffer}, OFFSET)\n"
        );
        if show.statements.contains("raw[") {
            out.push_str("raw = bytes(data)\n");
        }
    }
    if functions.iter().any(|text| text.starts_with("def escape(")) || show.is_wide() {
        out.push_str(
            "sys.stdout.reconfigure(errors=\"backslashreplace\")  # Not all terminals have all characters.\n",
        );
    }
    out.push_str(&show.statements);
}
