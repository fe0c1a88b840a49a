//! Rules for combinations of fields.

use super::pattern::{compile, error_line, has_group};
use super::{Kinds, Maker, MatchBy, Patterns, PidPlace, Template, UnheldVerdict};

/// A field and its problem.
type FieldProblem = (&'static str, String);

impl Maker {
    /// Derives the kinds from other fields, and checks all fields.
    pub(in crate::config) fn complete(&mut self, patterns: Patterns) -> Result<(), FieldProblem> {
        if self.kinds == Kinds::default() {
            self.kinds =
                Kinds { posix: !self.patterns.is_empty(), sysv: !self.keys.is_empty(), memfd: false };
        }
        self.check_identification()
            .and_then(|()| self.check_verdict())
            .map_err(|(field, problem)| (field, problem.to_owned()))?;
        self.check_groups()?;
        for pattern in self.patterns.iter().filter(|_| patterns == Patterns::Compile) {
            compile(pattern).map_err(|error| {
                ("pattern", format!("invalid regular expression '{pattern}': {}", error_line(&error)))
            })?;
        }
        Ok(())
    }

    fn check_identification(&self) -> Result<(), (&'static str, &'static str)> {
        if self.id.is_empty() || self.name.is_empty() {
            return Err(("", "id and name are required"));
        }
        for (field, texts) in [("pattern", &self.patterns), ("commands", &self.commands)] {
            if texts.iter().any(String::is_empty) {
                return Err((field, "an empty string would match everything"));
            }
        }
        let has_context = !self.commands.is_empty() || !self.beside.is_empty() || self.group_named;
        let has_own_evidence =
            !self.patterns.is_empty() || !self.keys.is_empty() || !self.contents.is_empty();
        // A neighbor of a System V segment is evidence only together with the size.
        let has_sized_neighbor = !self.beside.is_empty() && !self.sizes.is_empty();
        if !has_own_evidence && self.commands.is_empty() && !has_sized_neighbor {
            return Err(("", "nothing identifies its segments: add pattern, key, contents or commands"));
        }
        if self.kinds == Kinds::default() {
            return Err(("", "kind is required: \"posix\", \"sysv\", \"both\" or \"memfd\""));
        }
        match self.by {
            MatchBy::Content if self.contents.is_empty() => {
                Err(("match", "match = \"content\" requires contents"))
            }
            MatchBy::Fallback if self.contents.is_empty() => {
                Err(("match", "match = \"fallback\" requires contents"))
            }
            MatchBy::Context if !has_context => {
                Err(("match", "match = \"context\" requires commands, beside or group-named"))
            }
            MatchBy::Name if self.patterns.is_empty() && self.keys.is_empty() => {
                Err(("match", "match = \"name\" requires pattern or key"))
            }
            _ => Ok(()),
        }
    }

    fn check_verdict(&self) -> Result<(), (&'static str, &'static str)> {
        let problem = match self.unheld {
            UnheldVerdict::DeadPid if self.pids.is_empty() => "unheld = \"dead-pid\" requires pid",
            UnheldVerdict::Companion if self.helpers.is_empty() => "unheld = \"companion\" requires helpers",
            UnheldVerdict::Undecided => return Ok(()),
            _ if self.label_only => "unheld and label-only are mutually exclusive",
            _ if self.reason.is_empty() => "unheld requires reason",
            _ => return Ok(()),
        };
        Err(("unheld", problem))
    }

    /// Checks that every group is defined by a pattern.
    fn check_groups(&self) -> Result<(), FieldProblem> {
        let pids = self.pids.iter().filter_map(|pid| match &pid.place {
            PidPlace::Name { group, .. } => Some(("pid", group.as_str())),
            PidPlace::Contents { .. } => None,
        });
        let mut used = [("beside", &self.beside), ("helpers", &self.helpers), ("with", &self.with)]
            .into_iter()
            .flat_map(|(field, all)| all.iter().flat_map(Template::groups).map(move |group| (field, group)))
            .chain(pids);
        let missing = used.find(|(_, group)| !self.patterns.iter().any(|pattern| has_group(pattern, group)));
        missing.map_or(Ok(()), |(field, group)| Err((field, format!("no group '{group}' in pattern"))))
    }
}
