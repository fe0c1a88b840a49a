//! Arithmetic on the values of one tick, evaluated by exmex with operators of our own.

use exmex::{BinOp, Express as _, FlatEx, MakeOperators, Operator};

/// The functions that [`Arithmetic`] knows; each takes the number of arguments that follows.
pub const BINARY: [&str; 2] = ["min", "max"];
pub const UNARY: [&str; 1] = ["abs"];

/// Longer ones come first, so that `<=` is not read as `<`.
pub const OPERATORS: [&str; 11] = ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "%"];

/// A formula over numbered variables.
#[derive(Debug, Clone)]
pub struct Arithmetic(FlatEx<f64, Operators>);

#[derive(Debug, Clone)]
struct Operators;

impl MakeOperators<f64> for Operators {
    fn make<'a>() -> Vec<Operator<'a, f64>> {
        vec![
            Operator::make_bin("<=", binary(0, |a, b| f64::from(u8::from(a <= b)))),
            Operator::make_bin(">=", binary(0, |a, b| f64::from(u8::from(a >= b)))),
            Operator::make_bin("==", binary(0, |a, b| f64::from(u8::from(is_same(a, b))))),
            Operator::make_bin("!=", binary(0, |a, b| f64::from(u8::from(!is_same(a, b))))),
            Operator::make_bin("<", binary(0, |a, b| f64::from(u8::from(a < b)))),
            Operator::make_bin(">", binary(0, |a, b| f64::from(u8::from(a > b)))),
            Operator::make_bin_unary("+", binary(1, |a, b| a + b), |a| a),
            Operator::make_bin_unary("-", binary(1, |a, b| a - b), |a| -a),
            Operator::make_bin("*", binary(2, |a, b| a * b)),
            Operator::make_bin("/", binary(2, |a, b| a / b)),
            Operator::make_bin("%", binary(2, |a, b| a % b)),
            Operator::make_bin("min", binary(3, f64::min)),
            Operator::make_bin("max", binary(3, f64::max)),
            Operator::make_unary("abs", f64::abs),
        ]
    }
}

/// Commutative operators would be evaluated earlier where both sides are numbers, and `x % 2 * 3` would
/// become `x % 6`.
const fn binary(prio: i64, apply: fn(f64, f64) -> f64) -> BinOp<f64> {
    BinOp { apply, prio, is_commutative: false }
}

#[expect(clippy::float_cmp, reason = "the comparison that the user wrote")]
fn is_same(a: f64, b: f64) -> bool {
    a == b
}

impl Arithmetic {
    /// Parses a formula in which [`variable`]s stand for the values. The text of exmex's errors has no
    /// positions; the caller has checked the formula before.
    pub fn new(formula: &str) -> Result<Self, String> {
        FlatEx::parse(formula).map(Self).map_err(|error| error.to_string())
    }

    /// The result for the values of the variables, in their order. NaN if their number is wrong.
    pub fn evaluate(&self, values: &[f64]) -> f64 {
        self.0.eval(values).unwrap_or(f64::NAN)
    }
}

/// The text of a variable. exmex orders variables by their names.
pub fn variable(index: usize) -> String {
    format!("{{v{index:06}}}")
}
