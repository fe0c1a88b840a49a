//! The text of samples, by the type of their channel.

use super::{Channel, Elements, Number, Source};
use crate::decode::{ByteOrder, Leaf, Scalar, Time, Type, TypeKind, Value};

impl Channel {
    /// The text of a sample, as Inspect shows the value: enumerators by name, a `float` as short as it is,
    /// times as times.
    #[must_use]
    pub fn text(&self, bits: u64) -> String {
        number_text(self.ty(), self.kind.number(bits))
    }

    /// The name of the enumerator that a sample is. `None` for other values and types.
    #[must_use]
    pub fn enumerator(&self, bits: u64) -> Option<String> {
        let ty = self.ty().filter(|_| self.has_enumerators())?;
        match leaf(ty, self.kind.number(bits))? {
            name @ Leaf::Enumerator(_) => Some(name.to_string()),
            _ => None,
        }
    }

    #[must_use]
    pub fn has_enumerators(&self) -> bool {
        self.ty().is_some_and(|ty| matches!(ty.kind(), TypeKind::Enum(_)))
    }

    /// The name of a value on an axis. `None` for numbers.
    #[must_use]
    pub fn name_of(&self, number: f64) -> Option<String> {
        self.ty().and_then(|ty| name(ty, number))
    }

    /// The values that have names: the enumerators, or false and true.
    #[must_use]
    pub fn named_values(&self) -> Vec<f64> {
        self.ty().map(named_values).unwrap_or_default()
    }

    /// Returns true for numbers that add up. States, flags, characters and addresses have no average, no
    /// rate, and no values between two samples.
    #[must_use]
    pub fn is_quantity(&self) -> bool {
        self.ty().is_none_or(is_quantity)
    }

    /// `None` for expressions and recordings.
    const fn ty(&self) -> Option<&Type> {
        match &self.source {
            Source::Value(value) => Some(&value.ty),
            Source::Expression(_) | Source::Recorded => None,
        }
    }
}

impl Elements {
    /// The text of an element, as [`Channel::text`] writes it.
    #[must_use]
    pub fn text(&self, number: Number) -> String {
        number_text(Some(&self.ty), number)
    }

    /// The name of a value on an axis. `None` for numbers.
    #[must_use]
    pub fn name_of(&self, number: f64) -> Option<String> {
        name(&self.ty, number)
    }

    /// Returns true for numbers that add up, like [`Channel::is_quantity`].
    #[must_use]
    pub fn is_quantity(&self) -> bool {
        is_quantity(&self.ty)
    }
}

fn number_text(ty: Option<&Type>, number: Number) -> String {
    let leaf = ty.and_then(|ty| leaf(ty, number));
    leaf.map_or_else(|| plain(number).to_string(), |leaf| leaf.to_string())
}

/// The leaf with a number of a type.
fn leaf(ty: &Type, number: Number) -> Option<Leaf<'_>> {
    Some(Leaf::of_value(ty, value(number, scalar(ty)?)?))
}

fn name(ty: &Type, number: f64) -> Option<String> {
    if is_quantity(ty) || number.fract() != 0.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number")]
    match leaf(ty, Number::Signed(number as i64))? {
        Leaf::Value(Value::Unsigned(_) | Value::Signed(_)) => None,
        name => Some(name.to_string()),
    }
}

/// The values of a type that have names, if these are few. Flags may be combined.
fn named_values(ty: &Type) -> Vec<f64> {
    match ty.kind() {
        TypeKind::Scalar(Scalar::Bool, _) => vec![0.0, 1.0],
        #[expect(clippy::cast_precision_loss, reason = "values on an axis")]
        TypeKind::Enum(found) if !found.is_flags() => {
            found.enumerators().iter().map(|enumerator| enumerator.value as f64).collect()
        }
        _ => vec![],
    }
}

fn is_quantity(ty: &Type) -> bool {
    match ty.kind() {
        TypeKind::Scalar(scalar, _) => {
            !matches!(scalar, Scalar::Bool | Scalar::Char | Scalar::Char8 | Scalar::Char16 | Scalar::Char32)
        }
        _ => false,
    }
}

fn scalar(ty: &Type) -> Option<Scalar> {
    match ty.kind() {
        TypeKind::Scalar(scalar, _) => Some(*scalar),
        TypeKind::Enum(found) => Some(found.underlying()),
        TypeKind::Pointer(_) => Some(Scalar::U64),
        _ => None,
    }
}

/// The value that [`Number::of`] made this number of.
fn value(number: Number, scalar: Scalar) -> Option<Value> {
    let bits = number.bits();
    let count = bits.cast_signed();
    // A sample tells the kind of values that the scalar has.
    Some(match scalar.read(&[0; 32], ByteOrder::Little)? {
        // Any other byte is read as a number.
        Value::Bool(_) if bits <= 1 => Value::Bool(bits != 0),
        Value::Bool(_) => Value::Unsigned(bits),
        Value::Char(_) => Value::Char(u8::try_from(bits & 0xff).ok()?),
        Value::Wide(_) => Value::Wide(u32::try_from(bits).ok()?),
        Value::Time(Time::Seconds(_)) => Value::Time(Time::Seconds(count)),
        Value::Time(Time::Millis(_)) => Value::Time(Time::Millis(count)),
        Value::Time(Time::Micros(_)) => Value::Time(Time::Micros(count)),
        Value::Time(Time::Nanos(_)) => Value::Time(Time::Nanos(count)),
        Value::Datetime(_, tick) => Value::Datetime(count, tick),
        Value::Timedelta(_, tick) => Value::Timedelta(count, tick),
        Value::F16(_) => Value::F16(narrow(number.as_f64())),
        _ => plain(number),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "it was widened before")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

const fn plain(number: Number) -> Value {
    match number {
        Number::Unsigned(value) => Value::Unsigned(value),
        Number::Signed(value) => Value::Signed(value),
        Number::Single(value) => Value::F32(value),
        Number::Float(value) => Value::F64(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::parse_type;
    use proptest::prelude::*;

    fn ty(text: &str) -> Type {
        parse_type(text, &|_| Err("no files".to_owned())).unwrap().ty
    }

    fn text(name: &str, number: Number) -> String {
        leaf(&ty(name), number).unwrap().to_string()
    }

    #[test]
    fn samples_have_the_text_of_their_type() {
        let mode = "enum Mode : signed char { Idle, Running = 4, Broken = -1 }";
        for (name, number, expected) in [
            (mode, Number::Signed(4), "Running"),
            (mode, Number::Signed(-1), "Broken"),
            (mode, Number::Signed(3), "3"),
            ("bool", Number::Unsigned(1), "true"),
            ("bool", Number::Unsigned(2), "2"),
            ("char", Number::Unsigned(65), "'A'"),
            ("int *", Number::Unsigned(0x7f12), "0x7f12"),
            ("f32", Number::Single(0.1), "0.1"),
            ("f64", Number::Float(0.1_f32.into()), "0.10000000149011612"),
            ("i16", Number::Signed(-5), "-5"),
        ] {
            assert_eq!(text(name, number), expected, "{name}");
        }
    }

    #[test]
    fn states_are_named_and_are_no_quantities() {
        let mode = ty("enum Mode { Idle, Running = 4 }");
        let found = [0.0, 4.0, 3.0, 0.5, -1e300].map(|number| name(&mode, number));
        assert_eq!(found, [Some("Idle".to_owned()), Some("Running".to_owned()), None, None, None]);
        assert_eq!(name(&ty("bool"), 1.0).as_deref(), Some("true"));
        assert_eq!(name(&ty("u8"), 1.0), None);
        let quantities = ["u8", "f16", "time", "char", "int *", "bool"].map(|name| is_quantity(&ty(name)));
        assert_eq!(quantities, [true, true, true, false, false, false]);
    }

    proptest! {
        #[test]
        fn text_is_that_of_the_value(bytes: [u8; 8]) {
            let others = ["f16", "char8", "char16", "char32", "M8[ms]", "m8[25s]"];
            let others = others.iter().filter_map(|name| scalar(&ty(name)));
            for scalar in Scalar::BASIC.into_iter().chain(others) {
                let read = scalar.read(&bytes, ByteOrder::Little).unwrap();
                let number = Number::of(read).unwrap();
                prop_assert_eq!(value(number, scalar).unwrap().to_string(), read.to_string());
            }
        }
    }
}
