//! Tests of the built-in catalog, entry by entry.

use super::*;
use crate::config::maker::{Example, ExampleBytes};
use crate::identify::ProcessStates;
use crate::machine::fake::FakeMachine;
use crate::segment::{Bytes, Holder, Mode, ObjectName, example};
use proptest::prelude::*;
use std::cell::Cell;

/// Serves contents that are zero except at a few offsets.
fn zeros_except(size: u64, places: &[(u64, Vec<u8>)]) -> impl Fn(u64, &mut [u8]) -> bool {
    move |offset, into| {
        assert!(offset + into.len() as u64 <= size, "the offset is past the end");
        into.fill(0);
        for (at, bytes) in places {
            for (place, byte) in (*at..).zip(bytes) {
                let place = place.checked_sub(offset).map(|place| usize::try_from(place).unwrap());
                if let Some(into) = place.and_then(|place| into.get_mut(place)) {
                    *into = *byte;
                }
            }
        }
        true
    }
}

/// Serves bytes, and nothing past the end.
pub fn peek(bytes: &[u8]) -> impl Fn(u64, &mut [u8]) -> bool {
    move |offset, into| {
        let from = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)?.get(..into.len()));
        from.map(|from| into.copy_from_slice(from)).is_some()
    }
}

/// Looks up an example. The maker supplies the defaults.
fn found<T>(
    catalog: &Catalog,
    maker: &Maker,
    example: &Example,
    tell: impl Fn(Option<MakerMatch<'_>>) -> T,
) -> T {
    let size = example.size.as_ref().or(maker.sizes.first()).map_or(4096, |size| *size.0.start());
    let mode = example.mode.or(maker.modes.first().copied()).unwrap_or(Mode::new(0o600));
    let kind = match (&example.name, maker.kinds.memfd) {
        (None, _) => Kind::Sysv,
        (Some(_), true) => Kind::Memfd,
        (Some(_), false) => Kind::Posix,
    };
    let place = |ExampleBytes { at, bytes }: &ExampleBytes| {
        (if *at < 0 { size - at.unsigned_abs() } else { at.unsigned_abs() }, bytes.clone())
    };
    let places: Option<Vec<_>> = example.contents.as_ref().map(|places| places.iter().map(place).collect());
    let contents = places.as_ref().map(|places| zeros_except(size, places));
    let machine = FakeMachine::new();
    machine.edit(|facts| facts.users = example.group.iter().map(|group| (9000, group.clone())).collect());
    let mut segment = example::posix();
    let holder = |command: &String| Holder { command: command.as_bytes().into(), ..example::holder(7) };
    segment.holders = Some(example.command.iter().map(holder).collect());
    let beside: Vec<ObjectName> =
        example.beside.iter().map(|name| ObjectName::new(name.as_bytes()).unwrap()).collect();
    let owners = beside.iter().map(|name| (name, segment.owner.uid)).collect();
    let states = ProcessStates::new(&machine, None);
    tell(catalog.find(&Subject {
        kind,
        name: example.name.as_ref().map(String::as_bytes),
        key: (kind == Kind::Sysv).then_some(Key(example.key.unwrap_or(0))),
        size: Bytes(size),
        mode,
        contents: contents.as_ref().map(|contents| contents as &Peek<'_>),
        context: Some(&Context::new(&machine, &states, &segment, &owners)),
    }))
}

fn alone(maker: &Maker) -> Catalog {
    Catalog::new(vec![], vec![maker.clone()])
}

/// The built-in catalog, including its examples.
fn written() -> Vec<Maker> {
    FILES
        .iter()
        .flat_map(|(name, text)| Maker::all(text, Path::new(name), Patterns::Compile).unwrap())
        .collect()
}

#[test]
fn only_examples_are_dropped_from_the_built_in_catalog() {
    let mut written = written();
    for maker in &mut written {
        maker.fits.clear();
        maker.misses.clear();
    }
    assert_eq!(parse_built_in(), written);
}

#[test]
fn every_maker_matches_only_its_examples() {
    let catalog = Catalog::built_in();
    let mut failures = vec![];
    for maker in &written() {
        let id = maker.id.as_str();
        if maker.fits.is_empty() || maker.misses.is_empty() {
            failures.push(format!("{id} has no match or no near miss"));
        }
        let own = alone(maker);
        for example in &maker.fits {
            let pids =
                |maker_match: MakerMatch<'_>| maker_match.pids.iter().map(|pid| pid.pid).collect::<Vec<_>>();
            let pids = found(&own, maker, example, |maker_match| maker_match.map(pids));
            let best = found(catalog, maker, example, |maker_match| {
                maker_match.map(|maker_match| maker_match.maker.id.clone())
            });
            let expected = example.better.as_deref().unwrap_or(id);
            if pids.as_ref() != Some(&example.pids) || best.as_deref() != Some(expected) {
                failures.push(format!("{id}: {best:?} with {pids:?} matches {example:?}"));
            }
        }
        for example in &maker.misses {
            if found(&own, maker, example, |maker_match| maker_match.is_some()) {
                failures.push(format!("{id} is not to fit {example:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn prefix_check_agrees_with_the_expression() {
    let makers = written();
    let examples = makers.iter().flat_map(|maker| maker.fits.iter().chain(&maker.misses));
    let names: Vec<&[u8]> = examples.filter_map(|example| Some(example.name.as_ref()?.as_bytes())).collect();
    for text in makers.iter().flat_map(|maker| &maker.patterns) {
        let (pattern, regex) = (Pattern::new(text), crate::config::maker::compile(text).unwrap());
        for name in &names {
            assert_eq!(
                pattern.matches(name),
                regex.is_match(name),
                "{text} {}",
                String::from_utf8_lossy(name)
            );
        }
    }
}

#[test]
fn every_maker_compiles_and_names_its_source() {
    for maker in written() {
        assert!(maker.source.is_some(), "{}", maker.id);
        let lines = [Some(&maker.name), Some(&maker.reason), maker.removal.as_ref(), maker.source.as_ref()];
        for line in lines.into_iter().flatten() {
            assert!(line.is_ascii() && !line.contains(char::is_control) && line.len() < 200, "{line:?}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_names_do_not_panic(name in proptest::collection::vec(any::<u8>(), 0..300), size in any::<u64>()) {
        let subject = Subject {
            kind: Kind::Posix,
            name: Some(&name),
            key: None,
            size: Bytes(size),
            mode: Mode::new(0o600),
            contents: Some(&zeros),
            context: None,
        };
        let _ = Catalog::built_in().find(&subject);
    }
}

fn zeros(_: u64, into: &mut [u8]) -> bool {
    into.fill(0);
    true
}

#[test]
fn catalog_has_157_makers_with_unique_ids() {
    let ids: Vec<&str> = Catalog::built_in().makers().map(|maker| maker.id.as_str()).collect();
    let once: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), once.len(), "duplicate id");
    // Some makers have a second entry for segments that are judged differently.
    let parts = [
        "ecal-event",
        "fastdds-mutex",
        "iceoryx2-global",
        "libfabric-sm2-temp",
        "linuxcnc-small-keys",
        "postgresql-sysv-left",
        "postgresql-sysv-live",
        "sysrepo-other",
    ];
    assert!(parts.iter().all(|part| once.contains(part)));
    assert_eq!(once.len() - parts.len(), 157);
}

fn user_makers(text: &str) -> Vec<Maker> {
    Maker::all(text, Path::new("own"), Patterns::Compile).unwrap()
}

fn object<'a>(name: &'a str, contents: Option<&'a Peek<'a>>) -> Subject<'a> {
    Subject {
        kind: Kind::Posix,
        name: Some(name.as_bytes()),
        key: None,
        size: Bytes(4096),
        mode: Mode::new(0o600),
        contents,
        context: None,
    }
}

#[test]
fn most_specific_rule_wins() {
    let rules = user_makers(
        r#"
        [[maker]]
        id = "last"
        name = "x"
        kind = "posix"
        match = "fallback"
        contents = { at = 0, hex = "01" }
        [[maker]]
        id = "contents"
        name = "x"
        kind = "posix"
        match = "content"
        contents = { at = 0, hex = "01" }
        [[maker]]
        id = "short"
        name = "x"
        pattern = '^cam_.*$'
        [[maker]]
        id = "long"
        name = "x"
        pattern = '^cam_front_.*$'
        [[maker]]
        id = "label"
        name = "x"
        pattern = '^cam_front_[a-z]*$'
        label-only = true
        [[maker]]
        id = "one"
        name = "x"
        pattern = '^cam_front_left$'
        [[maker]]
        id = "both"
        name = "x"
        pattern = '^c.*$'
        contents = { at = 0, hex = "02" }
    "#,
    );
    let catalog = Catalog::new(vec![], rules);
    let maker_of = |name: &str, first: Option<u8>| {
        let places = first.map(|first| vec![(0, vec![first])]);
        let contents = places.as_ref().map(|places| zeros_except(4096, places));
        let contents = contents.as_ref().map(|contents| contents as &Peek<'_>);
        catalog.find(&object(name, contents)).map(|maker_match| maker_match.maker.id.as_str())
    };
    assert_eq!(maker_of("cam_front_left", Some(2)), Some("both"));
    assert_eq!(maker_of("cam_front_left", Some(1)), Some("one"));
    assert_eq!(maker_of("cam_front_leftmost", Some(1)), Some("long"), "a verified rule outranks a label");
    assert_eq!(maker_of("cam_x", None), Some("short"));
    assert_eq!(maker_of("cx", Some(1)), Some("both"), "a name outranks contents alone");
    assert_eq!(maker_of("x", Some(1)), Some("contents"));
    assert_eq!(maker_of("x", Some(3)), None);
    assert_eq!(maker_of("x", None), None);
}

#[test]
fn user_rule_replaces_a_built_in_rule_with_its_id() {
    let rules = user_makers(
        "[[maker]]\nid = 'pytorch-shm'\nname = 'ours'\npattern = '^ours_'\n\
                     [[maker]]\nid = 'mine'\nname = 'mine'\npattern = '^psm_[0-9a-f]{8}$'\n\
                     unheld = 'normal'\nreason = 'we keep them'",
    );
    let catalog = Catalog::with_makers(&rules);
    let maker_of =
        |name: &str| catalog.find(&object(name, None)).map(|maker_match| maker_match.maker.id.as_str());
    assert_eq!(maker_of("torch_4121_1_0"), None);
    assert_eq!(maker_of("ours_1"), Some("pytorch-shm"));
    assert_eq!(
        maker_of("psm_1f09ab2c"),
        Some("mine"),
        "the user's own maker outranks an equally specific one"
    );
    assert_eq!(catalog.makers().count(), Catalog::built_in().makers().count() + 1);
}

#[test]
fn contents_are_read_only_if_a_rule_requires_them() {
    let reads = |name: &str| {
        let count = Cell::new(0);
        let contents = |offset, into: &mut [u8]| {
            count.set(count.get() + 1);
            zeros(offset, into)
        };
        let _ = Catalog::built_in().find(&object(name, Some(&contents)));
        count.get()
    };
    assert_eq!(reads("torch_4121_1_0"), 0);
    assert_eq!(reads("mpich_shm_5f0e_0"), 0);
    assert_eq!(reads("libpod_lock"), 1);
    assert!(reads("nobody knows this") > 0);
}

#[test]
fn shared_key_only_labels() {
    let maker_of = |key| {
        let subject = Subject { kind: Kind::Sysv, name: None, key: Some(Key(key)), ..object("", None) };
        Catalog::built_in()
            .find(&subject)
            .map(|maker_match| (maker_match.maker.id.as_str(), maker_match.only_labels))
    };
    assert_eq!(maker_of(0x5100_a1b2), Some(("qt-sharedmemory", true)));
    assert_eq!(maker_of(0x7a6d_0003), Some(("zoneminder", false)));
    assert_eq!(maker_of(0), None, "IPC_PRIVATE identifies no maker");
}
