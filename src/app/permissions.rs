//! The permissions form: a grid of read and write for owner, group and others, fields for mode,
//! owner and group, and an access query for any user or process.

use super::action;
use super::effect::Effect;
use super::overlay::Form;
use super::text_field::TextField;
use crate::act::access::{Rules, UserAccess};
use crate::act::{
    Action, LookupError, ModeChange, OwnerChange, ParseModeError, ParsePrincipalError, Principal, Question,
};
use crate::engine::Request;
use crate::segment::{Kind, Mode, Segment};
use std::collections::BTreeMap;

/// The bits of the grid in row order: read and write of owner, group, others.
pub const BITS: [u32; 6] = [0o400, 0o200, 0o040, 0o020, 0o004, 0o002];
pub const CLASSES: [&str; 3] = ["owner", "group", "others"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    Bits,
    Mode,
    Owner,
    Group,
    /// The user or pid for the access query.
    Query,
}

impl Focus {
    pub const ALL: [Self; 5] = [Self::Bits, Self::Mode, Self::Owner, Self::Group, Self::Query];
}

/// A resolved user or group with its name, or the error.
pub type FoundName = Result<(u32, String), LookupError>;

/// The reason why the form cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("nothing to change: toggle a bit, or type a mode, owner or group")]
    Unchanged,
    #[error(transparent)]
    Mode(#[from] ParseModeError),
    #[error(transparent)]
    Owner(#[from] LookupError),
    /// A user or group that was typed like a mode.
    #[error("{0} looks like a mode; the mode is the field above")]
    LikeMode(String),
}

#[derive(Debug, Clone)]
pub struct Permissions {
    /// The grid and the answers show the first segment.
    pub segments: Vec<Segment>,
    /// The mode of the first segment with the edits applied.
    pub mode: Mode,
    /// Bits toggled since the mode was last typed. Modes of several segments may differ, so they
    /// are applied to each one.
    toggled: BTreeMap<u32, bool>,
    /// The typed mode that the toggles apply to.
    typed: String,
    pub focus: Focus,
    /// The index of the selected bit in [`BITS`].
    pub cursor: usize,
    /// The mode, octal or symbolic.
    pub mode_field: TextField,
    pub owner: TextField,
    pub group: TextField,
    pub query: TextField,
    /// `None` until resolved.
    pub owner_found: Option<FoundName>,
    /// `None` until resolved.
    pub group_found: Option<FoundName>,
    /// `None` until resolved.
    pub query_result: Option<Result<Principal, ParsePrincipalError>>,
    /// `None` until the engine has answered.
    pub rules: Option<Rules>,
    pub error: Option<String>,
    /// The user submitted the form: waiting for the names to be resolved.
    pub submitted: bool,
}

impl Permissions {
    /// Returns `None` without segments.
    pub fn new(segments: Vec<Segment>) -> Option<Self> {
        let first = segments.first()?;
        let mode = first.mode;
        // A field whose value differs between the segments starts empty.
        let field = |of: fn(&Segment) -> String| {
            let text = of(first);
            let same = segments.iter().all(|segment| of(segment) == text);
            TextField::new(if same { text } else { String::new() })
        };
        Some(Self {
            mode,
            toggled: BTreeMap::new(),
            typed: String::new(),
            focus: Focus::Bits,
            cursor: 0,
            mode_field: field(|segment| segment.mode.to_string()),
            owner: field(|segment| segment.owner.user_text()),
            group: field(|segment| segment.owner.group_text()),
            query: TextField::default(),
            owner_found: None,
            group_found: None,
            query_result: None,
            rules: None,
            error: None,
            submitted: false,
            segments,
        })
    }

    pub fn toggle_bit(&mut self) {
        let bit = BITS[self.cursor];
        self.mode = Mode::new(self.mode.bits() ^ bit);
        let first = self.segments.first().map_or(self.mode, |segment| segment.mode);
        let mixed = self.segments.iter().any(|segment| segment.mode != first);
        let all_set = self.typed.bytes().any(|byte| byte.is_ascii_digit());
        if !mixed || all_set {
            self.mode_field.set(self.mode.to_string());
            return;
        }
        // If modes differ, each segment keeps its other bits.
        if self.toggled.remove(&bit).is_none() {
            self.toggled.insert(bit, self.mode.bits() & bit != 0);
        }
        let clause = |(bit, on): (&u32, &bool)| {
            let at = BITS.iter().position(|other| other == bit).unwrap_or(0);
            format!("{}{}{}", ["u", "g", "o"][at / 2], if *on { '+' } else { '-' }, ["r", "w"][at % 2])
        };
        let typed = (!self.typed.is_empty()).then(|| self.typed.clone());
        let clauses = self.toggled.iter().rev().map(clause);
        self.mode_field.set(typed.into_iter().chain(clauses).collect::<Vec<_>>().join(","));
    }

    /// Parses the mode field. An invalid mode is ignored.
    pub fn read_mode(&mut self) {
        self.toggled.clear();
        self.mode_field.text().clone_into(&mut self.typed);
        if let (Some(first), Ok(change)) = (self.segments.first(), self.mode_change()) {
            self.mode = change.map_or(first.mode, |change| change.apply(first.mode));
        }
    }

    /// Returns true if the mode field is valid.
    pub fn is_mode_valid(&self) -> bool {
        self.mode_change().is_ok()
    }

    /// The requested mode, or `None` if it was not edited.
    fn mode_change(&self) -> Result<Option<ModeChange>, ParseModeError> {
        match self.mode_field.text() {
            text if self.mode_field.edited && !text.is_empty() => text.parse().map(Some),
            _ => Ok(None),
        }
    }

    /// The access change for each segment, or `None` while a name is unresolved.
    pub fn action(&self) -> Result<Option<Action>, FormError> {
        let mode = self.mode_change()?;
        let (Some(uid), Some(gid)) = (
            number(&self.owner, self.owner_found.as_ref())?,
            number(&self.group, self.group_found.as_ref())?,
        ) else {
            return Ok(None);
        };
        let owner = OwnerChange { uid, gid };
        match (mode, owner == OwnerChange::default()) {
            (None, true) => Err(FormError::Unchanged),
            (Some(mode), true) => Ok(Some(Action::SetMode(mode))),
            (None, false) => Ok(Some(Action::SetOwner(owner))),
            (Some(mode), false) => Ok(Some(Action::SetModeAndOwner(mode, owner))),
        }
    }

    /// Returns the invalid fields with their errors.
    pub fn invalid_fields(&self) -> Vec<(Focus, FormError)> {
        let mode = self.mode_change().err().map(FormError::Mode);
        let owner = number(&self.owner, self.owner_found.as_ref()).err();
        let group = number(&self.group, self.group_found.as_ref()).err();
        let fields = [(Focus::Mode, mode), (Focus::Owner, owner), (Focus::Group, group)];
        fields.into_iter().filter_map(|(field, reason)| Some((field, reason?))).collect()
    }

    /// The access rules of the first segment with the edits applied.
    fn edited_rules(&self) -> Option<Rules> {
        let rules = self.rules.as_ref()?;
        let known = |field: &TextField, found: Option<&FoundName>, stored| {
            number(field, found).ok().flatten().flatten().unwrap_or(stored)
        };
        let uid = known(&self.owner, self.owner_found.as_ref(), rules.uid);
        let gid = known(&self.group, self.group_found.as_ref(), rules.gid);
        Some(rules.with(self.mode, uid, gid))
    }

    /// Returns the access that owner, group and others would have.
    pub fn classes(&self) -> Option<[UserAccess; 3]> {
        Some(self.edited_rules()?.classes())
    }

    /// Returns the answer to the access query, or the error.
    pub fn answer(&self) -> Option<Result<(&str, UserAccess), &ParsePrincipalError>> {
        match self.query_result.as_ref()? {
            Ok(user) => Some(Ok((&user.text, self.edited_rules()?.access(&user.credentials)))),
            Err(reason) => Some(Err(reason)),
        }
    }

    /// Returns the equivalent C call and its side effects.
    pub fn c_call(&self) -> (String, String) {
        match self.segments.first().map(Segment::kind) {
            Some(Kind::Posix) => (
                format!("shm_open(name, O_CREAT | O_RDWR, {})", self.mode),
                format!("the umask clears bits: 022 leaves {}", Mode::new(self.mode.bits() & !0o022)),
            ),
            _ => (
                format!("shmget(key, size, IPC_CREAT | {})", self.mode),
                "IPC_CREAT = 01000: create it if the key is free; not part of the mode".to_owned(),
            ),
        }
    }

    /// Explains the mode bit by bit: `0640 = 0400 owner read + …`.
    pub fn explain_mode(&self) -> String {
        const MEANING: [(u32, &str); 12] = [
            (0o4000, "set-user-id"),
            (0o2000, "set-group-id"),
            (0o1000, "sticky"),
            (0o400, "owner read"),
            (0o200, "owner write"),
            (0o100, "owner execute"),
            (0o040, "group read"),
            (0o020, "group write"),
            (0o010, "group execute"),
            (0o004, "others read"),
            (0o002, "others write"),
            (0o001, "others execute"),
        ];
        let bits = self.mode.bits();
        let set: Vec<String> = MEANING
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(bit, meaning)| format!("{bit:04o} {meaning}"))
            .collect();
        let idle = if bits & 0o7111 == 0 { "" } else { "; only read and write matter for shared memory" };
        let sum = if set.is_empty() { "root only".to_owned() } else { set.join(" + ") };
        format!("{} = {sum}{idle}", self.mode)
    }
}

impl Form for Permissions {
    fn fields(&self) -> usize {
        Focus::ALL.len()
    }

    fn focus_index(&self) -> usize {
        self.focus as usize
    }

    fn focus(&mut self, place: usize) {
        self.focus = Focus::ALL[place];
    }

    fn text(&mut self) -> Option<&mut TextField> {
        match self.focus {
            Focus::Bits => None,
            Focus::Mode => Some(&mut self.mode_field),
            Focus::Owner => Some(&mut self.owner),
            Focus::Group => Some(&mut self.group),
            Focus::Query => Some(&mut self.query),
        }
    }

    fn toggle(&mut self) -> bool {
        let grid = self.focus == Focus::Bits;
        if grid {
            self.toggle_bit();
        }
        grid
    }

    fn changed(&mut self, effects: &mut Vec<Effect>) {
        self.error = None;
        self.submitted = false;
        let text = self.text().map(|field| field.text().to_owned()).unwrap_or_default();
        let question = match self.focus {
            Focus::Bits => return,
            Focus::Mode => return self.read_mode(),
            Focus::Owner => {
                self.owner_found = None;
                Question::User(text.clone())
            }
            Focus::Group => {
                self.group_found = None;
                Question::Group(text.clone())
            }
            Focus::Query => {
                self.query_result = None;
                Question::Principal(text.clone())
            }
        };
        if !text.is_empty() {
            effects.push(Request::Ask(question).into());
        }
    }

    fn act(&mut self, action: action::Action) -> bool {
        use action::Action::{Down, Left, Right, Up};
        match (action, self.focus) {
            (Up, Focus::Bits) => self.cursor = self.cursor.checked_sub(2).unwrap_or(self.cursor),
            (Down, Focus::Bits) if self.cursor + 2 < BITS.len() => self.cursor += 2,
            (Left, Focus::Bits) => self.cursor &= !1,
            (Right, Focus::Bits) => self.cursor |= 1,
            // The arrows stop at the edges of the grid.
            (Down, Focus::Query) => {}
            _ => return false,
        }
        self.error = None;
        true
    }

    /// Typing in the grid edits the mode field.
    fn takes(&self, letter: char) -> bool {
        self.focus == Focus::Bits && ('0'..='7').contains(&letter)
    }

    fn insert(&mut self, letter: char) {
        self.error = None;
        self.focus = Focus::Mode;
        self.mode_field.set(letter);
        self.read_mode();
    }
}

/// The uid or gid in a field: `Some(None)` if it was not edited, `None` while it is unresolved.
#[expect(clippy::option_option, reason = "not known yet, and known to be left as it is")]
fn number(field: &TextField, found: Option<&FoundName>) -> Result<Option<Option<u32>>, FormError> {
    match found {
        _ if !field.edited || field.text().is_empty() => Ok(Some(None)),
        _ if is_like_mode(field.text()) => Err(FormError::LikeMode(field.text().to_owned())),
        None => Ok(None),
        Some(Ok((number, _))) => Ok(Some(Some(*number))),
        Some(Err(reason)) => Err(FormError::Owner(reason.clone())),
    }
}

/// Returns true if a user or group was typed like a mode: `0640`, `g+w`. Ids have no leading zeros.
fn is_like_mode(text: &str) -> bool {
    let octal = text.len() > 2 && text.starts_with('0');
    (octal || text.contains(['=', '+'])) && text.parse::<ModeChange>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::example;

    fn form() -> Permissions {
        let mut form = Permissions::new(vec![example::posix()]).unwrap();
        form.rules = Some(Rules {
            kind: Kind::Posix,
            mode: form.mode,
            uid: 1000,
            gid: 1000,
            creator: None,
            acl: None,
        });
        form
    }

    #[test]
    fn grid_and_mode_field_agree() {
        let mut form = form();
        assert_eq!((form.mode, form.mode_field.text()), (Mode::new(0o600), "0600"));
        assert!(form.action().unwrap_err().to_string().contains("nothing to change"));
        form.cursor = 4;
        form.toggle_bit();
        assert_eq!((form.mode, form.mode_field.text()), (Mode::new(0o604), "0604"));
        assert_eq!(form.action(), Ok(Some(Action::SetMode("0604".parse().unwrap()))));
        for (text, mode) in [("0640", 0o640), ("g+w", 0o620), ("8", 0o620), ("", 0o600)] {
            form.mode_field.set(text);
            form.read_mode();
            assert_eq!(form.mode, Mode::new(mode), "{text}");
        }
        form.mode_field.set("rw");
        assert!(form.action().unwrap_err().to_string().contains("invalid mode"));
        assert!(Permissions::new(vec![]).is_none());
    }

    #[test]
    fn submit_waits_for_the_owner_and_stops_at_an_unknown_one() {
        let mut form = form();
        form.owner.set("bob");
        assert_eq!(form.action(), Ok(None));
        let error = LookupError::Owner(crate::act::ParseOwnerError::User("bob".to_owned()));
        form.owner_found = Some(Err(error.clone()));
        assert_eq!(form.action(), Err(error.into()));
        form.owner_found = Some(Ok((1001, "bob".to_owned())));
        let owner = OwnerChange { uid: Some(1001), gid: None };
        assert_eq!(form.action(), Ok(Some(Action::SetOwner(owner))));
        form.mode_field.set("0");
        assert_eq!(form.action(), Ok(Some(Action::SetModeAndOwner("0".parse().unwrap(), owner))));
    }

    #[test]
    fn mode_typed_as_owner_or_group_is_rejected() {
        for (text, like) in [
            ("0640", true),
            ("00", false),
            ("g+w", true),
            ("u=rw", true),
            ("0", false),
            ("640", false),
            ("1000", false),
            ("0999", false),
            ("bob", false),
        ] {
            let mut form = form();
            form.group.set(text);
            form.group_found = Some(Ok((7, text.to_owned())));
            let wrong =
                if like { vec![(Focus::Group, FormError::LikeMode(text.to_owned()))] } else { vec![] };
            assert_eq!(form.invalid_fields(), wrong, "{text}");
            assert_eq!(form.action().is_err(), like, "{text}");
        }
    }

    #[test]
    fn access_is_shown_for_the_edited_mode() {
        let mut form = form();
        let credentials = crate::machine::control::Credentials { uid: 1001, gid: 7, ..Default::default() };
        form.query_result = Some(Ok(Principal { text: "bob".to_owned(), credentials }));
        let can = |form: &Permissions| form.answer().unwrap().unwrap().1.label();
        assert_eq!(can(&form), "no access");
        form.mode_field.set("o+r");
        form.read_mode();
        assert_eq!(can(&form), "read-only");
        form.group.set("7");
        form.group_found = Some(Ok((7, "7".to_owned())));
        assert_eq!(can(&form), "no access", "the group's bits decide, and there are none");
        form.owner.set("bob");
        form.owner_found = Some(Ok((1001, "bob".to_owned())));
        assert_eq!(can(&form), "read-write");
    }

    #[test]
    fn every_bit_is_explained() {
        let mut form = form();
        for (mode, text) in
            [(0o640, "0640 = 0400 owner read + 0200 owner write + 0040 group read"), (0, "0000 = root only")]
        {
            form.mode = Mode::new(mode);
            assert_eq!(form.explain_mode(), text);
        }
        form.mode = Mode::new(0o7777);
        assert_eq!(form.explain_mode().matches(" + ").count(), 11);
        assert!(form.c_call().1.ends_with("leaves 7755"));
    }

    #[test]
    fn toggle_in_a_mixed_batch_keeps_other_bits() {
        let mut other = example::posix();
        other.mode = Mode::new(0o666);
        let mut form = Permissions::new(vec![example::posix(), other]).unwrap();
        form.cursor = 4;
        form.toggle_bit();
        assert_eq!(form.mode_field.text(), "o+r");
        form.cursor = 1;
        form.toggle_bit();
        assert_eq!(form.mode_field.text(), "u-w,o+r");
        let Ok(Some(Action::SetMode(change))) = form.action() else { panic!() };
        assert_eq!([0o600, 0o666].map(|mode| change.apply(Mode::new(mode)).bits()), [0o404, 0o466]);
        // Toggling twice leaves the mode unedited.
        form.toggle_bit();
        form.cursor = 4;
        form.toggle_bit();
        assert!(form.action().unwrap_err().to_string().contains("nothing to change"));
        // Toggles apply after the typed mode.
        form.mode_field.set("g+w");
        form.read_mode();
        form.toggle_bit();
        assert_eq!(form.mode_field.text(), "g+w,o+r");
        form.mode_field.set("0640");
        form.read_mode();
        form.toggle_bit();
        assert_eq!(form.mode_field.text(), "0644");
    }

    #[test]
    fn different_values_in_a_batch_are_not_shown() {
        let mut other = example::posix();
        other.mode = Mode::new(0o666);
        let form = Permissions::new(vec![example::posix(), other]).unwrap();
        assert_eq!((form.mode_field.text(), form.owner.text()), ("", "ann"));
    }
}
