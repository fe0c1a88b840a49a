//! Checks whether bytes can be values of a type.

use crate::decode::layouts::{LockKind, LockState};
use crate::decode::{Decoded, Enum, Leaf, Place, RecordKind, Scalar, Type, TypeKind, Value, Window};

/// Values that are visited.
const MAX_PLACES: usize = 4096;

/// The result of comparing a type with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plausibility {
    /// Values that the type cannot have.
    pub contradictions: u32,
    /// Values that other types would hardly have.
    pub support: u32,
    /// The kinds of those values, as bits.
    kinds: u8,
}

impl Plausibility {
    pub const fn add(&mut self, other: Self) {
        self.contradictions += other.contradictions;
        self.support += other.support;
        self.kinds |= other.kinds;
    }

    /// Returns true if values of more than one kind support the type. Those of one kind may be of any
    /// other type that has such values.
    pub const fn is_varied(self) -> bool {
        self.kinds.count_ones() > 1
    }
}

/// Compares a type with the bytes at its start; of a longer type, only those are compared.
pub fn check(ty: &Type, bytes: &[u8]) -> Plausibility {
    let mut walk = Walk { bytes, left: MAX_PLACES, found: Plausibility::default() };
    walk.visit(ty.at(0));
    walk.found
}

struct Walk<'a> {
    bytes: &'a [u8],
    /// The values that may still be visited.
    left: usize,
    found: Plausibility,
}

impl Walk<'_> {
    fn visit(&mut self, place: Place<'_>) {
        if self.left == 0 || place.offset >= self.bytes.len() as u64 {
            return;
        }
        self.left -= 1;
        if let Some(kind) = LockKind::of(place.ty) {
            return self.lock(place, kind);
        }
        match place.ty.kind() {
            // Only one member of a union has its value.
            TypeKind::Record(record) if record.kind() == RecordKind::Union => {}
            TypeKind::Record(_) | TypeKind::Array(_) => {
                for child in place.children() {
                    if self.left == 0 {
                        break;
                    }
                    self.visit(child.place);
                }
            }
            _ => self.leaf(place),
        }
    }

    fn leaf(&mut self, place: Place<'_>) {
        if place.range().end > self.bytes.len() as u64 {
            return;
        }
        let decoded = Decoded { place, window: Window { offset: 0, bytes: self.bytes } };
        match decoded.leaf().and_then(|leaf| judge(place, &leaf, self.bytes)) {
            Some(true) => {
                self.found.support += 1;
                self.found.kinds |= kind(place.ty);
            }
            Some(false) => self.found.contradictions += 1,
            None => {}
        }
    }

    /// Judges a lock by its state: its fields have few values.
    fn lock(&mut self, place: Place<'_>, kind: LockKind) {
        let own = usize::try_from(place.offset).ok().and_then(|start| self.bytes.get(start..));
        let Some(own) = own.filter(|own| own.len() as u64 >= kind.size()) else { return };
        let is_plausible = kind.state(own).is_some_and(LockState::is_plausible);
        match (is_plausible, kind.is_process_shared(own)) {
            (true, Some(true)) => {
                self.found.support += 1;
                self.found.kinds |= LOCK;
            }
            (false, _) => self.found.contradictions += 1,
            (true, _) => {}
        }
    }
}

/// The kind of locks, as a bit.
const LOCK: u8 = 16;

const fn kind(ty: &Type) -> u8 {
    match ty.kind() {
        // Small numbers.
        TypeKind::Enum(_) | TypeKind::Scalar(Scalar::Bool, _) => 1,
        TypeKind::Scalar(..) => 2,
        TypeKind::Pointer(_) => 4,
        _ => 8,
    }
}

/// Judges a value. `None` for one that any bytes may be.
fn judge(place: Place<'_>, leaf: &Leaf<'_>, bytes: &[u8]) -> Option<bool> {
    let range = place.range();
    let own = bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)?;
    let is_zero = own.iter().all(|&byte| byte == 0);
    match place.ty.kind() {
        _ if is_zero || place.bits.is_some() => None,
        TypeKind::Scalar(Scalar::Bool, _) => Some(own == [1]),
        TypeKind::Scalar(..) => match leaf {
            Leaf::Value(Value::F32(value) | Value::F16(value)) => float((*value).into()),
            Leaf::Value(Value::F64(value)) => float(*value),
            _ => None,
        },
        TypeKind::Enum(found) => match leaf {
            Leaf::Value(_) => (!are_flags(found)).then_some(false),
            _ => Some(true),
        },
        TypeKind::Pointer(_) => pointer(own),
        TypeKind::Text(scalar, _) if scalar.size() == 1 => text(own),
        _ => None,
    }
}

/// Returns true if the enumerators are single bits, which are combined.
fn are_flags(found: &Enum) -> bool {
    found.enumerators().iter().all(|one| one.value == 0 || one.value.count_ones() == 1)
}

/// Numbers that programs compute are rarely as large or small as those that other bytes make.
fn float(value: f64) -> Option<bool> {
    const LARGEST: f64 = 1e15;
    const SMALLEST: f64 = 1e-12;
    let size = value.abs();
    match () {
        () if value.is_nan() || value.is_infinite() => None,
        () if (SMALLEST..=LARGEST).contains(&size) => Some(true),
        () => Some(false),
    }
}

/// User addresses of 64-bit machines have at least 16 zero bits.
fn pointer(bytes: &[u8]) -> Option<bool> {
    let address = u64::from_le_bytes(bytes.try_into().ok()?);
    Some((0x1000..1 << 47).contains(&address))
}

/// Text ends at its first NUL. What follows may be older text.
fn text(bytes: &[u8]) -> Option<bool> {
    let length = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let text = bytes.get(..length)?;
    if text.is_empty() {
        return None;
    }
    let is_text = std::str::from_utf8(text)
        .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')));
    match (is_text, text.len()) {
        (true, 0..3) => None,
        (is_text, _) => Some(is_text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::parse_type;

    fn check_as(ty: &str, bytes: &[u8]) -> (u32, u32) {
        let parsed = parse_type(ty, &|_| Err(String::new())).unwrap();
        let found = check(&parsed.ty, bytes);
        (found.support, found.contradictions)
    }

    #[test]
    fn values_support_or_contradict_a_type() {
        let declared =
            "struct { bool a; enum class E : int { x, y, z = 3 } e; double d; char name[8]; int i; }";
        let value = |a: u8, e: i32, d: f64, name: &[u8; 8]| {
            let mut bytes = vec![a, 0, 0, 0];
            bytes.extend(e.to_le_bytes());
            bytes.extend(d.to_le_bytes());
            bytes.extend(name);
            bytes.extend([7, 0, 0, 0, 0, 0, 0, 0]);
            bytes
        };
        assert_eq!(check_as(declared, &value(1, 3, 20.5, b"camera\0\0")), (4, 0));
        assert_eq!(check_as(declared, &value(0, 0, 0.0, &[0; 8])), (0, 0));
        assert_eq!(check_as(declared, &value(9, 7, 1e300, b"\xff\xfe\x01\x02\x03abc")), (0, 4));
        // Numbers may have any value, and so may bytes past the end.
        assert_eq!(check_as("i32[4]", &[0xff; 16]), (0, 0));
        assert_eq!(check_as(declared, &value(1, 3, 20.5, b"camera\0\0")[..8]), (2, 0));
        // Only one member of a union has its value.
        assert_eq!(check_as("union { bool a; double d; char text[8]; }", &[0xff; 8]), (0, 0));
        let mut lock = [0; 40];
        lock[16] = 0x80;
        assert_eq!(check_as("mutex", &lock), (1, 0));
        assert_eq!(check_as("mutex", &[0xaa; 40]), (0, 1));
    }
}
