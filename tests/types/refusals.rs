//! Declarations that are wrong or not supported: the message tells the place and what was expected.

use shmlens::decode::declaration::{DeclarationError, Language, Sources, declared_types, parse_declarations};
use std::time::{Duration, Instant};

fn error(source: &str, name: Option<&str>) -> DeclarationError {
    match parse_declarations(&Sources::typed(source), name, Some(Language::Cpp)) {
        Err(error) => error,
        Ok(ty) => panic!("{source}: {ty}, {} bytes", ty.size()),
    }
}

#[test]
fn errors_name_place_and_expectation() {
    for (source, place, message) in [
        ("struct A { int x }", (1, 18), "expected ';' after the field, found '}'"),
        ("struct A {\n  int x;\n  float;\n  Unknown y;\n};", (4, 3), "unknown type 'Unknown'"),
        ("struct A { int x; ", (1, 17), "expected '}' after the fields, found the end"),
        ("struct A { int a[3; };", (1, 19), "expected ']' after the array size, found ';'"),
        ("struct A { int a[-1]; };", (1, 18), "the array size -1 is negative"),
        ("struct A { int a[N]; };", (1, 18), "unknown constant 'N'"),
        ("struct A { int a[1.5]; };", (1, 18), "expected an integer"),
        ("struct A { int a[1 / 0]; };", (1, 20), "the result of the expression is undefined"),
        ("struct A { int a[2147483647 + 1]; };", (1, 29), "the result of the expression is undefined"),
        ("struct A { int a[f(3)]; };", (1, 18), "'f' is a function"),
        ("struct A { A a; };", (1, 14), "'A' contains itself; use a pointer"),
        ("struct A { A a[2]; };", (1, 15), "'A' contains itself; use a pointer"),
        ("struct B; struct A { B b; };", (1, 24), "'B' is declared but its fields are not"),
        ("struct A { int x; }; struct A { int y; };", (1, 29), "'A' is defined twice"),
        ("typedef int T; typedef long T;", (1, 29), "'T' is declared as two different types"),
        ("enum E { X }; enum E { Y };", (1, 20), "'E' is defined twice"),
        ("struct A { int x; char x; };", (1, 24), "the field 'x' is declared twice"),
        ("struct A { int x : -1; };", (1, 20), "invalid width -1"),
        ("struct A { int x : 1ul << 40; };", (1, 20), "invalid width 1099511627776: expected at most"),
        ("struct A { int x : 0; };", (1, 20), "invalid width 0"),
        ("struct A { float x : 3; };", (1, 18), "a bit-field must be an integer"),
        ("struct A { void x; };", (1, 17), "expected a type with a size, found 'void'"),
        ("struct A { alignas(3) int x; };", (1, 20), "invalid alignment 3"),
        ("struct A { int x __attribute__((vector_size(16))); };", (1, 33), "'vector_size' is not supported"),
        ("struct V { int v; }; struct A : virtual V { };", (1, 33), "virtual base classes are not supported"),
        ("struct B { int x; }; struct A : B, B { };", (1, 36), "a base class is named twice"),
        ("struct A : int { };", (1, 12), "a base class must be a struct or class"),
        ("struct A { unsigned float x; };", (1, 27), "these words are no type"),
        ("struct A { decltype(1) x; };", (1, 12), "'decltype' is not supported"),
        (
            "template <class... T> struct V { int x; }; struct A { V<int> v; };",
            (1, 55),
            "templates with '...' are not supported",
        ),
        (
            "template <class T> struct V { T x; }; template <> struct V<int> {}; struct A { V<int> v; };",
            (1, 80),
            "specializations of templates are not supported",
        ),
        (
            "template <class T, int N> struct V { T x[N]; }; struct A { V<int> v; };",
            (1, 60),
            "'V' needs 2 arguments, found 1",
        ),
        ("template <int N> struct V { V<N + 1> v; }; struct A { V<1> v; };", (1, 29), "nested too deeply"),
        ("#pragma pack(3)\nstruct A { int x; };", (1, 9), "invalid alignment 3 in #pragma pack"),
        ("#if __has_include(<x>)\n#endif\nstruct A { int x; };", (1, 5), "'__has_include' is not supported"),
        ("#error no\nstruct A { int x; };", (1, 1), "#error no"),
        ("enum E : char { X = 200 };", (1, 17), "the value 200 does not fit"),
        ("struct A { char x[0x7fffffffffffffff][2]; };", (1, 18), "too large for any segment"),
        ("struct A { double x[1ul << 59]; double y[1ul << 59]; };", (1, 1), "too large for any segment"),
        ("int f(int);", (1, 11), "expected a type, found none"),
        ("", (1, 1), "expected a type, found none"),
    ] {
        let error = error(source, None);
        assert!(error.message.contains(message), "{source}\n{error}");
        assert!(error.message.contains("deeply") || (error.line, error.column) == place, "{source}\n{error}");
    }
}

#[test]
fn bit_fields_of_c_fit_into_their_type() {
    let source = "struct A { int x : 33; };";
    let error = parse_declarations(&Sources::typed(source), None, Some(Language::C)).unwrap_err();
    assert!(error.message.contains("invalid width 33: expected at most 32 bits"), "{error}");
}

#[test]
fn wrong_types_of_a_header_do_not_hide_others() {
    let source = "struct Bad { Unknown x; };\nstruct Uses { Bad b; };\ntypedef missing T;\n\
                  int f() { if (1) { return 2; } }\nnamespace n { struct Good { int x; }; }\n\
                  struct Late { n::Good g; Bad *p; };";
    let parse = |name| parse_declarations(&Sources::typed(source), Some(name), Some(Language::Cpp));
    assert_eq!(parse("Late").unwrap().size(), 16);
    assert_eq!(parse("Good[3]").unwrap().size(), 12);
    assert_eq!(parse("n::Good *").unwrap().to_string(), "n::Good*");
    for (name, line, message) in [
        ("Bad", 1, "unknown type 'Unknown'"),
        ("Uses", 1, "unknown type 'Unknown'"),
        ("T", 3, "unknown type 'missing'"),
    ] {
        let error = parse(name).unwrap_err();
        assert!(error.line == line && error.message.contains(message), "{name}: {error}");
    }
    let names = declared_types(&Sources::typed(source), Some(Language::Cpp));
    assert_eq!(names, ["n::Good", "Late"]);
}

#[test]
fn cpp_is_recognized_by_its_syntax() {
    for (source, size) in [
        ("struct A { int a; }; struct B : A { char c; };", 8),
        ("struct A { int a; }; struct B final : A { char c; };", 8),
        ("struct Tag {}; struct M { Tag tag; int seq; };", 8),
        ("struct Tag {}; struct M { struct Tag tag; int seq; };", 4),
        ("typedef struct Tag {} Tag; struct M { Tag tag; int seq; };", 4),
        // Only C++ has constructors, references, functions and values of fields.
        ("struct Tag { Tag(); }; struct M { struct Tag tag; int seq; };", 8),
        ("struct Tag { void f(int); }; struct M { struct Tag tag; int seq; };", 8),
        ("struct Tag {}; struct M { struct Tag tag; int &seq; };", 16),
        ("struct Tag {}; struct M { struct Tag tag; int seq = 3; };", 8),
        ("struct Tag {}; struct M { struct Tag tag; int seq : 40; };", 12),
    ] {
        let ty = parse_declarations(&Sources::typed(source), None, None);
        assert_eq!(ty.map(|ty| ty.size()), Ok(size), "{source}");
    }
}

#[test]
fn unknown_types_without_space_are_skipped() {
    for (members, size) in [
        ("using C = std::chrono::steady_clock; int a;", 4),
        ("typedef std::map<int, int> M; int a;", 4),
        ("static std::map<int, std::map<int, int>> M; int a;", 4),
        ("int a; std::map<int, int> get() const { return {}; } char b;", 8),
        ("virtual std::string name() const; int a;", 16),
    ] {
        let source = format!("class T {{ public: {members} }};");
        let ty = parse_declarations(&Sources::typed(&source), None, None);
        assert_eq!(ty.map(|ty| ty.size()), Ok(size), "{source}");
    }
    for members in ["using C = std::clock; C a;", "std::function<void()> f; int a;", "std::foo (*f)(int);"] {
        let error = error(&format!("class T {{ {members} }};"), None);
        assert!(error.message.contains("unknown type 'std::"), "{error}");
    }
}

#[test]
fn types_of_the_standard_library_have_their_full_name() {
    for (field, message) in [
        (
            "std::deque<int> d",
            "unknown type 'std::deque': its contents are on the heap, not in shared memory",
        ),
        ("std::wstring s", "unknown type 'std::wstring': its contents are on the heap"),
        ("std::filesystem::path p", "unknown type 'std::filesystem::path'"),
        ("struct std::map<int, int> m", "unknown type 'std::map'"),
    ] {
        let error = error(&format!("struct A {{ {field}; }};"), None);
        assert!(error.message.starts_with(message), "{error}");
        assert_eq!(error.message.contains("heap"), message.contains("heap"), "{error}");
    }
}

#[test]
fn missing_types_are_followed_by_the_nearest() {
    let many: String = (0..20).map(|at| format!("struct T{at} {{ int x; }};\n")).collect::<Vec<_>>().concat();
    let missing =
        |name| error(&format!("{many}namespace n {{ enum Mode {{ A }}; }}"), Some(name)).to_string();
    assert!(
        missing("n::Mod").starts_with("no type 'n::Mod'; the types are n::Mode, "),
        "{}",
        missing("n::Mod")
    );
    assert!(missing("t7x").starts_with("no type 't7x'; the types are T7, "), "{}", missing("t7x"));
    assert!(missing("T").ends_with(" and 13 more"), "{}", missing("T"));
    assert_eq!(error("int f();", Some("A")).to_string(), "no type 'A'; there are no types");
}

#[test]
fn sizes_of_expressions_are_those_of_gcc() {
    for (expression, size) in [
        ("sizeof table", 48),
        ("sizeof(table) / sizeof(table[0])", 6),
        ("sizeof(((struct B *)0)->name)", 12),
        ("sizeof(((B *)nullptr)->b.y[1])", 2),
        ("sizeof(B::name) + sizeof n::deep", 12 + 3),
        ("sizeof first", 4),
        ("sizeof (first) + 1", 5),
        ("sizeof(1 + 2u)", 4),
        ("sizeof 1l", 8),
        ("alignof(B)", 4),
    ] {
        let source = format!(
            "struct B {{ char name[12]; struct {{ short x, y[3]; }} b; int c : 3; }}; double table[6];\n\
             namespace n {{ char deep[3]; }}\n\
             struct A {{ int first; char second[{expression}]; }};"
        );
        let ty = parse_declarations(&Sources::typed(&source), Some("A"), Some(Language::Cpp)).unwrap();
        let second = ty.place(&ty.parse_path("second").unwrap()).unwrap();
        assert_eq!(second.ty.size(), size, "{expression}");
    }
    for (expression, message) in [
        ("sizeof nothing", "unknown variable 'nothing'"),
        ("sizeof(B::other)", "unknown variable 'B::other'"),
        ("sizeof(((B *)0)->other)", "'B' has no field 'other'"),
        ("sizeof(((B *)0)->c)", "'B' has no field 'c'"),
        ("sizeof", "expected a type or variable"),
    ] {
        let source = format!("struct B {{ int x; int c : 3; }}; struct A {{ char x[{expression}]; }};");
        let error = error(&source, None);
        assert!(error.message.contains(message), "{expression}: {error}");
    }
}

#[test]
fn headers_that_include_each_other_twice_end_soon() {
    let text = |level: usize| format!("#include \"{0}\"\n#include \"{0}\"\n", level + 1);
    let read = |_: &str, name: &str| {
        let level: usize = name.parse().ok()?;
        Some((name.to_owned(), if level < 40 { text(level) } else { String::new() }))
    };
    let start = Instant::now();
    let error = parse_declarations(&Sources::header("0", text(0), read), Some("A"), None).unwrap_err();
    assert!(error.message.contains("files are included too often"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn hostile_declarations_end_soon() {
    let many = 10_000;
    let doubled = (0..60).map(|at| format!("#define M{} M{at} M{at}\n", at + 1)).collect::<Vec<_>>().concat();
    let nested_unions =
        (0..60).map(|at| format!("union U{} {{ U{at} a, b; }};\n", at + 1)).collect::<Vec<_>>().concat();
    for source in [
        format!("struct A {{ int x[{}1", "(".repeat(many)),
        format!("struct A {{ int x[{}1]; }};", "-".repeat(many)),
        format!("struct A {{ int x[{}", "1 ? ".repeat(many)),
        "struct A { ".repeat(many),
        "struct A { struct { ".repeat(40) + "int x; " + &"} y; }; ".repeat(40),
        "namespace a { ".repeat(many),
        "extern \"C\" ".repeat(many),
        "template <".repeat(many),
        format!("{} x;", "A<".repeat(many)),
        format!("int {}x;", "*".repeat(many)),
        format!("int {}x;", "(*".repeat(many)),
        format!("int x{};", "[1]".repeat(many)),
        "[[".repeat(many),
        "__attribute__((".repeat(many),
        "#if 1\n".repeat(many),
        format!("#define M0 int x;\n{doubled}struct A {{ M60 }};"),
        format!("#define F(x) x x\nstruct A {{ {}int y;{} }};", "F(".repeat(200), ")".repeat(200)),
        format!("union U0 {{ char c; }};\n{nested_unions}"),
        format!("enum E {{ {} }};", "X,".repeat(many)),
        format!("struct A {{ {} }};", (0..many).map(|at| format!("int f{at};")).collect::<Vec<_>>().concat()),
        "template <int N> struct V { V<N * 2> a; V<N * 2 + 1> b; }; V<1> x;".to_owned(),
        "using namespace a; ".repeat(many),
        "namespace a { using namespace b; } namespace b { using namespace a; } struct A { a::X x; };"
            .to_owned(),
        "struct E {}; struct F { E e[1000000]; }; struct A : E { F f[1000]; E g; };".to_owned(),
        "\u{0}\u{ffff}\"'\\\n#".repeat(many / 10),
    ] {
        for name in [None, Some("A")] {
            let shown: String = source.chars().take(60).collect();
            let start = Instant::now();
            let result = parse_declarations(&Sources::typed(&source), name, None);
            let elapsed = start.elapsed();
            println!("{elapsed:?} {shown:?}");
            // Debug builds on a loaded machine.
            assert!(elapsed < Duration::from_secs(20), "{shown}: {elapsed:?}");
            drop(result.map(|ty| (ty.to_string(), ty.leaf_count())));
        }
    }
}

#[test]
fn fields_that_macros_declare_are_not_left_out() {
    for (member, name) in [
        ("int ARR(x, 4);", "ARR"),
        ("int arr(x, 4);", "arr"),
        ("int field(x)[4];", "field"),
        ("DECLARE(int, x);", "DECLARE"),
        ("declare(int, x);", "declare"),
        ("int CAT(f, oo)[2];", "CAT"),
        ("Q_PROPERTY(int x READ x)", "Q_PROPERTY"),
    ] {
        let error = error(&format!("struct T {{ int a; {member} char c; }};"), None).to_string();
        assert!(error.contains(name), "{member}: {error}");
    }
    for member in [
        "int f(int x = max(1, 2));",
        "void g(std::array<int, 4> x) const;",
        "int h() { return 1; }",
        "Unknown other(Unknown x);",
        "int (*callback)(int);",
        "int operator()(int x, int y = 3) const;",
        "T(int a, int b = 4);",
    ] {
        let text = format!("struct T {{ int a; {member} char c; }};");
        let parsed = shmlens::decode::parse_type(&text, &|_| Err(String::new()));
        assert!(parsed.is_ok(), "{member}: {parsed:?}");
    }
}

#[test]
fn arrays_of_the_library_without_elements_are_refused() {
    let error = error("struct T { char c; std::array<int, 0> none; char d; };", None);
    assert!(error.message.contains("without elements"), "{error}");
}

#[test]
fn attributes_of_cpp_make_a_declaration_cpp() {
    let text = "struct E {}; struct T { [[no_unique_address]] E e; int x; [[no_unique_address]] E f; };";
    let parsed = shmlens::decode::parse_type(text, &|_| Err(String::new())).unwrap();
    // gcc keeps two parts of the same class apart.
    assert_eq!(parsed.ty.size(), 8);
}

#[test]
fn fields_of_anonymous_structs_are_fields_of_the_struct_around() {
    for members in
        ["int a, b; struct { int a; };", "union { int a; }; int a;", "union { struct { int a; }; int a; };"]
    {
        let error = error(&format!("struct T {{ {members} }};"), None);
        assert!(error.message.contains("'a' is declared twice"), "{members}: {error}");
    }
}
