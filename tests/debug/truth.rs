//! Compares debug information with what a program prints about itself.

use shmlens::decode::Type;
use shmlens::decode::debug::{ElementCount, PointerInside, Program, Variable};

/// Compares every line that the program printed. Returns how many there are.
///
/// # Panics
/// If one differs.
pub fn check(program: &Program, output: &str) -> usize {
    let variables = program.variables().unwrap();
    let mut wrong = vec![];
    // The second time, the index of all types is there.
    for line in output.lines().chain(output.lines()) {
        let parts: Vec<&str> = line.split('|').collect();
        let found = match parts.as_slice() {
            ["T", name, _] => program.find(name).map(|ty| format!("T|{name}|{}", ty.size())),
            ["F", name, path, ..] => program.find(name).map(|ty| field(&ty, name, path)),
            ["B", name, path, ..] => program.find(name).map(|ty| bits(&ty, name, path)),
            ["V", name, _] => Ok(match variable(&variables, name) {
                Some(found) => format!("V|{name}|{:#x}", found.address),
                None => format!("no variable {name}"),
            }),
            ["P", name, path, offset, _] => Ok(pointer(program, &variables, name, path, offset)),
            ["N", name, address] => {
                let address = u64::from_str_radix(address.trim_start_matches("0x"), 16).unwrap();
                program.function_at(address + 1).map(|found| match found {
                    Some(found) => format!("N|{}|{:#x}", found.name, found.addresses.start),
                    None => format!("no function {name}"),
                })
            }
            _ => panic!("{line}"),
        };
        let found = found.unwrap_or_else(|error| error.to_string());
        if found != line {
            wrong.push(format!("program: {line}\nfound:   {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    output.lines().count()
}

/// The place of the number of elements that a variable points to.
pub fn count_in(program: &Program, name: &str) -> Option<ElementCount> {
    let variables = program.variables().unwrap();
    let pointers = program.pointers(variable(&variables, name).unwrap().ty).unwrap();
    pointers.first().unwrap().count
}

fn field(ty: &Type, name: &str, path: &str) -> String {
    let place = ty.parse_path(path).and_then(|path| ty.place(&path));
    place.map_or_else(
        || format!("no field {path}"),
        |place| format!("F|{name}|{path}|{}|{}", place.offset, place.ty.size()),
    )
}

fn bits(ty: &Type, name: &str, path: &str) -> String {
    let place = ty.parse_path(path).and_then(|path| ty.place(&path));
    match place.and_then(|place| Some((place.offset, place.bits?))) {
        Some((offset, bits)) => {
            format!("B|{name}|{path}|{}|{}", 8 * offset + u64::from(bits.start), bits.width)
        }
        None => format!("no bit-field {path}"),
    }
}

fn variable<'a>(variables: &'a [Variable], name: &str) -> Option<&'a Variable> {
    let anonymous = format!("(anonymous namespace)::{name}");
    variables.iter().find(|variable| variable.name == name || variable.name == anonymous)
}

fn pointer(program: &Program, variables: &[Variable], name: &str, path: &str, offset: &str) -> String {
    let Some(variable) = variable(variables, name) else { return format!("no variable {name}") };
    let pointers: Vec<PointerInside> = program.pointers(variable.ty).unwrap();
    match pointers.iter().find(|pointer| pointer.path == path && pointer.offset.to_string() == offset) {
        Some(found) => format!("P|{name}|{path}|{offset}|{}", program.type_name(found.target)),
        None => format!("no pointer {path} in {name}: {pointers:?}"),
    }
}
