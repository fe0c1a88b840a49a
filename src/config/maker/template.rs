//! Templates for names that depend on the name of a segment: `{name}_el`, `ora_pmon_{sid}`.

use std::str::FromStr;

/// Text with placeholders: `{name}` for the name of the segment, and the named groups of its
/// pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(String),
}

impl Template {
    /// The allowed values, which complete "expected …".
    pub const ALLOWED: &str = "a name in which {name} stands for the segment name and {GROUP} for a named \
                           group of the pattern, such as \"{name}_el\"";

    /// Returns the groups in use, without `{name}`.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Group(group) if group != "name" => Some(group.as_str()),
            _ => None,
        })
    }

    /// Fills in the placeholders. `None` if a group did not match; `group` returns its bytes.
    pub fn fill<'a>(&self, name: &'a [u8], group: impl Fn(&str) -> Option<&'a [u8]>) -> Option<Vec<u8>> {
        let mut filled = vec![];
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.extend_from_slice(text.as_bytes()),
                Part::Group(whole) if whole == "name" => filled.extend_from_slice(name),
                Part::Group(named) => filled.extend_from_slice(group(named)?),
            }
        }
        Some(filled)
    }
}

impl FromStr for Template {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = vec![];
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (group, behind) = after.split_once('}').ok_or(())?;
            if group.is_empty() || before.contains('}') {
                return Err(());
            }
            parts.extend([Part::Text(before.to_owned()), Part::Group(group.to_owned())]);
            rest = behind;
        }
        if text.is_empty() || rest.contains('}') {
            return Err(());
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_replaces_groups() {
        let template: Template = "a{sid}b{name}".parse().unwrap();
        assert_eq!(template.groups().collect::<Vec<_>>(), ["sid"]);
        assert_eq!(template.fill(b"N", |_| Some(b"\xff")).unwrap(), b"a\xffbN");
        assert_eq!(template.fill(b"N", |_| None), None);
        let plain: Template = "iceoryx_mgmt".parse().unwrap();
        assert_eq!(plain.fill(b"N", |_| None).unwrap(), b"iceoryx_mgmt");
        for wrong in ["", "{", "}", "{}", "a{b", "a}b{c}"] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
    }
}
