//! Random C and C++ declarations.

use super::gcc::Case;
use shmlens::decode::declaration::Language;
use std::fmt::Write as _;

/// Makes the declarations of a seed.
pub struct Generator {
    state: u64,
    language: Language,
    source: String,
    /// Structs declared so far, and whether they can be base classes.
    known: Vec<(String, bool)>,
    names: u32,
}

const INTEGERS: [&str; 14] = [
    "char",
    "signed char",
    "unsigned char",
    "short",
    "unsigned short",
    "int",
    "unsigned",
    "long",
    "unsigned long",
    "long long",
    "uint8_t",
    "int16_t",
    "uint32_t",
    "int64_t",
];
const OTHERS: [&str; 8] =
    ["float", "double", "long double", "bool", "void *", "__int128", "wchar_t", "float _Complex"];

impl Generator {
    pub fn new(seed: u64, language: Language) -> Self {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { state, language, source: String::new(), known: vec![], names: 0 }
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    const fn is_cpp(&self) -> bool {
        matches!(self.language, Language::Cpp)
    }

    pub fn case(mut self) -> Case {
        for _ in 0..=self.below(4) {
            self.record();
        }
        let ty = self.known.last().unwrap().0.clone();
        Case { ty, source: self.source }
    }

    fn attribute(&mut self) -> String {
        match self.below(12) {
            0 => " __attribute__((packed))".to_owned(),
            1 => format!(" __attribute__((aligned({})))", 1 << self.below(6)),
            2 => format!(" __attribute__((packed, aligned({})))", 1 << self.below(5)),
            _ => String::new(),
        }
    }

    fn record(&mut self) {
        let name = self.name("S");
        let is_union = self.one_in(7);
        let keyword = match (is_union, self.is_cpp() && self.one_in(4)) {
            (true, _) => "union",
            (_, true) => "class",
            _ => "struct",
        };
        let pack = self.one_in(8).then(|| 1 << self.below(5));
        if let Some(pack) = pack {
            writeln!(self.source, "#pragma pack(push, {pack})").unwrap();
        }
        let attribute = self.attribute();
        let mut bases = String::new();
        if self.is_cpp() && !is_union && self.one_in(3) {
            let usable: Vec<String> =
                self.known.iter().filter(|(_, is_base)| *is_base).map(|(name, _)| name.clone()).collect();
            if !usable.is_empty() {
                let base = usize::try_from(self.below(usable.len() as u64)).unwrap();
                bases = format!(" : public {}", usable[base]);
                if usable.len() > 1 && self.one_in(4) {
                    let other = (base + 1) % usable.len();
                    // A base that is also a base of the first one would be ambiguous.
                    if !self.source.contains(&format!("{} : public", usable[base]))
                        && !self.source.contains(&format!("{} : public", usable[other]))
                    {
                        write!(bases, ", public {}", usable[other]).unwrap();
                    }
                }
            }
        }
        let mut body = String::new();
        if keyword == "class" && self.one_in(2) {
            body += "public:\n";
        }
        if self.is_cpp() && !is_union {
            match self.below(16) {
                0 => writeln!(body, "{name}();").unwrap(),
                1 => writeln!(body, "{name}() = default; {name}(const {name} &) = default;").unwrap(),
                2 => writeln!(body, "~{name}();").unwrap(),
                3 => writeln!(body, "{name} &operator=(const {name} &);").unwrap(),
                4 => body += "virtual void run();\n",
                5 => body += "private:\n",
                6 => body += "int method() const { return 1; } static int shared;\n",
                _ => {}
            }
        }
        let most = if self.one_in(12) { 0 } else { 8 };
        for _ in 0..self.below(most + 1) {
            self.field(&mut body, is_union, 0);
        }
        let is_packed_before = self.one_in(2);
        let (before, after) =
            if is_packed_before { (attribute.as_str(), "") } else { ("", attribute.as_str()) };
        writeln!(self.source, "{keyword}{before} {name}{bases} {{\n{body}}}{after};").unwrap();
        if pack.is_some() {
            self.source += "#pragma pack(pop)\n";
        }
        let ty = if self.is_cpp() { name } else { format!("{keyword} {name}") };
        self.known.push((ty, !is_union));
    }

    fn field(&mut self, body: &mut String, is_union: bool, depth: u32) {
        let name = self.name("f");
        match self.below(20) {
            0..=6 => {
                let ty = self.pick(&INTEGERS);
                let attribute = if self.one_in(8) { self.attribute() } else { String::new() };
                writeln!(body, "{ty} {name}{attribute};").unwrap();
            }
            7..=8 => {
                let ty = self.pick(&OTHERS);
                writeln!(body, "{ty} {name};").unwrap();
            }
            9 => {
                let ty = self.pick(&INTEGERS);
                writeln!(body, "{ty} {name}[{}][{}];", 1 + self.below(4), 1 + self.below(3)).unwrap();
            }
            10..=14 => self.bit_fields(body),
            15 if depth < 2 => {
                let keyword = if self.one_in(2) { "struct" } else { "union" };
                writeln!(body, "{keyword} {{").unwrap();
                for _ in 0..=self.below(3) {
                    self.field(body, is_union, depth + 1);
                }
                let end = if self.one_in(2) { format!("}} {name};") } else { "};".to_owned() };
                writeln!(body, "{end}").unwrap();
            }
            16 if depth == 0 => {
                writeln!(body, "enum {{ {name}_a = {}, {name}_b }} {name};", self.below(3)).unwrap();
            }
            _ if !self.known.is_empty() && depth == 0 => {
                let known = usize::try_from(self.below(self.known.len() as u64)).unwrap();
                let ty = self.known[known].0.clone();
                let array = if self.one_in(4) { format!("[{}]", 1 + self.below(3)) } else { String::new() };
                let overlap = if self.is_cpp() && self.one_in(4) && array.is_empty() && !is_union {
                    "[[no_unique_address]] "
                } else {
                    ""
                };
                writeln!(body, "{overlap}{ty} {name}{array};").unwrap();
            }
            _ => writeln!(body, "int {name};").unwrap(),
        }
    }

    fn bit_fields(&mut self, body: &mut String) {
        for _ in 0..=self.below(4) {
            let name = self.name("b");
            let (ty, bits) = [
                ("char", 8),
                ("unsigned char", 8),
                ("short", 16),
                ("unsigned short", 16),
                ("int", 32),
                ("unsigned", 32),
                ("long", 64),
                ("unsigned long", 64),
                ("bool", 1),
                ("uint16_t", 16),
                ("int64_t", 64),
            ][usize::try_from(self.below(11)).unwrap()];
            match self.below(10) {
                0 => writeln!(body, "{ty} : 0;").unwrap(),
                1 => writeln!(body, "{ty} : {};", 1 + self.below(bits)).unwrap(),
                2 => {
                    let attribute = self.attribute();
                    writeln!(body, "{ty} {name} : {}{attribute};", 1 + self.below(bits)).unwrap();
                }
                // Padding follows the bits of the type.
                3 if self.is_cpp() && bits > 1 && self.one_in(4) => {
                    let name = if self.one_in(4) { "" } else { &name };
                    writeln!(body, "{ty} {name} : {};", 1 + self.below(200)).unwrap();
                }
                _ => writeln!(body, "{ty} {name} : {};", 1 + self.below(bits)).unwrap(),
            }
        }
    }
}
