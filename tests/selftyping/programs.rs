//! Compiles the programs of the corpus, each in a directory of its own.

use crate::support::tool;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// A program, and the commands that make it. `{}` in a command is the directory of the sources.
pub struct Recipe {
    pub name: &'static str,
    commands: &'static [&'static str],
}

const fn recipe(name: &'static str, commands: &'static [&'static str]) -> Recipe {
    Recipe { name, commands }
}

/// The build-id of the program whose debug file has that name.
const BUILD_ID: &str = "0x0123456789abcdef";

pub const RECIPES: [Recipe; 20] = [
    recipe("cpp-O0", &["g++ -std=c++20 -w -g -O0 -pthread -o program {}/ways.cpp"]),
    recipe("cpp-O2", &["g++ -std=c++20 -w -g -O2 -pthread -o program {}/ways.cpp"]),
    recipe("clang-O0", &["clang++ -std=c++20 -w -gdwarf-4 -O0 -pthread -o program {}/ways.cpp"]),
    recipe("clang-O2", &["clang++ -std=c++20 -w -gdwarf-5 -O2 -pthread -o program {}/ways.cpp"]),
    recipe("rust-O0", &["rustc --edition 2024 -g -o program {}/ways.rs"]),
    recipe("rust-O2", &["rustc --edition 2024 -g -C opt-level=2 -o program {}/ways.rs"]),
    recipe("dwarf-4", &["gcc -gdwarf-4 -O0 -o program {}/forms.c"]),
    recipe("dwarf-5", &["gcc -gdwarf-5 -O2 -o program {}/forms.c"]),
    recipe("split-4", &["gcc -gdwarf-4 -gsplit-dwarf -O1 -o program {}/forms.c"]),
    recipe("split-5", &["gcc -gdwarf-5 -gsplit-dwarf -O1 -o program {}/forms.c"]),
    recipe("compressed", &["gcc -g -gz -O1 -o program {}/forms.c"]),
    recipe("type-units", &["gcc -gdwarf-4 -fdebug-types-section -O1 -o program {}/forms.c"]),
    recipe("static", &["gcc -g -O0 -static -o program {}/forms.c"]),
    recipe("no-pie", &["gcc -g -O2 -no-pie -o program {}/forms.c"]),
    recipe("clang-c", &["clang -g -O1 -o program {}/forms.c"]),
    recipe("other-layout", &["gcc -g -O0 -DOTHER_LAYOUT -o program {}/forms.c"]),
    recipe("stripped", &["gcc -g -s -O0 -o program {}/forms.c"]),
    recipe(
        "debuglink",
        &[
            "gcc -g -O0 -Wl,--build-id=none -o program {}/forms.c",
            "objcopy --only-keep-debug program program.debug",
            "strip program",
            "objcopy --add-gnu-debuglink=program.debug program",
        ],
    ),
    recipe(
        "build-id",
        &[
            "gcc -g -O0 -Wl,--build-id=0x0123456789abcdef -o program {}/forms.c",
            "objcopy --only-keep-debug program program.debug",
            "strip program",
        ],
    ),
    recipe(
        "library",
        &[
            "gcc -g -O0 -shared -fPIC -DAS_LIBRARY -o libforms.so {}/forms.c",
            "gcc -O0 -DWITH_LIBRARY -Wl,-rpath,$ORIGIN -o program {}/forms.c libforms.so",
        ],
    ),
];

/// The programs of these recipes whose compilers are installed, by name, in directories below this
/// one.
pub fn compile(directory: &Path, wanted: impl Fn(&str) -> bool) -> HashMap<&'static str, PathBuf> {
    thread::scope(|scope| {
        let recipes = RECIPES.iter().filter(|recipe| wanted(recipe.name));
        let threads: Vec<_> =
            recipes.map(|recipe| (recipe.name, scope.spawn(|| recipe.make(directory)))).collect();
        threads.into_iter().filter_map(|(name, made)| Some((name, made.join().unwrap()?))).collect()
    })
}

impl Recipe {
    fn make(&self, directory: &Path) -> Option<PathBuf> {
        let directory = directory.join(self.name);
        fs::create_dir(&directory).unwrap();
        let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/selftyping");
        for command in self.commands {
            let mut words = command.split(' ');
            let program = tool(words.next().unwrap())?;
            let output = Command::new(program)
                .args(words.map(|word| word.replace("{}", sources)))
                .current_dir(&directory)
                .output()
                .unwrap();
            assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Some(directory.join("program"))
    }
}

/// The path of the debug file with the build-id of a program.
pub fn debug_file() -> String {
    let digits = BUILD_ID.trim_start_matches("0x");
    format!("/usr/lib/debug/.build-id/{}/{}.debug", &digits[..2], &digits[2..])
}
