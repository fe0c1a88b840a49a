// Functions of generated Rust programs that format numbers, names and bytes as `shmlens dump` does, whatever
// their bytes are. Each comes after those that it calls; a program has those that it needs.

//: bytes_of
/// Copies the bytes of a value: other processes may write them.
unsafe fn bytes_of<T>(place: *const T) -> Vec<u8> {
    let mut bytes = vec![0; std::mem::size_of::<T>()];
    unsafe { std::ptr::copy_nonoverlapping(place.cast(), bytes.as_mut_ptr(), bytes.len()) };
    bytes
}

//: copied
/// Copies a record of any size and alignment.
unsafe fn copied<T: Copy>(place: *const T) -> Vec<T> {
    let mut copy = Vec::with_capacity(1);
    unsafe {
        std::ptr::copy_nonoverlapping(place.cast::<u8>(), copy.as_mut_ptr() as *mut u8, std::mem::size_of::<T>());
        copy.set_len(1);
    }
    copy
}

//: show_truth
fn show_truth(byte: u8) -> String {
    match byte {
        0 => "false".to_owned(),
        1 => "true".to_owned(),
        _ => byte.to_string(),
    }
}

//: show_name
/// Values without a name are numbers.
fn show_name<T: PartialEq + std::fmt::Display>(names: &[(T, &str)], value: T, number: String) -> String {
    names.iter().find(|(known, _)| *known == value).map_or(number, |(_, name)| (*name).to_owned())
}

//: show_flags
/// Formats a value as its name or the names of its bits. Bits without a name follow as a number.
fn show_flags<T: Copy + TryInto<i128>>(names: &[(T, &str)], value: T, number: String) -> String {
    let Ok(value) = value.try_into() else { return number };
    let (mut texts, mut rest) = (vec![], value);
    for &(bit, name) in names {
        let bit: i128 = bit.try_into().unwrap_or(0);
        if bit == value {
            return name.to_owned();
        }
        if value > 0 && value & bit != 0 && bit & (bit - 1) == 0 {
            texts.push(name.to_owned());
            rest &= !bit;
        }
    }
    if texts.is_empty() {
        return number;
    }
    if rest != 0 {
        texts.push(format!("{rest:#x}"));
    }
    texts.join("|")
}

//: show_bytes
fn show_bytes(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(@BYTES@).map(|byte| format!("{byte:02x}")).collect();
    let more = bytes.len() - shown.len();
    shown.join(" ") + &if more > 0 { format!(" ... and {more} more") } else { String::new() }
}

//: show_real
fn show_real(value: impl std::fmt::Debug) -> String {
    format!("{value:?}").replace("NaN", "nan")
}

//: show_complex
fn show_complex(real: String, imaginary: String) -> String {
    let sign = if imaginary.starts_with('-') { "" } else { "+" };
    format!("{real}{sign}{imaginary}i")
}

//: half_value
/// Returns the value of a positive float of 16 bits.
fn half_value(bits: u16) -> f64 {
    match bits >> 10 {
        0 => f64::from(bits) * 2f64.powi(-24),
        exponent => f64::from(bits & 0x3ff | 0x400) * 2f64.powi(i32::from(exponent) - 25),
    }
}

//: show_half
/// Formats a float of 16 bits.
fn show_half(bits: u16) -> String {
    let size = bits & 0x7fff;
    let sign = if bits >> 15 != 0 && size <= 0x7c00 { "-" } else { "" };
    if size >= 0x7c00 {
        return format!("{sign}{}", if size == 0x7c00 { "inf" } else { "nan" });
    }
    let value = half_value(size);
    let low = (half_value(size.saturating_sub(1)) + value) / 2.0;
    let high = (value + half_value(size + 1)) / 2.0;
    let is_same =
        |back: &f64| *back > low && *back < high || size % 2 == 0 && (*back == low || *back == high);
    let back = |digits| format!("{value:.digits$e}").parse().unwrap_or(value);
    format!("{sign}{:?}", (0..5).map(back).find(is_same).unwrap_or(value) as f32)
}

//: show_long_double
/// Formats a number of x86 as the nearest double.
fn show_long_double(bits: u128) -> String {
    let mantissa = bits as u64;
    let exponent = (bits >> 64 & 0x7fff) as i32;
    let nan = exponent == 0x7fff && mantissa << 1 != 0 || exponent > 0 && mantissa >> 63 == 0;
    // The bits that a double drops decide how to round: an odd bit stands for all but the highest.
    let scale = exponent.max(1) - 16383 - 63;
    let highest = scale + 63 - mantissa.leading_zeros() as i32;
    let dropped = ((highest - 52).max(-1074) - scale).max(0);
    let size = if nan {
        f64::NAN
    } else if exponent == 0x7fff || highest > 1023 {
        f64::INFINITY
    } else if mantissa == 0 || dropped > 64 {
        0.0
    } else {
        let kept = u128::from(mantissa) >> dropped;
        let rest = u128::from(mantissa) - (kept << dropped);
        let half = 1_u128 << dropped >> 1;
        let kept = kept + u128::from(rest > half || dropped > 0 && rest == half && kept % 2 == 1);
        let power = scale + dropped;
        kept as f64 * 2f64.powi(power.max(-900)) * 2f64.powi(power.min(-900) + 900)
    };
    let value = if bits >> 79 & 1 == 1 { -size } else { size };
    format!("{value:?}").replace("NaN", "nan")
}
