//! Filters: words joined with *and*, with the same syntax on the command line and in the filter
//! line (`kind=sysv 'size>10M' owner=ann !name~^/sem`).

use super::field::{Field, Form};
use super::nearest::nearest_word;
use super::{
    Bytes, Kind, ParseSizeError, ParseSpanError, Segment, ShownError, State, Timestamp, Value, parse_span,
    quote,
};
use regex::Regex;

/// A segment has to match every word. An empty filter matches all segments.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone)]
struct Clause {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// A bare word: part of the name, key, state, maker or a holder.
    Mentions(String),
    State(&'static str),
    /// Equal to the text of the field, or to a uid or gid.
    Is(Field, String),
    Matches(Field, Regex),
    Within(Field, Bounds),
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    from: f64,
    to: f64,
    from_open: bool,
    to_open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("unknown field '{field}'{}`shmlens man` lists the fields", suggestion(*.nearest))]
    Field {
        field: String,
        /// The most similar name of a field.
        nearest: Option<&'static str>,
    },
    #[error("invalid filter '{word}': {reason}")]
    Value {
        /// The whole word.
        word: String,
        /// The reason why the word is invalid.
        reason: ValueError,
    },
}

/// The reason why a value is not valid for a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("invalid regular expression: {0}")]
    Regex(String),
    /// The field has one of these values.
    #[error(transparent)]
    Word(ShownError),
    /// The operator compares numbers.
    #[error("{} is text: use =, != or ~", .0.name())]
    Text(Field),
    /// The field takes another kind of number.
    #[error("{0}")]
    Number(&'static str),
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| ". ".to_owned(), |word| format!("; did you mean {word}? "))
}

/// Returns the field with this name or alias.
fn parse_field(word: &str) -> Result<Field, FilterError> {
    let field = Field::from_name(word).or(match word {
        "holder" | "held_by" => Some(Field::Holders),
        "user" => Some(Field::Owner),
        "maker" => Some(Field::MadeBy),
        _ => None,
    });
    field.ok_or_else(|| {
        let nearest = nearest_word(word, Field::columns().map(Field::name));
        FilterError::Field { field: quote(word.as_bytes()), nearest }
    })
}

/// Returns the test for a state or a certainty, including common aliases.
fn parse_state(word: &str) -> Option<Test> {
    match word {
        "in_use" | "inuse" => Some(Test::State(State::InUse.keyword())),
        "leaked?" | "likely" => Some(Test::Is(Field::Certainty, "likely".to_owned())),
        "certain" => Some(Test::Is(Field::Certainty, word.to_owned())),
        _ => State::WORDS.into_iter().find(|state| *state == word).map(Test::State),
    }
}

/// The operators, longest first.
const OPERATORS: [&str; 7] = ["!=", "<=", ">=", "=", "<", ">", "~"];

impl Filter {
    /// Fails for an unknown field or a value that is invalid for the field.
    pub fn from_words<S: AsRef<str>>(words: &[S]) -> Result<Self, FilterError> {
        let clauses = words
            .iter()
            .map(AsRef::as_ref)
            .filter(|word| !word.is_empty() && *word != "!")
            .map(Clause::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self { clauses })
    }

    /// Parses a line, in which whitespace separates words and quotes group them.
    pub fn from_line(line: &str) -> Result<Self, FilterError> {
        Self::from_words(&split(line))
    }

    /// Returns true if the segment matches every word.
    #[must_use]
    pub fn matches(&self, segment: &Segment, now: Timestamp) -> bool {
        self.clauses.iter().all(|clause| clause.test.matches(segment, now) != clause.negated)
    }

    /// Returns true if the filter needs a field that `matches` accepts. A bare word may match the
    /// name of a holder, so it needs the holders.
    #[must_use]
    pub fn requires(&self, matches: fn(Field) -> bool) -> bool {
        self.clauses.iter().any(|clause| match &clause.test {
            Test::Mentions(_) => matches(Field::Holders),
            Test::State(_) => matches(Field::State),
            Test::Is(field, _) | Test::Matches(field, _) | Test::Within(field, _) => matches(*field),
        })
    }

    /// Returns the pids that the filter requires by number.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.clauses.iter().filter(|clause| !clause.negated).filter_map(|clause| match &clause.test {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::float_cmp,
                reason = "a whole number that is checked"
            )]
            Test::Within(Field::Pid, bounds)
                if bounds.from == bounds.to && bounds.from <= f64::from(u32::MAX) =>
            {
                Some(bounds.from as u32)
            }
            _ => None,
        })
    }

    /// Returns the owners that the filter requires.
    pub fn owners(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().filter(|clause| !clause.negated).filter_map(|clause| match &clause.test {
            Test::Is(Field::Owner, owner) => Some(owner.as_str()),
            _ => None,
        })
    }

    /// Returns true if the filter matches every segment.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }
}

/// Splits a line into words; `'` and `"` group the text between them.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

impl Clause {
    fn parse(word: &str) -> Result<Self, FilterError> {
        let (negated, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
        let Some((field, operator, value)) = split_operator(word) else {
            let test = parse_state(word).unwrap_or_else(|| Test::Mentions(word.to_lowercase()));
            return Ok(Self { negated, test });
        };
        let field = parse_field(field)?;
        let test = Test::parse(field, operator, value)
            .map_err(|reason| FilterError::Value { word: quote(word.as_bytes()), reason })?;
        Ok(Self { negated: negated != (operator == "!="), test })
    }
}

/// Splits `size>10M` into its three parts. The part before the operator must look like a field
/// name, because a bare word may contain any character (`/a=b`).
fn split_operator(word: &str) -> Option<(&str, &'static str, &str)> {
    let at = word.find(|c: char| !(c.is_ascii_lowercase() || c == '_'))?;
    let operator = OPERATORS.into_iter().find(|operator| word[at..].starts_with(operator))?;
    (at > 0).then(|| (&word[..at], operator, &word[at + operator.len()..]))
}

impl Test {
    fn parse(field: Field, operator: &str, value: &str) -> Result<Self, ValueError> {
        if operator == "~" {
            return Regex::new(value).map(|regex| Self::Matches(field, regex)).map_err(|error| {
                // The last line states the error; the lines above it point to its position.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                ValueError::Regex(last.trim_start_matches("error: ").to_owned())
            });
        }
        let is_number = value.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if field == Field::Holders && matches!(operator, "=" | "!=") && !is_number {
            return Ok(Self::Is(field, value.to_owned()));
        }
        let Some(read) = number_reader(field) else {
            if field == Field::State
                && matches!(operator, "=" | "!=")
                && let Some(test) = parse_state(value)
            {
                return Ok(test);
            }
            if matches!(operator, "=" | "!=") {
                let words: Vec<&'static str> = match field {
                    Field::Kind => Kind::ALL.iter().map(|kind| kind.keyword()).collect(),
                    Field::State => State::WORDS.to_vec(),
                    _ => vec![],
                };
                if !words.is_empty() && !words.contains(&value) {
                    return Err(ValueError::Word(ShownError::expected_one_of(&words)));
                }
                return Ok(Self::Is(field, value.to_owned()));
            }
            return Err(ValueError::Text(field));
        };
        let bounds = match operator {
            "<" => Bounds { to: read(value)?, to_open: true, ..Bounds::ALL },
            "<=" => Bounds { to: read(value)?, ..Bounds::ALL },
            ">" => Bounds { from: read(value)?, from_open: true, ..Bounds::ALL },
            ">=" => Bounds { from: read(value)?, ..Bounds::ALL },
            _ => {
                if let Some((from, to)) = value.split_once("..") {
                    Bounds {
                        from: if from.is_empty() { f64::NEG_INFINITY } else { read(from)? },
                        to: if to.is_empty() { f64::INFINITY } else { read(to)? },
                        ..Bounds::ALL
                    }
                } else {
                    let exact = read(value)?;
                    Bounds { from: exact, to: exact, ..Bounds::ALL }
                }
            }
        };
        Ok(Self::Within(field, bounds))
    }

    fn matches(&self, segment: &Segment, now: Timestamp) -> bool {
        match self {
            Self::Mentions(word) => segment.mentions(word),
            Self::State(state) => segment.verdict.state.keyword() == *state,
            Self::Is(field, text) => match field.of(segment, now) {
                Value::Absent => false,
                Value::User(owner) => owner.user_text() == *text || owner.uid.to_string() == *text,
                Value::Group(owner) => owner.group_text() == *text || owner.gid.to_string() == *text,
                Value::Maker(maker) => maker.contains(text),
                Value::Holders(..) => segment
                    .holders
                    .iter()
                    .flat_map(|holders| holders.iter())
                    .any(|holder| holder.command_text() == *text),
                value => same_text(*field, &value.to_string(), text),
            },
            Self::Matches(field, regex) => match field.of(segment, now) {
                Value::Absent | Value::Flag(_) | Value::Time(_) | Value::Span(_) => false,
                Value::Key(key) => regex.is_match(&key.to_string()),
                Value::Numbers(numbers) => numbers.iter().any(|number| regex.is_match(&number.to_string())),
                value => regex.is_match(&value.to_string()),
            },
            Self::Within(field, bounds) => {
                if let Value::Numbers(numbers) = field.of(segment, now) {
                    #[expect(clippy::cast_precision_loss, reason = "only compared")]
                    return numbers.iter().any(|&number| bounds.hold(number as f64));
                }
                let number = match field.of(segment, now) {
                    Value::Time(time) => Some(now.seconds_since(time)).filter(|_| !time.is_future(now)),
                    value => value.number(),
                };
                number.is_some_and(|number| bounds.hold(number))
            }
        }
    }
}

/// Compares text. A POSIX name may omit its leading slash.
fn same_text(field: Field, value: &str, wanted: &str) -> bool {
    value == wanted || (field == Field::Name && value.strip_prefix('/') == Some(wanted))
}

impl Bounds {
    const ALL: Self = Self { from: f64::NEG_INFINITY, to: f64::INFINITY, from_open: false, to_open: false };

    fn hold(self, number: f64) -> bool {
        let after = if self.from_open { number > self.from } else { number >= self.from };
        let before = if self.to_open { number < self.to } else { number <= self.to };
        after && before
    }
}

type ReadNumber = fn(&str) -> Result<f64, ValueError>;

/// Returns the parser for values of a numeric field.
fn number_reader(field: Field) -> Option<ReadNumber> {
    #[expect(clippy::cast_precision_loss, reason = "only compared")]
    fn size(text: &str) -> Result<f64, ValueError> {
        text.parse::<Bytes>()
            .map(|bytes| bytes.0 as f64)
            .map_err(|_| ValueError::Number(ParseSizeError::EXPECTED))
    }
    fn span(text: &str) -> Result<f64, ValueError> {
        parse_span(text)
            .map(|span| span.as_secs_f64())
            .map_err(|_| ValueError::Number(ParseSpanError::EXPECTED))
    }
    fn octal(text: &str) -> Result<f64, ValueError> {
        u32::from_str_radix(text, 8)
            .map(f64::from)
            .map_err(|_| ValueError::Number("expected an octal mode, as in 0644"))
    }
    fn key(text: &str) -> Result<f64, ValueError> {
        super::resolve::parse_key(text)
            .map(|key| f64::from(key.0))
            .ok_or(ValueError::Number("expected a key, as in 1234 or 0x4d2"))
    }
    #[expect(clippy::cast_precision_loss, reason = "only compared")]
    fn number(text: &str) -> Result<f64, ValueError> {
        text.parse::<u64>()
            .map(|number| number as f64)
            .map_err(|_| ValueError::Number("expected a whole number"))
    }
    fn flag(text: &str) -> Result<f64, ValueError> {
        match text {
            "yes" | "true" | "1" => Ok(1.0),
            "no" | "false" | "0" => Ok(0.0),
            _ => Err(ValueError::Number("expected yes or no")),
        }
    }
    match field.form() {
        Form::Size => Some(size),
        Form::Time | Form::Span => Some(span),
        Form::Mode => Some(octal),
        Form::Key => Some(key),
        Form::Flag => Some(flag),
        Form::Number | Form::Processes => Some(number),
        Form::Text => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::example;

    const NOW: Timestamp = Timestamp::from_seconds(10_000);

    fn matches(line: &str) -> (bool, bool) {
        let filter = Filter::from_line(line).unwrap();
        (filter.matches(&example::sysv(), NOW), filter.matches(&example::posix(), NOW))
    }

    #[test]
    fn words_parse_in_every_form() {
        for (line, sysv, posix) in [
            ("", true, true),
            ("kind=sysv", true, false),
            ("!kind=sysv", false, true),
            ("kind!=sysv", false, true),
            ("owner=ann", true, true),
            ("owner=1000", true, true),
            ("size>4K", true, false),
            ("size>=4K", true, true),
            ("size<1M", false, true),
            ("size<=1M", true, true),
            ("size=10K..", true, false),
            ("size=..10K", false, true),
            ("size=1K..2M", true, true),
            ("age=1h..", true, false),
            ("age<1h", false, true),
            ("mode=0666", true, false),
            ("mode=600", false, true),
            ("key=0x4d2", true, false),
            ("key=1234", true, false),
            ("name~^/psm_", false, true),
            ("name=psm_1f09ab2c", false, true),
            ("mode~6$", true, false),
            ("nattch>0", true, false),
            ("locked=yes", true, false),
            ("in-use", true, false),
            ("state=unknown", false, true),
            ("psm", false, true),
            ("PSM_", false, true),
            ("4d2", true, false),
            ("0x4d2", true, false),
            ("0X4D2", true, false),
            ("0x4d", true, false),
            ("0x4d3", false, false),
            ("0x000004d2", true, false),
            ("123", false, false),
            ("unkn", false, true),
            ("!unkn", true, false),
            ("in-u", true, false),
            ("'in use'", true, false),
            ("32770", true, false),
            ("kind=sysv psm", false, false),
            ("'kind=sysv'", true, false),
            ("\"no such\"", false, false),
            ("/a=b", false, false),
        ] {
            assert_eq!(matches(line), (sysv, posix), "{line}");
        }
    }

    #[test]
    fn pid_filter_matches_holders() {
        let mut segment = example::sysv();
        let matches = |segment: &Segment, line: &str| Filter::from_line(line).unwrap().matches(segment, NOW);
        // The creator and the last user do not count as holders.
        for line in ["pid=4121", "pid=4188", "pid>0", "pid~."] {
            assert!(!matches(&segment, line) && matches(&segment, &format!("!{line}")), "{line}");
        }
        segment.holders = Some([4200, 17].map(example::holder).into());
        for line in
            ["pid=17", "pid=4200", "pid=10..20", "pid=4200..", "pid>4199", "pid<=17", "pid~^42", "pid!=18"]
        {
            assert!(matches(&segment, line) && !matches(&segment, &format!("!{line}")), "{line}");
        }
        for line in ["pid=4121", "pid=18..4199", "pid!=17", "pid<17"] {
            assert!(!matches(&segment, line), "{line}");
        }
        assert_eq!(Field::Pid.of(&segment, NOW), Value::Numbers(vec![17, 4200]));
        for line in ["pid=x", "pid=-1", "pid=1..x"] {
            let error = Filter::from_line(line).unwrap_err().to_string();
            assert!(error.contains("expected a whole number"), "{error}");
        }
    }

    #[test]
    fn obvious_words_are_understood() {
        let mut segment = example::sysv();
        segment.holders = Some([example::holder(17)].into());
        let name = segment.holders.as_ref().unwrap()[0].command_text();
        let matches = |segment: &Segment, line: &str| Filter::from_line(line).unwrap().matches(segment, NOW);
        for line in
            ["in_use", "state=in_use", "!leaked?", &format!("holder={name}"), &format!("held_by={name}")]
        {
            assert!(matches(&segment, line), "{line}");
        }
        assert!(
            !matches(&segment, "holder=nobody")
                && matches(&segment, "held_by!=nobody")
                && matches(&segment, "holder=1..")
        );
        segment.verdict.state = State::Leaked(super::super::Certainty::Likely);
        for line in ["leaked?", "likely", "state=leaked?", "state=likely", "leaked", "!certain"] {
            assert!(matches(&segment, line), "{line}");
        }
        let filter = Filter::from_line("pid=7 !pid=8 pid=1..9 owner=ann !owner=bob").unwrap();
        assert_eq!(
            (filter.pids().collect::<Vec<_>>(), filter.owners().collect::<Vec<_>>()),
            (vec![7], vec!["ann"])
        );
    }

    #[test]
    fn bare_word_matches_part_of_holder_maker_and_state() {
        let mut segment = example::posix();
        let matches = |segment: &Segment, line: &str| Filter::from_line(line).unwrap().matches(segment, NOW);
        for line in ["leak", "LEAK", "read", "pyth"] {
            assert!(!matches(&segment, line), "{line}");
        }
        segment.holders = Some([example::holder(17)].into());
        segment.made_by = Some(crate::segment::Maker::Process(b"Python"[..].into()));
        segment.verdict.state = State::Leaked(super::super::Certainty::Likely);
        for line in ["leak", "LEAK", "leaked", "read", "pyth", "leak read pyth psm"] {
            assert!(matches(&segment, line), "{line}");
        }
    }

    #[test]
    fn filter_reports_needed_fields() {
        for (line, judged, memory) in [
            ("", false, false),
            ("kind=sysv", true, false),
            ("size>1K owner=ann", false, false),
            ("resident>1K", false, true),
            ("!leaked", true, false),
            ("holders=0", true, false),
            ("made_by~x", true, false),
            ("pid=7", true, false),
            ("word", true, false),
        ] {
            let filter = Filter::from_line(line).unwrap();
            let required = (filter.requires(Field::is_judged), filter.requires(Field::is_of_memory));
            assert_eq!(required, (judged, memory), "{line}");
        }
    }

    #[test]
    fn invalid_word_error_lists_valid_forms() {
        let error = |line: &str| Filter::from_line(line).unwrap_err().to_string();
        assert_eq!(error("colour=red"), "unknown field 'colour'. `shmlens man` lists the fields");
        assert_eq!(
            error("onwer=red"),
            "unknown field 'onwer'; did you mean owner? `shmlens man` lists the fields"
        );
        assert!(error("size>big").contains("expected a size"));
        assert!(error("kind<sysv").contains("=, != or ~"));
        assert!(error("kind=foo").contains("sysv, posix"));
        assert!(error("state!=foo").contains("in-use"));
        assert!(error("name~(").contains("unclosed group"));
        assert!(error("mode=9").contains("octal"));
        assert!(error("size=1K..x").contains("expected a size"));
    }
}
