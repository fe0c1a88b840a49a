//! Tests of errors in makers.

use super::*;

fn read(text: &str) -> Result<Vec<Maker>, String> {
    Maker::all(text, Path::new("/c/config.toml"), Patterns::Compile).map_err(|error| error.to_string())
}

#[test]
fn every_field_is_read() {
    let text = r#"
        [[maker]]
        id = "my-cams"
        name = "our cameras"
        kind = ["posix", "sysv"]
        pattern = '^cam_(?P<pid>\d+)_(?P<which>.+)$'
        key = ["0x00001000..0x000010ff", "0x51??????"]
        size = [32, "4K", "1M..64M", "1G.."]
        mode = "0660"
        contents = [
            { at = -8, hex = ["de ad ?? e?", "00"] },
            { at = 4, text = "CAM" },
            { at = 0, number = "u64", equals = "size - 16" },
            { shape = "semaphore" },
        ]
        match = "context"
        commands = "grabber*"
        beside = "cam_index"
        group-named = true
        pid = [{ group = "pid", base = 16, shift = 64, modulo = 1000, of = "grabber" }, { at = 40, number = "i64", of = "reader" }]
        unheld = "dead-pid"
        wanted = "protected"
        helpers = "grabber-{which}"
        helpers-of = "anyone"
        with = "{name}.lock"
        reason = "the grabber keeps it"
        removal = "ask first"
        source = "we wrote it"
        fits = ["cam_1_a", { key = "7", size = 4, bytes = ["0: 01"], pid = [1, 2] }]
        misses = "cam"
    "#;
    let makers = read(text).unwrap();
    let [maker] = makers.as_slice() else { panic!("{makers:?}") };
    assert_eq!(maker.kinds, Kinds { posix: true, sysv: true, memfd: false });
    assert_eq!(maker.sizes, [32..=32, 4096..=4096, 1 << 20..=64 << 20, 1 << 30..=u64::MAX].map(Size));
    assert_eq!(maker.keys[0], KeyRule::Range(0x1000, 0x10ff));
    assert_eq!(maker.modes, [Mode::new(0o660)]);
    let stretch = |bytes: &[u8], mask: &[u8]| BytePattern { bytes: bytes.to_vec(), mask: mask.to_vec() };
    let any = vec![stretch(&[0xde, 0xad, 0, 0xe0], &[0xff, 0xff, 0, 0xf0]), stretch(&[0], &[0xff])];
    assert_eq!(maker.contents[0], Check::Bytes { at: -8, any });
    assert_eq!(maker.contents[2], Check::Size { at: 0, number: Number::U64, less: 16 });
    assert_eq!(maker.contents[3], Check::Shape(Shape::Semaphore));
    let place = PidPlace::Name { group: "pid".into(), base: 16, shift: 64, modulo: Some(1000) };
    assert_eq!(maker.pids[0], PidRule { place, of: "grabber".into() });
    assert_eq!(
        (maker.by, maker.unheld, maker.wanted),
        (MatchBy::Context, UnheldVerdict::DeadPid, NeededVerdict::Protected)
    );
    assert_eq!((maker.helpers_of, maker.group_named, maker.label_only), (HelperOwner::Anyone, true, false));
    assert_eq!(maker.fits[1].pids, [1, 2]);
}

#[test]
fn every_field_is_documented() {
    let documented = include_str!("../../../assets/catalog/README.md");
    let error = read("[[maker]]\nno-such-field = 1").unwrap_err();
    let fields: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(fields.len() > 20, "{error}");
    for field in fields {
        assert!(documented.contains(&format!("`{field}`")), "{field}");
    }
}

#[test]
fn errors_name_the_line_the_maker_and_the_allowed_values() {
    let maker = |rest: &str| format!("[[maker]]\nid = 'm'\nname = 'M'\n{rest}");
    for (text, error) in [
        (
            "maker = 3".to_owned(),
            "line 1: invalid type: integer `3`, expected [[maker]] followed by lines like id = \"…\"",
        ),
        ("[[maker]]\nname = 'M'\npattern = 'x'".to_owned(), "line 1: id and name are required"),
        (
            "[[maker]]\nid = 'A b'".to_owned(),
            "line 2: maker 'A b': id: invalid value \"A b\", expected lowercase letters, digits, - and _",
        ),
        (
            maker(""),
            "line 1: maker 'm': nothing identifies its segments: add pattern, key, contents or commands",
        ),
        (
            maker("\npattern = '^cam_('"),
            "line 5: maker 'm': invalid regular expression '^cam_(': unclosed group",
        ),
        (
            maker("pattern = 'a{99999}{999}'"),
            "line 4: maker 'm': invalid regular expression 'a{99999}{999}': needs too much memory",
        ),
        (
            maker("pattern = 3"),
            "line 4: maker 'm': pattern: invalid type: integer `3`, expected a string in quotes",
        ),
        (
            maker("pattern = 'x'\nunheld = 'gone'"),
            "line 5: maker 'm': unheld: unknown value `gone`, expected one of `undecided`, `normal`, `protected`, `leaked`, \
             `dead-pid`, `companion`",
        ),
        (maker("pattern = 'x'\nunheld = 'leaked'"), "line 5: maker 'm': unheld requires reason"),
        (
            maker("pattern = 'x'\nunheld = 'dead-pid'\nreason = 'r'"),
            "line 5: maker 'm': unheld = \"dead-pid\" requires pid",
        ),
        (
            maker("pattern = 'x'\nunheld = 'companion'\nreason = 'r'"),
            "line 5: maker 'm': unheld = \"companion\" requires helpers",
        ),
        (
            maker("pattern = 'x'\npid = { group = 'pid', of = 'a' }"),
            "line 5: maker 'm': no group 'pid' in pattern",
        ),
        (maker("pattern = 'x'\nwith = '{stem}_el'"), "line 5: maker 'm': no group 'stem' in pattern"),
        (
            maker("pattern = 'x'\nmatch = 'content'"),
            "line 5: maker 'm': match = \"content\" requires contents",
        ),
        (
            maker("pattern = 'x'\nsize = '9..3'"),
            "line 5: maker 'm': size: invalid value \"9..3\", expected a size or a range, such as 32, \"4K\" or \"1M..64M\"",
        ),
        (
            maker("pattern = 'x'\nmode = '0888'"),
            "line 5: maker 'm': mode: invalid value \"0888\", expected an octal mode in quotes, such as \"0600\"",
        ),
        (
            maker("pattern = 'x'\ncontents = { at = 0, hex = 'abc' }"),
            "line 5: maker 'm': contents.hex: invalid value \"abc\", expected pairs of hex digits, with ? for any digit, such as \"de ad ?? e?\"",
        ),
        (maker("pattern = 'x'") + "\n" + &maker("pattern = 'y'"), "line 5: duplicate maker id 'm'"),
    ] {
        assert_eq!(read(&text), Err(format!("/c/config.toml, {error}")), "{text}");
    }
    for (rest, error) in [
        (
            "pattern = 'x'\ncolour = 1",
            "maker 'm': unknown field `colour`, expected one of `id`, `name`, `kind`, `pattern`",
        ),
        ("pattern = 'x'\nkey = '0x51??'", "maker 'm': key: invalid value \"0x51??\", expected a key such as"),
        ("pattern = 'x'\npid = 3", "maker 'm': pid: invalid type: integer `3`, expected { group = "),
        (
            "pattern = 'x'\ncontents = { at = 0, hex = '??' }",
            "maker 'm': contents: expected hex or text with a byte that is not ??",
        ),
        (
            "pattern = 'x'\ncontents = { at = 0, hax = '00' }",
            "maker 'm': contents: unknown field `hax`, expected one of `at`",
        ),
        ("pattern = 'x'\nfits = 3", "maker 'm': fits: expected a name, a key, or a table"),
    ] {
        let message = read(&maker(rest)).unwrap_err();
        assert!(message.contains(error), "{message}");
    }
}

#[test]
fn error_messages_are_escaped() {
    for text in [
        "[[maker]]\nid = \"\\u001b[2J\"",
        "[[maker]]\nid = 'm'\nname = 'n'\npattern = \"\\u001b(\"",
        "[[maker]]\nid = 'm'\n\"\\u202e\" = 1",
        "[[maker]]\nid = 'm'\nname = 'n'\npattern = 'x'\npid = { group = \"\\u001b\", of = 'a' }",
    ] {
        let error = read(text).unwrap_err();
        assert!(!error.contains(char::is_control) && !error.contains('\u{202e}'), "{error:?}");
    }
}
