//! The catalog of known makers of shared memory. Its rules are built in (assets/catalog) or come
//! from the configuration.
//!
//! The most specific rule wins. A match of contents plus name or key outranks an exact name, which
//! outranks a pattern with more literal characters, down to the fallbacks: see [`MatchKind`].

mod contents;
mod helper;
mod index;
mod judge;
mod matched;
mod pattern;
mod pids;
mod subject;
#[cfg(test)]
mod tests;

pub use contents::Contents;
pub use helper::is_helper;
pub use judge::{Finding, Judgment};
pub use matched::{MakerMatch, MatchKind};
pub use pids::{FoundPid, PidFrom};
pub use subject::{Context, Kind, Peek, Subject};

use crate::config::maker::{Maker, MatchBy, Patterns, PidPlace, Template};
use crate::segment::Key;
use index::Index;
use matched::Rank;
use pattern::Pattern;
use regex::bytes::Captures;
use std::path::Path;
use std::sync::LazyLock;

const FILES: [(&str, &str); 8] = [
    ("python.toml", include_str!("../../../assets/catalog/python.toml")),
    ("libraries.toml", include_str!("../../../assets/catalog/libraries.toml")),
    ("hpc.toml", include_str!("../../../assets/catalog/hpc.toml")),
    ("middleware.toml", include_str!("../../../assets/catalog/middleware.toml")),
    ("databases.toml", include_str!("../../../assets/catalog/databases.toml")),
    ("servers.toml", include_str!("../../../assets/catalog/servers.toml")),
    ("desktop.toml", include_str!("../../../assets/catalog/desktop.toml")),
    ("system.toml", include_str!("../../../assets/catalog/system.toml")),
];

/// Rules that fix fewer bits of a key only label segments.
const MIN_KEY_BITS: usize = 13;

#[derive(Debug)]
pub struct Catalog {
    entries: Vec<Entry>,
    index: Index,
}

#[derive(Debug)]
struct Entry {
    maker: Maker,
    patterns: Vec<Pattern>,
    /// Set for a maker from the user's configuration.
    own: bool,
}

impl Catalog {
    /// Returns the built-in catalog, which is parsed on the first call.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(parse_built_in(), vec![]));
        &BUILT_IN
    }

    /// Returns the built-in catalog plus the user's makers, which replace built-in ones with the
    /// same id.
    #[must_use]
    pub fn with_makers(own: &[Maker]) -> Self {
        Self::new(parse_built_in(), own.to_vec())
    }

    fn new(parse_built_in: Vec<Maker>, own: Vec<Maker>) -> Self {
        let replaced = |maker: &Maker| own.iter().any(|other| other.id == maker.id);
        let kept: Vec<Maker> = parse_built_in.into_iter().filter(|maker| !replaced(maker)).collect();
        let entry = |own| {
            move |maker: Maker| {
                let pattern = |text: &String| if own { Pattern::from_user(text) } else { Pattern::new(text) };
                let patterns = maker.patterns.iter().map(pattern).collect();
                Entry { maker, patterns, own }
            }
        };
        let entries: Vec<Entry> =
            own.into_iter().map(entry(true)).chain(kept.into_iter().map(entry(false))).collect();
        let index = Index::new(&entries);
        Self { entries, index }
    }

    /// Returns all makers, the user's first.
    pub fn makers(&self) -> impl Iterator<Item = &Maker> {
        self.entries.iter().map(|entry| &entry.maker)
    }

    /// Finds the maker of a segment. Reads contents only if a rule requires them and everything
    /// else matches.
    #[must_use]
    pub fn find<'c>(&'c self, subject: &Subject<'_>) -> Option<MakerMatch<'c>> {
        let mut best: Option<(Rank, &Entry, Contents)> = None;
        let mut check = |candidates: &mut dyn Iterator<Item = usize>| {
            for entry in candidates.map(|index| &self.entries[index]) {
                if let Some((rank, contents)) = entry.fit(subject)
                    && best.as_ref().is_none_or(|(held, ..)| rank > *held)
                {
                    best = Some((rank, entry, contents));
                }
            }
            best.as_ref().is_some_and(|(rank, ..)| rank.matched >= MatchKind::Name)
        };
        let by_name = match subject.plain_name() {
            Some(name) => check(&mut self.index.by_name(&self.entries, name)),
            None => check(&mut self.index.keys.iter().copied()),
        };
        // A known name outranks rules that only check contents.
        if !by_name {
            check(&mut self.index.others.iter().copied());
        }
        let (rank, entry, contents) = best?;
        Some(entry.maker_match(subject, rank, contents))
    }
}

fn parse_built_in() -> Vec<Maker> {
    let mut all = vec![];
    for (name, text) in FILES {
        match Maker::all(&without_examples(text), Path::new(name), Patterns::Trust) {
            Ok(makers) => all.extend(makers),
            Err(error) => unreachable!("a test reads it: {error}"),
        }
    }
    all
}

/// Drops the examples, which come last in each entry. Only tests need them, and they take as long
/// to parse as the rest.
fn without_examples(text: &str) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut wanted = true;
    for line in text.split_inclusive('\n') {
        wanted = line.starts_with("[[maker]]") || (wanted && !line.starts_with("fits ="));
        if wanted {
            rest.push_str(line);
        }
    }
    rest
}

impl Entry {
    /// Returns the rank of the match; `None` if the maker does not match.
    fn fit(&self, subject: &Subject<'_>) -> Option<(Rank, Contents)> {
        let maker = &self.maker;
        let kind = match subject.kind {
            Kind::Posix => maker.kinds.posix,
            Kind::Sysv => maker.kinds.sysv,
            Kind::Memfd => maker.kinds.memfd,
        };
        let size_matches =
            maker.sizes.is_empty() || maker.sizes.iter().any(|size| size.0.contains(&subject.size.0));
        let mode_matches = maker.modes.is_empty() || maker.modes.contains(&subject.mode);
        let missing_rule = match maker.by {
            MatchBy::Name => false,
            MatchBy::Content | MatchBy::Fallback => subject.contents.is_none(),
            MatchBy::Context => subject.context.is_none(),
        };
        if missing_rule || !kind || !size_matches || !mode_matches {
            return None;
        }
        let (named, fixed_bits) = match subject.plain_name() {
            Some(name) => self.by_name(name)?,
            None => self.by_key(subject.key?)?,
        };
        let contents = match maker.by {
            MatchBy::Name if named == MatchKind::Context => return None,
            MatchBy::Context if !self.matches_context(subject) => return None,
            _ => contents::check(&maker.contents, subject),
        };
        match (maker.by, contents) {
            (MatchBy::Content | MatchBy::Fallback, Contents::Unread | Contents::Differ)
            | (MatchBy::Context, Contents::Differ) => return None,
            _ => {}
        }
        let matched = match contents {
            _ if maker.by == MatchBy::Fallback => MatchKind::Fallback,
            // A format that many programs use, such as a semaphore, adds no evidence about the
            // maker.
            Contents::Fit if fixed_bits > 0 && contents::only_of_a_kind(&maker.contents) => named,
            Contents::Fit if fixed_bits > 0 => MatchKind::Both,
            Contents::Fit => MatchKind::Contents,
            _ if maker.by == MatchBy::Context && fixed_bits == 0 => MatchKind::Context,
            _ => named,
        };
        Some((Rank { matched, fixed_bits, own: self.own, verified: !maker.label_only }, contents))
    }

    /// Matches a name. Returns the kind of match and the number of bits that the most specific
    /// pattern fixes.
    fn by_name(&self, name: &[u8]) -> Option<(MatchKind, usize)> {
        if self.patterns.is_empty() {
            return Some((MatchKind::Context, 0));
        }
        let matching = self.patterns.iter().filter(|pattern| pattern.matches(name));
        let pattern = matching.max_by_key(|pattern| (pattern.is_exact(), pattern.literal()))?;
        let matched = if pattern.is_exact() { MatchKind::OneName } else { MatchKind::Name };
        Some((matched, 8 * pattern.literal()))
    }

    /// Matches a key. Returns the kind of match and the number of bits that the most specific rule
    /// fixes.
    fn by_key(&self, key: Key) -> Option<(MatchKind, usize)> {
        let keys = &self.maker.keys;
        let fixed_bits =
            match keys.iter().filter(|rule| rule.matches(key.0)).map(|rule| rule.fixed_bits()).max() {
                Some(fixed_bits) => fixed_bits,
                None if keys.is_empty() => 0,
                None => return None,
            };
        let matched = match fixed_bits {
            // Any program may use IPC_PRIVATE.
            0 => MatchKind::Context,
            32 => MatchKind::OneKey,
            _ => MatchKind::Key,
        };
        Some((matched, fixed_bits as usize))
    }

    /// Returns true if the segment's context (processes, groups and objects) matches the maker.
    fn matches_context(&self, subject: &Subject<'_>) -> bool {
        let maker = &self.maker;
        let Some(context) = subject.context else { return false };
        if context.commands().any(|command| maker.commands.iter().any(|known| is_command(known, command))) {
            return true;
        }
        // A System V segment has no name to derive others from.
        let name = subject.plain_name().unwrap_or_default();
        let beside = fill(&maker.beside, name, self.captures(name, maker.beside.iter()).as_ref());
        (maker.group_named || !maker.beside.is_empty())
            && (!maker.group_named || context.is_group(name))
            && beside.len() == maker.beside.len()
            && beside.iter().all(|name| context.object_exists(name))
    }

    /// Returns the matching pattern's capture groups, if templates or pids use them.
    /// Capturing is slow.
    fn captures<'n, 't>(
        &self,
        name: &'n [u8],
        mut templates: impl Iterator<Item = &'t Template>,
    ) -> Option<Captures<'n>> {
        let wanted = templates.any(|template| template.groups().next().is_some())
            || self.maker.pids.iter().any(|pid| matches!(pid.place, PidPlace::Name { .. }));
        if !wanted {
            return None;
        }
        self.patterns.iter().find_map(|pattern| pattern.captures(name))
    }

    fn maker_match<'c>(&'c self, subject: &Subject<'_>, rank: Rank, contents: Contents) -> MakerMatch<'c> {
        let name = subject.plain_name().unwrap_or_default();
        let maker = &self.maker;
        let captures = self.captures(name, maker.helpers.iter().chain(&maker.with));
        let captures = captures.as_ref();
        MakerMatch {
            maker,
            matched: rank.matched,
            contents,
            pids: pids::find(&maker.pids, captures, subject, contents),
            helpers: fill(&maker.helpers, name, captures),
            with: fill(&maker.with, name, captures),
            only_labels: maker.label_only
                || (rank.matched == MatchKind::Key && rank.fixed_bits < MIN_KEY_BITS),
        }
    }
}

/// Fills in templates. Skips those whose group did not match.
fn fill(templates: &[Template], name: &[u8], captures: Option<&Captures<'_>>) -> Vec<Vec<u8>> {
    let filled = templates
        .iter()
        .map(|template| template.fill(name, |group| captures?.name(group).map(|found| &name[found.range()])));
    filled.flatten().collect()
}

/// Returns true if a command is the known one. A `*` at the end of `known` matches any suffix.
fn is_command(known: &str, command: &[u8]) -> bool {
    match known.strip_suffix('*') {
        Some(beginning) => command.starts_with(beginning.as_bytes()),
        None => command == known.as_bytes(),
    }
}
