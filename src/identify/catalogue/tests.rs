//! The catalogue that comes with the program, entry by entry.

use super::*;
use crate::config::maker::Example;
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
    let size = example.size.or(maker.sizes.first().map(|sizes| *sizes.start())).unwrap_or(4096);
    let mode = example.mode.or(maker.modes.first().map(|mode| mode.bits())).unwrap_or(0o600);
    let kind = match (&example.name, maker.kinds.memfd) {
        (None, _) => Kind::Sysv,
        (Some(_), true) => Kind::Memfd,
        (Some(_), false) => Kind::Posix,
    };
    let contents = example.contents.as_ref().map(|places| Written {
        size,
        places: places
            .iter()
            .map(|(at, bytes)| {
                (if *at < 0 { size - at.unsigned_abs() } else { at.unsigned_abs() }, bytes.clone())
            })
            .collect(),
    });
    tell(catalogue.find(&Subject {
        kind,
        name: example.name.as_ref().map(String::as_bytes),
        key: (kind == Kind::Sysv).then_some(Key(example.key.unwrap_or(0))),
        size: Bytes(size),
        mode: Mode::new(mode),
        contents: contents.as_ref().map(|contents| contents as &dyn Peek),
        around: Some(example),
    }))
}

fn alone(maker: &Maker) -> Catalogue {
    Catalogue::new(vec![], vec![maker.clone()])
}

#[test]
fn every_entry_fits_its_examples_and_misses_those_that_look_like_it() {
    let catalogue = Catalogue::built_in();
    let mut wrong = vec![];
    for maker in catalogue.makers() {
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
fn every_entry_compiles_and_says_where_it_is_from() {
    for (name, text) in FILES {
        let makers = Maker::all(text, Path::new(name), Patterns::Compile).unwrap();
        for maker in makers {
            assert!(maker.source.is_some(), "{}", maker.id);
            let lines =
                [Some(&maker.name), Some(&maker.reason), maker.removal.as_ref(), maker.source.as_ref()];
            for line in lines.into_iter().flatten() {
                assert!(line.is_ascii() && !line.contains(char::is_control) && line.len() < 200, "{line:?}");
            }
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
