//! Tests of triggers: conditions as text, and a table of samples and the rows that fire.

use super::*;
use crate::decode::{ByteOrder, Enum, Enumerator, Scalar, Type};
use crate::scope::{Batch, Channel, Column, Grade, Number, NumberKind, SampledValue, Source};
use crate::segment::example;
use proptest::prelude::*;

/// The time between two rows.
const MILLISECOND: u64 = 1_000_000;

fn channel(name: &str, ty: Type) -> Channel {
    let kind = NumberKind::of(ty.at(0)).unwrap();
    let segment = Box::new(example::posix());
    let source = Source::Value(SampledValue { segment, offset: 0, ty, bits: None, sequence: None });
    Channel { name: name.to_owned(), kind, source }
}

fn channels() -> Vec<Channel> {
    let native = ByteOrder::native();
    let enumerators = [("Stopped", 0), ("Running", 3), ("Broken", -1)];
    let enumerators = enumerators.map(|(name, value)| Enumerator { name: name.into(), value }).into();
    vec![
        channel("x", Type::scalar(Scalar::I32, native)),
        channel("f", Type::scalar(Scalar::F64, native)),
        channel("big", Type::scalar(Scalar::U64, native)),
        channel("mode", Type::enumeration(Enum::new("Mode", Scalar::I32, native, enumerators))),
        channel("/telemetry:v", Type::scalar(Scalar::I32, native)),
    ]
}

/// The samples of all channels, one row a millisecond: words are numbers or `-` for a missing one.
fn batches(samples: &str, channels: &[Channel]) -> Vec<Batch> {
    let words: Vec<Option<f64>> = samples.split_whitespace().map(|word| word.parse().ok()).collect();
    let column = |kind: NumberKind| {
        let mut column = Column::default();
        for word in &words {
            let bits = |value: f64| match kind {
                NumberKind::Float => value.to_bits(),
                #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
                _ => (value as i64).cast_unsigned(),
            };
            column.push(word.map_or(0, bits), if word.is_some() { Grade::Whole } else { Grade::Missing });
        }
        column
    };
    let columns: Vec<Column> = channels.iter().map(|channel| column(channel.kind)).collect();
    let times = (0..words.len() as u64).map(|row| 1000 + row * MILLISECOND).collect();
    vec![Batch { times, columns, ..Batch::default() }]
}

/// Cuts a batch into parts of so many rows.
fn cut(batch: &Batch, rows: usize) -> Vec<Batch> {
    let part = |start: usize| {
        let end = batch.len().min(start + rows);
        let column = |column: &Column| Column {
            bits: column.bits[start..end].to_vec(),
            grades: column.grades[start..end].to_vec(),
        };
        let columns = batch.columns.iter().map(column).collect();
        Batch { times: batch.times[start..end].to_vec(), columns, ..Batch::default() }
    };
    (0..batch.len()).step_by(rows).map(part).collect()
}

/// The milliseconds at which a trigger fires, however the batches are cut. `a` marks an automatic one.
fn fires(trigger: &Trigger, samples: &str) -> Vec<String> {
    let channels = channels();
    let whole = batches(samples, &channels);
    let run = |batches: &[Batch]| {
        let mut state = TriggerState::new(trigger, &channels).unwrap();
        state.set_auto_timeout(Duration::from_millis(4));
        let mut found = vec![];
        for batch in batches {
            for fired in state.feed(batch) {
                assert_eq!(batch.times[fired.row], fired.time);
                let mark = if matches!(fired.reason, Reason::Timeout(_)) { "a" } else { "" };
                found.push(format!("{}{mark}", (fired.time - 1000) / MILLISECOND));
            }
        }
        found
    };
    let found = run(&whole);
    for rows in [1, 2, 3] {
        assert_eq!(run(&cut(&whole[0], rows)), found, "{trigger:?} in batches of {rows}");
    }
    found
}

fn trigger(condition: &str) -> Trigger {
    Trigger::new(condition.parse().unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn conditions_fire_at_their_rows() {
    for (samples, condition, rows) in [
        // Levels fire at the first sample, and each time that they become true.
        ("51 52 49 60 61", "x > 50", "0 3"),
        ("50 51 50 51", "x > 50", "1 3"),
        ("50 49 50", "x >= 50", "0 2"),
        ("5 2 1 3 0", "x < 3", "1 4"),
        ("4 3 4 3", "x <= 3", "1 3"),
        ("7 7 6 7", "x == 7", "0 3"),
        ("7 6 5 7 6", "x != 7", "1 4"),
        ("0 1.5 1.4", "f > 1.4", "1"),
        ("nan 2 nan", "f != 2", "0 2"),
        ("nan 2 nan", "f < 3", "1"),
        // Edges need a sample before.
        ("51 52 49 50 51 9 80", "x > 50 rising", "4 6"),
        ("51 52 50 51 49", "x > 50 falling", "2 4"),
        ("50 49 50", "x >= 50 rising", "2"),
        ("1 3 2 3", "x < 3 rising", "1 3"),
        ("5 3 2 1 3 2", "x < 3 falling", "2 5"),
        ("4 3 2 4", "x <= 3 falling", "1"),
        ("4 3 2 4", "x <= 3 rising", "3"),
        // An edge in a gap is found at its end.
        ("10 - - 60 - 70 - 10", "x > 50 rising", "3"),
        ("- 60 10", "x > 50 rising", ""),
        ("60 - 60 10 - 60", "x > 50", "0 5"),
        ("1 - 1 - 2", "x changes", "4"),
        // Changes.
        ("1 1 2 2 1", "x changes", "2 4"),
        ("0 -0.0", "f changes", "1"),
        // Ranges, both ends inside.
        ("5 10 11 0 -1 -2 5", "x leaves 0..10", "2 4"),
        ("50 60 5 10 11 0", "x enters 0..10", "2 5"),
        ("0.5 1.6 1.5", "f leaves 0.5..1.5", "1"),
        ("-3 -1 -4", "x enters -2..-1", "1"),
        // No change for so long.
        ("1 1 1 1 1 1 2 2 2 2 2", "x stale 3ms", "3 9"),
        ("1 - - - 1 1", "x stale 3ms", "4"),
        ("1 - - - 2 2 2 2", "x stale 3ms", "7"),
        ("1 2 3 4 5", "x stale 1ms", ""),
        // Bits.
        ("0 4 5 3 7", "x & 0x4", "1 4"),
        ("4 2 6", "x & 6", "2"),
        ("5 13 21 6", "x & 0xf == 0x5", "0 2"),
        ("-1 0 -8", "x & 0xf0", "0 2"),
        // Enumerators.
        ("0 3 3 -1 3", "mode == Running", "1 4"),
        ("0 3 -1", "mode < Mode::Stopped", "2"),
        // Names and expressions.
        ("1 9", "/telemetry:v > 5", "1"),
        ("1 9", "{/telemetry:v}>5", "1"),
        ("1 3 2 9", "(x + f) > 5", "1 3"),
        ("1 3 2 9 9", "(delta({/telemetry:v}) * 2) > 3 rising", "3"),
        ("1 0 2", "(1 / x) > 0.7 falling", "2"),
    ] {
        assert_eq!(fires(&trigger(condition), samples).join(" "), rows, "{condition}: {samples}");
    }
}

#[test]
fn modes_and_holdoff_limit_when_triggers_fire() {
    for (samples, condition, mode, holdoff, rows) in [
        ("0 9 0 9 0 9 0 9", "x > 5 rising", Mode::Normal, 0, "1 3 5 7"),
        ("0 9 0 9 0 9 0 9", "x > 5 rising", Mode::Normal, 2, "1 3 5 7"),
        ("0 9 0 9 0 9 0 9", "x > 5 rising", Mode::Normal, 3, "1 5"),
        ("1 2 3 4 5 6 7", "x changes", Mode::Normal, 3, "1 4"),
        // A level that became true again waits for the end of the holdoff.
        ("9 0 9 9 9 9", "x > 5", Mode::Normal, 4, "0 4"),
        ("9 0 9 0 9 9", "x > 5", Mode::Normal, 3, "0 4"),
        ("9 9 9 9 9", "x > 5", Mode::Normal, 2, "0"),
        ("1 1 1 2 2 2 2", "x stale 1ms", Mode::Normal, 5, "1 6"),
        // Single.
        ("0 9 0 9", "x > 5 rising", Mode::Single, 0, "1"),
        ("0 0 0", "x > 5 rising", Mode::Single, 0, ""),
        // Automatic: 4 ms without a trigger.
        ("0 0 0 0 0 0 0 0 0 9 0 0 0 0", "x > 5 rising", Mode::Auto, 0, "4a 8a 9 13a"),
        ("0 9 0 9 0 9", "x > 5 rising", Mode::Auto, 0, "1 3 5"),
        ("- - - - - 9", "x > 5", Mode::Auto, 0, "4a 5"),
        // An automatic trigger starts no holdoff.
        ("0 0 0 0 0 9 9", "x > 5", Mode::Auto, 3, "4a 5"),
    ] {
        let trigger = Trigger { mode, holdoff: Duration::from_millis(holdoff), ..trigger(condition) };
        assert_eq!(fires(&trigger, samples).join(" "), rows, "{condition}, {mode}, {holdoff} ms: {samples}");
    }
}

#[test]
fn single_trigger_fires_again_after_rearming() {
    let channels = channels();
    let once = Trigger { mode: Mode::Single, ..trigger("x > 5") };
    let mut state = TriggerState::new(&once, &channels).unwrap();
    let batch = batches("0 9 9 0", &channels).remove(0);
    assert_eq!(state.feed(&batch).len(), 1);
    assert!(!state.is_armed() && state.feed(&batch).is_empty());
    state.rearm();
    assert!(state.is_armed());
    assert_eq!(state.feed(&batch).iter().map(|fired| fired.row).collect::<Vec<_>>(), [1]);
}

#[test]
fn large_integers_are_compared_exactly() {
    let channels = channels();
    let mut state = TriggerState::new(&trigger("big == 9007199254740993"), &channels).unwrap();
    let mut batch = batches("0 0 0", &channels).remove(0);
    batch.columns[2].bits = vec![9_007_199_254_740_992, 9_007_199_254_740_993, u64::MAX];
    let fired = state.feed(&batch);
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].reason, Reason::Met { value: Number::Unsigned(9_007_199_254_740_993), gap: None });
    let mut state = TriggerState::new(&trigger("big > -1"), &channels).unwrap();
    assert_eq!(state.feed(&batch).len(), 1);
}

#[test]
fn reasons_tell_the_value_and_the_gap() {
    let channels = channels();
    let batch = batches("1 - - 9", &channels).remove(0);
    let reasons = |trigger: &Trigger| {
        let fired = TriggerState::new(trigger, &channels).unwrap().feed(&batch);
        fired.iter().map(|fired| fired.reason.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&trigger("x > 5 rising")), ["value 9, after 3ms without samples"]);
    assert_eq!(reasons(&trigger("f > 5.5")), ["value 9, after 3ms without samples"]);
    let auto = Trigger { mode: Mode::Auto, ..trigger("x > 10") };
    let mut state = TriggerState::new(&auto, &channels).unwrap();
    state.set_auto_timeout(Duration::from_micros(2500));
    assert_eq!(state.feed(&batch)[0].reason.to_string(), "no trigger for 3ms");
}

#[test]
fn errors_tell_what_is_expected() {
    for (text, problem) in [
        ("", "expected the name of a channel, or an expression in parentheses, as in (head - tail) > 10"),
        ("> 5", "expected the name of a channel, or an expression"),
        ("x", "add a condition after the name: > 50, > 50 rising, < 3 falling, == 7, != 7, changes"),
        ("x above 5", "unexpected 'above'; expected > 50, > 50 rising"),
        ("x = 5", "use == instead of ="),
        ("x => 5", "use >= instead of =>"),
        ("x =< 5", "use <= instead of =<"),
        ("x <> 5", "use != instead of <>"),
        ("x && 4", "use & instead of &&"),
        ("x >", "expected a number or an enumerator after >"),
        ("x > 5 up", "expected rising or falling after the number, found 'up'"),
        ("x == 5 rising", "rising works with < and >, not with =="),
        ("x > \u{1b}", r"expected a number or an enumerator after >, found '\x1b'"),
        ("x changes now", "unexpected 'now'"),
        ("x leaves 5", "expected a range such as 0..10"),
        ("x leaves ..5", "expected a number or an enumerator before .."),
        ("x leaves 9..5", "the range ends before it starts; did you mean 5..9?"),
        ("x stale", "stale takes a time up to 24h, as in stale 500ms"),
        ("x stale 0s", "stale takes a time up to 24h, as in stale 500ms"),
        ("x & 1.5", "bits are an integer of at most 64 bits, as in & 0x4"),
        ("x & 4 == 1", "the bits after == are not all among those after &"),
        ("x & 0", "a mask of 0 has no bits to test; name some, as in & 0x4"),
        ("f & 1", "& needs an integer, and this is a floating-point number"),
        ("(x) & 1", "& needs an integer, and this is a floating-point number"),
        ("{x > 5", "'{' without '}'"),
        ("(x > 5", "'(' without ')'"),
        ("big-x > 5", "put an expression in parentheses, as in (big-x) > 0"),
        ("y > 5", "no channel named 'y'; did you mean x?"),
        ("(x + ) > 5", "in the parentheses, column 4: expected a number, a channel or '(' at the end"),
        ("x > five", "'five' is not a number"),
        ("mode == Runing", "no enumerator named 'Runing'; did you mean Running?"),
        (
            "mode == completely",
            "no enumerator named 'completely'; the enumerators are Stopped, Running, Broken",
        ),
    ] {
        let error = match text.parse::<Condition>() {
            Ok(condition) => {
                TriggerState::new(&Trigger::new(condition), &channels()).map(|_| ()).unwrap_err()
            }
            Err(error) => error,
        };
        let message = error.to_string();
        assert!(message.starts_with("invalid trigger '") && !message.contains(char::is_control), "{message}");
        assert!(error.problem.starts_with(problem), "{text}: {}", error.problem);
    }
}

#[test]
fn conditions_are_shown_as_written() {
    for text in [
        "x > 50",
        "x > 50 rising",
        "tick <= -3.5 falling",
        "/telemetry:gain[1][2] == 0x1f",
        "{two words} != Mode::Running",
        "(head - tail) >= 1e-3",
        "({a)b} * (c)) < 1_000",
        "x changes",
        "x leaves 0..10",
        "x enters -1.5..0b11",
        "x stale 500ms",
        "x stale 2s",
        "x & 0x4",
        "x & 0xf == 0x5",
    ] {
        let condition: Condition = text.parse().unwrap();
        assert_eq!(condition.to_string(), text);
    }
    for (text, shown) in [
        (" x>50  rising ", "x > 50 rising"),
        ("{x}&1==1", "x & 1 == 1"),
        ("x stale 1.5m", "x stale 90s"),
        ("x stale 0.25ms", "x stale 0.25ms"),
    ] {
        assert_eq!(text.parse::<Condition>().unwrap().to_string(), shown);
    }
    for mode in Mode::ALL {
        assert_eq!(mode.word().parse(), Ok(mode));
    }
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "x", "f", "mode", "{x}", "{", "}", "(", ")", "(x)", ">", "<=", "==", "=", "!=", "&", "5", "-1.5",
        "0x", "0x1f", "..", "changes", "leaves", "enters", "stale", "rising", "falling", "5ms", "Running",
        " ", " ", " ", "ß", "\u{1b}", "\\x41",
    ]);
    prop::collection::vec(word, 0..10).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in prop_oneof![words(), "\\PC{0,30}", ".{0,30}"]) {
        match text.parse::<Condition>() {
            Ok(condition) => {
                let shown = condition.to_string();
                prop_assert!(!shown.chars().any(char::is_control), "{:?}", shown);
                let again: Condition = shown.parse().map_err(|error| TestCaseError::fail(format!("{shown}: {error}")))?;
                prop_assert_eq!(again.to_string(), shown);
                if let Ok(mut state) = TriggerState::new(&Trigger::new(condition), &channels()) {
                    let fired = state.feed(&batches("1 - 5 9 9 0", &channels())[0]);
                    prop_assert!(fired.len() < 6);
                }
            }
            Err(error) => prop_assert!(!error.to_string().chars().any(char::is_control), "{error}"),
        }
    }
}
