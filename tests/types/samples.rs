//! Runs generated programs on bytes, many at once, and compares their output with what shmlens prints.

use super::code::{directory, python_with_numpy, run, rustc};
use crate::support::{Namespaces, Object, tool};
use shmlens::decode::code::{Attachment, CodeLanguage, Target, code};
use shmlens::decode::{Leaf, Type};
use shmlens::segment::{ObjectName, quote};
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// Bytes that a program prints of a value.
const MAX_BYTES: usize = 64;
/// Values that differ, in a message.
const MAX_FAILURES: usize = 20;
/// The type starts at a multiple of this, as in a program that shares it.
const ALIGN: usize = 64;

/// A type, and the bytes that it is read from.
pub struct Sample {
    pub name: String,
    pub ty: Type,
    pub bytes: Vec<u8>,
}

impl Sample {
    /// The lines that a program may print: a path and the value as shmlens prints it.
    fn lines(&self) -> Vec<String> {
        let value = self.ty.decode(&self.bytes);
        let mut paths = vec![];
        let mut leaves = self.ty.leaves();
        while leaves.next().is_some() {
            let path = leaves.path_text();
            paths.push(if path.is_empty() { "value".to_owned() } else { path });
        }
        let leaves = paths.into_iter().zip(value.leaves());
        let shown = leaves.filter(|(_, (place, _))| !place.range().is_empty());
        let text = |leaf: Option<Leaf<'_>>| match leaf.unwrap() {
            Leaf::Bytes(bytes) if bytes.len() > MAX_BYTES => {
                format!("{} ... and {} more", Leaf::Bytes(&bytes[..MAX_BYTES]), bytes.len() - MAX_BYTES)
            }
            leaf => leaf.to_string(),
        };
        shown.map(|(path, (_, leaf))| format!("{} = {}", quote(path.as_bytes()), text(leaf))).collect()
    }

    /// Checks the output of a program. Returns the number of values that it printed.
    pub fn check(&self, language: CodeLanguage, printed: &str, failures: &mut Vec<String>) -> usize {
        let expected = self.lines();
        let known: HashSet<&str> = expected.iter().map(String::as_str).collect();
        let (mut found, mut more) = (0, 0);
        for line in printed.lines() {
            match line.strip_prefix("... and ").and_then(|rest| rest.strip_suffix(" more")) {
                Some(rest) => more = rest.parse().unwrap(),
                None if expected.is_empty() => assert_eq!(line, "value = {}"),
                None => {
                    let path = line.split(" = ").next().unwrap();
                    let like: Vec<_> = expected.iter().filter(|one| one.starts_with(path)).take(3).collect();
                    if !known.contains(line) && !like.iter().any(|one| is_tie(line, one)) {
                        failures.push(format!("{language:?}: {}\n{line} is not in {like:#?}", self.name));
                    }
                    found += 1;
                }
            }
        }
        assert_eq!(found + more, expected.len(), "{language:?}: {}\n{printed}", self.name);
        assert!(more == 0 || found == 16, "{language:?}: {}\n{printed}", self.name);
        found
    }
}

/// Returns true if two lines are equal but for the last digit of a float. Of two shortest forms that are
/// equally near, C and Python write the even one.
fn is_tie(line: &str, expected: &str) -> bool {
    let is_long = line.bytes().filter(u8::is_ascii_digit).count() >= 8 && line.contains('.');
    let pairs = line.bytes().zip(expected.bytes()).filter(|(one, other)| one != other);
    let pairs: Vec<(u8, u8)> = pairs.collect();
    let is_even =
        |one: u8, other: u8| one.is_ascii_digit() && one.is_multiple_of(2) && one.abs_diff(other) == 1;
    is_long && line.len() == expected.len() && matches!(*pairs, [(one, other)] if is_even(one, other))
}

/// Runs the programs of all languages for all samples. Returns the number of values compared.
pub fn compare(samples: &[Sample]) -> usize {
    let Some(_namespaces) = Namespaces::new() else { return usize::MAX };
    let mut bytes = vec![];
    let mut offsets = vec![];
    for sample in samples {
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0xaa);
        offsets.push(bytes.len() as u64);
        bytes.extend(&sample.bytes);
    }
    let object = Object::new("values", bytes.len() as u64, 0o600);
    object.write(0, &bytes);
    let target = Target::Object(ObjectName::new(b"values").unwrap());
    let attachment = Attachment { target, size: bytes.len() as u64 };
    let (mut compared, mut failures) = (0, vec![]);
    for language in CodeLanguage::ALL {
        let text = |(sample, &offset): (&Sample, &u64)| {
            code(language, &attachment, Some((&sample.ty, offset)))
                .unwrap_or_else(|error| panic!("{error}: {}", sample.name))
        };
        let programs: Vec<String> = samples.iter().zip(&offsets).map(text).collect();
        let Some(output) = run_all(language, &programs) else { continue };
        let mut outputs = output.split("--- next\n");
        for sample in samples {
            compared += sample.check(language, outputs.next().unwrap(), &mut failures);
        }
    }
    let first = failures.iter().take(MAX_FAILURES).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} values differ:\n{first}", failures.len());
    compared
}

/// Moves the headers of a program into a list.
fn without_headers<'a>(program: &'a str, headers: &mut BTreeSet<&'a str>) -> String {
    let (own, rest): (Vec<&str>, Vec<&str>) = program.lines().partition(|line| line.starts_with("#include"));
    headers.extend(own);
    rest.join("\n") + "\n"
}

/// Runs many programs as one. The line `--- next` is between their outputs.
fn run_all(language: CodeLanguage, programs: &[String]) -> Option<String> {
    let directory = directory();
    let file = |name: &str| directory.path().join(name);
    let count = programs.len();
    match language {
        CodeLanguage::Cpp => {
            // The headers with many macros come after all types.
            let (mut headers, mut late) = (BTreeSet::new(), BTreeSet::new());
            let (mut types, mut body) = (String::new(), String::new());
            for (number, program) in programs.iter().enumerate() {
                let (own, rest) = program.split_once("// These headers").unwrap();
                write!(types, "namespace case_{number} {{\n{}}}\n", without_headers(own, &mut headers))
                    .unwrap();
                let rest = without_headers(rest.split_once('\n').unwrap().1, &mut late);
                let rest = rest.replace("int main() {", "int run() {");
                let rest = rest.trim_end().strip_suffix('}').unwrap();
                write!(body, "namespace case_{number} {{\n{rest}    return 0;\n}}\n}}\n").unwrap();
            }
            body += "int main() {\n";
            for number in 0..count {
                writeln!(body, "if (case_{number}::run()) return 1;\nstd::puts(\"--- next\");").unwrap();
            }
            let list = |headers: BTreeSet<&str>| headers.into_iter().collect::<Vec<_>>().join("\n");
            let all = format!("{}\n{types}{}\n{body}}}\n", list(headers), list(late));
            fs::write(file("all.cpp"), all).unwrap();
            run(Command::new(tool("g++")?)
                .args(["-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror", "-Wno-packed-not-aligned", "-o"])
                .args([file("all"), file("all.cpp")])
                .arg("-lrt"));
            Some(run(&mut Command::new(file("all"))))
        }
        CodeLanguage::Rust => {
            let mut body = String::new();
            for (number, program) in programs.iter().enumerate() {
                let program = program.replace("\nfn main()", "\npub fn main()");
                write!(body, "mod case_{number} {{\n{program}}}\n").unwrap();
            }
            body += "fn main() {\n";
            for number in 0..count {
                writeln!(body, "case_{number}::main().unwrap();\nprintln!(\"--- next\");").unwrap();
            }
            fs::write(file("all.rs"), body + "}\n").unwrap();
            run(&mut rustc(&file("all.rs"), &file("all"))?);
            Some(run(&mut Command::new(file("all"))))
        }
        CodeLanguage::Python => {
            let mut body = String::from("import gc\n");
            for program in programs {
                let program = serde_json::to_string(program).unwrap();
                write!(body, "exec({program}, {{}})\ngc.collect()\nprint('--- next')\n").unwrap();
            }
            fs::write(file("all.py"), body).unwrap();
            Some(run(Command::new(python_with_numpy()?).args(["-B", "-W", "error"]).arg(file("all.py"))))
        }
    }
}
