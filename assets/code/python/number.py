# Functions of generated Python programs that format numbers, names and bytes as `shmlens dump` does, whatever
# their bytes are. Each comes after those that it calls; a program has those that it needs.

#: show_truth
def show_truth(byte):
    return {0: "false", 1: "true"}.get(byte, byte)

#: show_flags
def show_flags(names, value, number):
    # The name of a value, or the names of its bits. Bits without a name follow as a number.
    # From 2 ** 127 on, it is a number alone.
    if value in names or not 0 < value < 1 << 127:
        return names.get(value, number)
    bits = [bit for bit in sorted(names) if value & bit and bit & (bit - 1) == 0]
    rest = value - sum(bits)
    return "|".join([names[bit] for bit in bits] + ([hex(rest)] if rest else [])) if bits else number

#: show_bytes
def show_bytes(raw):
    more = f" ... and {len(raw) - @BYTES@} more" if len(raw) > @BYTES@ else ""
    return bytes(raw[:@BYTES@]).hex(" ") + more

#: show_real
def show_real(value):
    mantissa, mark, exponent = str(value).partition("e")
    return mantissa + mark + (str(int(exponent)) if mark else "")

#: show_short
def show_short(value, code):
    # As few digits as give the same number of 2 or 4 bytes.
    for digits in range(1, 18):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.pack(code, short) == struct.pack(code, value):
                return show_real(short)
        except OverflowError:
            pass  # Rounded to more than the largest number.
    return show_real(value)

#: show_complex
def show_complex(real, imaginary):
    return real + ("" if imaginary.startswith("-") else "+") + imaginary + "i"

#: show_long_double
def show_long_double(raw, order):
    # A number of x86, as the nearest double.
    bits = int.from_bytes(raw, order)
    sign = -1.0 if bits >> 79 & 1 else 1.0
    exponent, mantissa = bits >> 64 & 0x7FFF, bits & (1 << 64) - 1
    if exponent == 0x7FFF:
        return show_real(sign * float("inf") if mantissa << 1 & (1 << 64) - 1 == 0 else float("nan"))
    if exponent > 0 and mantissa >> 63 == 0:
        return show_real(float("nan"))
    scale = max(exponent, 1) - 16383 - 63
    try:
        # The division of integers rounds once.
        return show_real(sign * (float(mantissa << scale) if scale > 0 else mantissa / (1 << -scale)))
    except OverflowError:
        return show_real(sign * float("inf"))
