//! The samples of a channel as numbers to compute with.

use crate::scope::{Column, Grade, Number, NumberKind};

/// A column of numbers.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// Not finite where the grade is [`Grade::Missing`], or where the program wrote such a number.
    pub values: Vec<f64>,
    /// The parts of large integers that `values` lost by rounding. Empty if there are none.
    pub rests: Vec<f64>,
    pub grades: Vec<Grade>,
    /// The rows before which the segment was made again or lost, ascending: differences across them
    /// mean nothing.
    pub breaks: Vec<usize>,
}

/// A number in two parts, so that differences of large integers are exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub value: f64,
    rest: f64,
}

impl Samples {
    pub fn of(column: &Column, kind: NumberKind, breaks: Vec<usize>) -> Self {
        let numbers = || column.bits.iter().map(|&bits| kind.number(bits));
        let rests = match kind {
            NumberKind::Single | NumberKind::Float => vec![],
            NumberKind::Unsigned | NumberKind::Signed => numbers().map(rest).collect(),
        };
        Self { values: numbers().map(Number::as_f64).collect(), rests, grades: column.grades.clone(), breaks }
    }

    pub fn point(&self, row: usize) -> Option<(Point, Grade)> {
        let (&value, &grade) = (self.values.get(row)?, self.grades.get(row)?);
        let rest = self.rests.get(row).copied().unwrap_or(0.0);
        (grade != Grade::Missing).then_some((Point { value, rest }, grade))
    }

    pub fn push(&mut self, value: Option<(f64, Grade)>) {
        let (value, grade) = value.unwrap_or((f64::NAN, Grade::Missing));
        self.values.push(value);
        self.grades.push(grade);
    }

    pub fn column(&self) -> Column {
        let bits =
            |(value, grade): (&f64, &Grade)| if *grade == Grade::Missing { 0 } else { value.to_bits() };
        Column { bits: self.values.iter().zip(&self.grades).map(bits).collect(), grades: self.grades.clone() }
    }
}

impl Point {
    pub fn minus(self, other: Self) -> f64 {
        (self.value - other.value) + (self.rest - other.rest)
    }
}

/// The difference between an integer and its nearest `double`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "both are at most 2^64")]
fn rest(number: Number) -> f64 {
    let integer = match number {
        Number::Unsigned(value) => i128::from(value),
        Number::Signed(value) => i128::from(value),
        Number::Single(_) | Number::Float(_) => return 0.0,
    };
    (integer - number.as_f64() as i128) as f64
}
