//! The numbers of an array, from its bytes.

use super::Elements;
use crate::decode::{ByteOrder, Decoded, Leaf, Place, Scalar, Type, TypeKind, Window};
use crate::scope::Number;

/// Decodes the elements that are there. A million takes a few milliseconds, so that keys do not wait.
pub fn decode(elements: &Elements, bytes: &[u8], count: usize) -> Vec<f64> {
    let stride = usize::try_from(elements.stride).unwrap_or(usize::MAX);
    let part = Part { bytes, stride, count };
    let Some((scalar, order)) = scalar(elements).filter(|_| elements.bits.is_none()) else {
        return part.decode_slowly(elements);
    };
    #[expect(clippy::cast_precision_loss, reason = "only drawn")]
    match scalar {
        Scalar::U8 | Scalar::Bool | Scalar::Char => {
            part.decode(|bytes: [u8; 1]| u8::from_ne_bytes(bytes).into())
        }
        Scalar::I8 => part.decode(|bytes: [u8; 1]| i8::from_ne_bytes(bytes).into()),
        Scalar::U16 => part.decode(|bytes| u16::from_ne_bytes(order.convert(bytes)).into()),
        Scalar::I16 => part.decode(|bytes| i16::from_ne_bytes(order.convert(bytes)).into()),
        Scalar::U32 => part.decode(|bytes| u32::from_ne_bytes(order.convert(bytes)).into()),
        Scalar::I32 => part.decode(|bytes| i32::from_ne_bytes(order.convert(bytes)).into()),
        Scalar::U64 => part.decode(|bytes| u64::from_ne_bytes(order.convert(bytes)) as f64),
        Scalar::I64 => part.decode(|bytes| i64::from_ne_bytes(order.convert(bytes)) as f64),
        Scalar::F32 => part.decode(|bytes| f32::from_ne_bytes(order.convert(bytes)).into()),
        Scalar::F64 => part.decode(|bytes| f64::from_ne_bytes(order.convert(bytes))),
        _ => part.decode_slowly(elements),
    }
}

/// The bytes of an array.
struct Part<'a> {
    bytes: &'a [u8],
    stride: usize,
    count: usize,
}

impl Part<'_> {
    fn decode<const N: usize>(&self, value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        if self.stride == N {
            return self
                .bytes
                .as_chunks::<N>()
                .0
                .iter()
                .take(self.count)
                .map(|&bytes| value(bytes))
                .collect();
        }
        let element =
            |index: usize| Some(value(*self.bytes.get(self.stride.checked_mul(index)?..)?.first_chunk()?));
        (0..self.count).map_while(element).collect()
    }

    fn decode_slowly(&self, elements: &Elements) -> Vec<f64> {
        (0..self.count).map_while(|index| read(elements, self.bytes, index)).map(Number::as_f64).collect()
    }
}

/// Reads an element. `None` past the end of the bytes.
pub fn read(elements: &Elements, bytes: &[u8], index: usize) -> Option<Number> {
    let at = usize::try_from(elements.stride).ok()?.checked_mul(index)?;
    let bytes = bytes.get(at..)?;
    if elements.bits.is_some() {
        return read_bits(elements, bytes);
    }
    let (scalar, order) = scalar(elements)?;
    Number::of(scalar.read(bytes, order)?)
}

fn scalar(elements: &Elements) -> Option<(Scalar, ByteOrder)> {
    Some(match elements.ty.kind() {
        TypeKind::Scalar(scalar, order) => (*scalar, *order),
        TypeKind::Enum(found) => (found.underlying(), found.order()),
        TypeKind::Pointer(pointer) if elements.ty.size() == 4 => (Scalar::U32, pointer.order),
        TypeKind::Pointer(pointer) => (Scalar::U64, pointer.order),
        _ => return None,
    })
}

/// Reads a bit-field. Those of enumerations have no numbers but names, so that they are read as integers.
fn read_bits(elements: &Elements, bytes: &[u8]) -> Option<Number> {
    let ty = match elements.ty.kind() {
        TypeKind::Enum(found) => &Type::scalar(found.underlying(), found.order()),
        _ => &elements.ty,
    };
    let place = Place { ty, offset: 0, bits: elements.bits };
    match (Decoded { place, window: Window { offset: 0, bytes } }).leaf()? {
        Leaf::Value(value) => Number::of(value),
        _ => None,
    }
}
