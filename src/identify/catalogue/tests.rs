//! The catalogue that comes with the program, entry by entry.

use super::*;
use crate::config::maker::{Example, Placed};
use crate::segment::{Bytes, Mode};
use proptest::prelude::*;

/// Zeros but for a few places.
struct Written {
    size: u64,
    places: Vec<(u64, Vec<u8>)>,
}

impl Peek for Written {
    fn peek(&self, offset: u64, into: &mut [u8]) -> bool {
        assert!(offset + into.len() as u64 <= self.size, "asked past the end");
        into.fill(0);
        for (at, bytes) in &self.places {
            for (place, byte) in (*at..).zip(bytes) {
                if let Some(into) =
                    place.checked_sub(offset).and_then(|place| into.get_mut(usize::try_from(place).unwrap()))
                {
                    *into = *byte;
                }
            }
        }
        true
    }
}

impl Around for Example {
    fn commands(&self) -> Vec<&[u8]> {
        self.command.iter().map(String::as_bytes).collect()
    }

    fn object_is_there(&self, name: &[u8]) -> bool {
        self.beside.iter().any(|beside| beside.as_bytes() == name)
    }

    fn is_group(&self, name: &[u8]) -> bool {
        self.group.as_ref().is_some_and(|group| group.as_bytes() == name)
    }
}

/// Looks an example up. What it does not say is as the maker has it.
fn found<T>(
    catalogue: &Catalogue,
    maker: &Maker,
    example: &Example,
    tell: impl Fn(Option<Made<'_>>) -> T,
) -> T {
    let size = example.size.as_ref().or(maker.sizes.first()).map_or(4096, |size| *size.0.start());
    let mode = example.mode.or(maker.modes.first().copied()).unwrap_or(Mode::new(0o600));
    let kind = match (&example.name, maker.kinds.memfd) {
        (None, _) => Kind::Sysv,
        (Some(_), true) => Kind::Memfd,
        (Some(_), false) => Kind::Posix,
    };
    let contents = example.contents.as_ref().map(|places| Written {
        size,
        places: places
            .iter()
            .map(|Placed { at, bytes }| {
                (if *at < 0 { size - at.unsigned_abs() } else { at.unsigned_abs() }, bytes.clone())
            })
            .collect(),
    });
    tell(catalogue.find(&Subject {
        kind,
        name: example.name.as_ref().map(String::as_bytes),
        key: (kind == Kind::Sysv).then_some(Key(example.key.unwrap_or(0))),
        size: Bytes(size),
        mode,
        contents: contents.as_ref().map(|contents| contents as &dyn Peek),
        around: Some(example),
    }))
}

fn alone(maker: &Maker) -> Catalogue {
    Catalogue::new(vec![], vec![maker.clone()])
}

/// The catalogue as it is written, with its examples.
fn written() -> Vec<Maker> {
    FILES
        .iter()
        .flat_map(|(name, text)| Maker::all(text, Path::new(name), Patterns::Compile).unwrap())
        .collect()
}

#[test]
fn nothing_is_lost_without_the_examples() {
    let mut written = written();
    for maker in &mut written {
        maker.fits.clear();
        maker.misses.clear();
    }
    assert_eq!(shipped(), written);
}

#[test]
fn every_entry_fits_its_examples_and_misses_those_that_look_like_it() {
    let catalogue = Catalogue::built_in();
    let mut wrong = vec![];
    for maker in &written() {
        let id = maker.id.as_str();
        if maker.fits.is_empty() || maker.misses.is_empty() {
            wrong.push(format!("{id} has nothing that fits, or no near miss"));
        }
        let own = alone(maker);
        for example in &maker.fits {
            let pids = |made: Made<'_>| made.pids.iter().map(|pid| pid.pid).collect::<Vec<_>>();
            let pids = found(&own, maker, example, |made| made.map(pids));
            let best = found(catalogue, maker, example, |made| made.map(|made| made.maker.id.clone()));
            let expected = example.better.as_deref().unwrap_or(id);
            if pids.as_ref() != Some(&example.pids) || best.as_deref() != Some(expected) {
                wrong.push(format!("{id}: {best:?} with {pids:?} fits {example:?}"));
            }
        }
        for example in &maker.misses {
            if found(&own, maker, example, |made| made.is_some()) {
                wrong.push(format!("{id} is not to fit {example:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_told_at_a_glance_hides_no_name() {
    let makers = written();
    let examples = makers.iter().flat_map(|maker| maker.fits.iter().chain(&maker.misses));
    let names: Vec<&[u8]> = examples.filter_map(|example| Some(example.name.as_ref()?.as_bytes())).collect();
    for text in makers.iter().flat_map(|maker| &maker.patterns) {
        let (pattern, regex) = (Pattern::new(text), crate::config::maker::compile(text).unwrap());
        for name in &names {
            assert_eq!(pattern.fits(name), regex.is_match(name), "{text} {}", String::from_utf8_lossy(name));
        }
    }
}

#[test]
fn every_entry_compiles_and_says_where_it_is_from() {
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
    fn no_name_crashes_it(name in proptest::collection::vec(any::<u8>(), 0..300), size in any::<u64>()) {
        let subject = Subject {
            kind: Kind::Posix,
            name: Some(&name),
            key: None,
            size: Bytes(size),
            mode: Mode::new(0o600),
            contents: Some(&Zeros),
            around: None,
        };
        let _ = Catalogue::built_in().find(&subject);
    }
}

struct Zeros;

impl Peek for Zeros {
    fn peek(&self, _: u64, into: &mut [u8]) -> bool {
        into.fill(0);
        true
    }
}

#[test]
fn all_157_makers_are_there_and_each_once() {
    let ids: Vec<&str> = Catalogue::built_in().makers().map(|maker| maker.id.as_str()).collect();
    let once: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), once.len(), "an id stands there twice");
    // Some have an entry more for a part that is judged in another way.
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

/// Makers as a person writes them.
fn own(text: &str) -> Vec<Maker> {
    Maker::all(text, Path::new("own"), Patterns::Compile).unwrap()
}

fn object<'a>(name: &'a str, contents: Option<&'a dyn Peek>) -> Subject<'a> {
    Subject {
        kind: Kind::Posix,
        name: Some(name.as_bytes()),
        key: None,
        size: Bytes(4096),
        mode: Mode::new(0o600),
        contents,
        around: None,
    }
}

#[test]
fn the_most_specific_rule_wins() {
    let rules = own(r#"
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
    "#);
    let catalogue = Catalogue::new(vec![], rules);
    let made = |name: &str, first: Option<u8>| {
        let contents = first.map(|first| Written { size: 4096, places: vec![(0, vec![first])] });
        let contents = contents.as_ref().map(|contents| contents as &dyn Peek);
        catalogue.find(&object(name, contents)).map(|made| made.maker.id.as_str())
    };
    assert_eq!(made("cam_front_left", Some(2)), Some("both"));
    assert_eq!(made("cam_front_left", Some(1)), Some("one"));
    assert_eq!(
        made("cam_front_leftmost", Some(1)),
        Some("long"),
        "a label is no more than a rule that is verified"
    );
    assert_eq!(made("cam_x", None), Some("short"));
    assert_eq!(made("cx", Some(1)), Some("both"), "a name goes before contents alone");
    assert_eq!(made("x", Some(1)), Some("contents"));
    assert_eq!(made("x", Some(3)), None);
    assert_eq!(made("x", None), None);
}

#[test]
fn a_rule_of_ones_own_takes_the_place_of_one_that_comes_along() {
    let rules = own("[[maker]]\nid = 'pytorch-shm'\nname = 'ours'\npattern = '^ours_'\n\
                     [[maker]]\nid = 'mine'\nname = 'mine'\npattern = '^psm_[0-9a-f]{8}$'\n\
                     unheld = 'normal'\nreason = 'we keep them'");
    let catalogue = Catalogue::with(&rules);
    let made = |name: &str| catalogue.find(&object(name, None)).map(|made| made.maker.id.as_str());
    assert_eq!(made("torch_4121_1_0"), None);
    assert_eq!(made("ours_1"), Some("pytorch-shm"));
    assert_eq!(made("psm_1f09ab2c"), Some("mine"), "of two that are as specific, one's own");
    assert_eq!(catalogue.makers().count(), Catalogue::built_in().makers().count() + 1);
}

/// Counts the looks.
struct Counted(std::cell::Cell<u32>);

impl Peek for Counted {
    fn peek(&self, _: u64, into: &mut [u8]) -> bool {
        self.0.set(self.0.get() + 1);
        into.fill(0);
        true
    }
}

#[test]
fn contents_are_looked_at_only_where_a_rule_asks() {
    let looks = |name: &str| {
        let contents = Counted(std::cell::Cell::new(0));
        let _ = Catalogue::built_in().find(&object(name, Some(&contents)));
        contents.0.get()
    };
    assert_eq!(looks("torch_4121_1_0"), 0);
    assert_eq!(looks("mpich_shm_5f0e_0"), 0);
    assert_eq!(looks("libpod_lock"), 1);
    assert!(looks("nobody knows this") > 0);
}

#[test]
fn what_is_a_key_of_many_only_labels() {
    let made = |key| {
        let subject = Subject { kind: Kind::Sysv, name: None, key: Some(Key(key)), ..object("", None) };
        Catalogue::built_in().find(&subject).map(|made| (made.maker.id.as_str(), made.only_labels))
    };
    assert_eq!(made(0x5100_a1b2), Some(("qt-sharedmemory", true)));
    assert_eq!(made(0x7a6d_0003), Some(("zoneminder", false)));
    assert_eq!(made(0), None, "a private segment tells nobody");
}
