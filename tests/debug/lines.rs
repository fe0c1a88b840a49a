//! The lines and inlined functions of code, and the symbols, compared with `addr2line`.

use super::compile::{Compiled, compile, open_file};
use crate::support::tool;
use object::{Object as _, ObjectSymbol as _, SymbolKind};
use shmlens::decode::debug::{SourcePlace, Symbols};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::ops::Range;
use std::process::Command;

const SOURCE: &str = r"
namespace app {
static volatile long cell;
static inline long twice(long x) { return 2 * x; }
static inline void store(long x) {
    cell = twice(x) +
           1;
}
struct Motor {
    long ticks = 0;
    __attribute__((noinline)) void step(int n) {
        for (int i = 0; i < n; ++i) {
            ticks += i;
            store(ticks);
        }
    }
};
template <class T> __attribute__((noinline)) T sum(const T *from, int n) {
    T all{};
    while (n-- > 0) all += from[n];
    return all;
}
}
int main(int argc, char **) {
    app::Motor motor;
    motor.step(argc);
    const double values[] = {1, 2, 3};
    return app::sum(values, argc) > 9;
}
";

/// The functions of the source: their addresses, by mangled name.
fn functions(made: &Compiled) -> BTreeMap<String, Range<u64>> {
    let bytes = fs::read(&made.path).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let own = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
    let named = own.map(|symbol| {
        (symbol.name().unwrap().to_owned(), symbol.address()..symbol.address() + symbol.size())
    });
    named.filter(|(name, _)| name == "main" || name.starts_with("_ZN3app")).collect()
}

/// The frames that `addr2line` finds: mangled names, and the numbers of the lines.
fn expected(made: &Compiled, addresses: &[u64]) -> Option<Vec<Vec<(String, u64)>>> {
    let mut command = Command::new(tool("addr2line")?);
    command.args(["-a", "-i", "-f", "-e"]).arg(&made.path).current_dir(made.directory.path());
    let output = command.args(addresses.iter().map(|address| format!("{address:#x}"))).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut found: Vec<Vec<(String, u64)>> = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("0x") {
            found.push(vec![]);
            continue;
        }
        let place = lines.next().unwrap();
        let number = place.rsplit_once(':').unwrap().1;
        let number = number.split(' ').next().unwrap().parse().unwrap_or(0);
        found.last_mut().unwrap().push((line.to_owned(), number));
    }
    Some(found)
}

/// Compares all addresses of a program. Returns the functions that were inlined.
fn check(made: &Compiled) -> Option<BTreeSet<String>> {
    let program = made.open();
    let symbols = Symbols::open(&File::open(&made.path).unwrap(), &made.path, &open_file).unwrap();
    let functions = functions(made);
    assert!(functions.len() >= 3, "{functions:?}");
    let addresses: Vec<u64> = functions.values().flat_map(Clone::clone).collect();
    let expected = expected(made, &addresses)?;
    let mut inlined = BTreeSet::new();
    for (&address, expected) in addresses.iter().zip(&expected) {
        let found = program.sources_at(address).unwrap();
        let lines: Vec<u64> = found.iter().map(|place| place.line.unwrap_or(0)).collect();
        let right: Vec<u64> = expected.iter().map(|(_, line)| *line).collect();
        assert_eq!(lines, right, "{address:#x}: {found:?} {expected:?}");
        for (SourcePlace { function, file, .. }, (name, _)) in found.iter().zip(expected) {
            let own = function.rsplit("::").next().unwrap().split('<').next().unwrap();
            // Some versions name inlined functions without external linkage like the one around them.
            let is_around = *name == expected.last().unwrap().0;
            assert!(name.contains(own) || is_around, "{address:#x}: {found:?} {expected:?}");
            assert!(file.as_ref().unwrap().ends_with("source.cpp"), "{file:?}");
        }
        let symbol = symbols.at(address).unwrap();
        let outer = &found.last().unwrap().function;
        let plain = |name: &str| name.split('<').next().unwrap().to_owned();
        assert_eq!(plain(&symbol.name), plain(outer));
        inlined.extend(found[..found.len() - 1].iter().map(|place| place.function.clone()));
    }
    Some(inlined)
}

#[test]
fn lines_and_inlined_functions_are_those_of_addr2line() {
    for options in [
        &["-O0", "-gdwarf-5"][..],
        &["-O2", "-gdwarf-5"],
        &["-O2", "-gdwarf-4", "-no-pie"],
        &["-O2", "-gdwarf-3", "-gstrict-dwarf"],
        &["-O1", "-gdwarf-5", "-gz"],
    ] {
        let Some(made) = compile("g++", "cpp", SOURCE, options) else { return };
        let Some(inlined) = check(&made) else { return };
        let all: &[&str] = if options[0] == "-O0" {
            &[]
        } else {
            &["app::Motor::step", "app::store", "app::sum<double>", "app::twice"]
        };
        assert!(inlined.iter().all(|name| all.contains(&name.as_str())), "{inlined:?}");
        assert_eq!(inlined.contains("app::store"), options[0] != "-O0", "{options:?}");
    }
}

#[test]
fn lines_of_split_debug_information_are_found() {
    for version in ["-gdwarf-4", "-gdwarf-5"] {
        let Some(made) = compile("g++", "cpp", SOURCE, &["-O2", version, "-gsplit-dwarf"]) else { return };
        let program = made.open();
        let functions = functions(&made);
        let (name, addresses) = functions.iter().find(|(name, _)| name.contains("step")).unwrap();
        let lines: Vec<u64> = addresses
            .clone()
            .filter_map(|address| program.sources_at(address).unwrap().first()?.line)
            .collect();
        let store = SOURCE.lines().position(|line| line.contains("cell = ")).unwrap() as u64 + 1;
        assert!(lines.contains(&store), "{version}: {name} {lines:?}");
    }
}

#[test]
fn stripped_program_has_no_lines() {
    let Some(made) = compile("g++", "cpp", SOURCE, &["-O1", "-g"]) else { return };
    let functions = functions(&made);
    let Some(()) = made.tool("strip", &["program"]) else { return };
    assert!(made.open().sources_at(functions["main"].start).is_err());
    let symbols = Symbols::open(&File::open(&made.path).unwrap(), &made.path, &open_file).unwrap();
    assert_eq!(symbols.at(functions["main"].start), None);
}
