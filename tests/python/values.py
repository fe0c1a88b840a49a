"""Converts values of Python and numpy to the JSON that shmlens writes."""

import datetime
import math

try:
    import numpy as np
except ImportError:
    np = None


def number(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(value)


def text(value):
    """Escapes as shmlens does in JSON. Bytes that are not UTF-8 are surrogates."""
    def escape(c):
        raw = c.encode("utf-8", "surrogateescape")
        return c if c.isprintable() or c < "\x7f" else "".join(f"\\x{b:02x}" for b in raw)

    return "".join(map(escape, value))


def bytes_text(value):
    return "".join(chr(b) if b < 127 else f"\\x{b:02x}" for b in value)


def short(value):
    """The shortest decimal number of a float of any width."""
    return number(float(str(value))) if np.isfinite(value) else number(float(value))


def convert(dtype, value):
    """Converts a value of a dtype, which may be a sub-array."""
    if dtype.subdtype:
        base, shape = dtype.subdtype
        return convert_array(base, np.asarray(value) if base.names is None else value)
    if dtype.names is not None:
        return {name: convert(dtype.fields[name][0], value[name]) for name in dtype.names}
    kind = dtype.kind
    if kind == "b":
        return bool(value)
    if kind in "iu":
        return int(value)
    if kind == "f":
        return short(value) if dtype.itemsize <= 8 else number(float(value))
    if kind == "c":
        parts = [value.real, value.imag]
        return [short(p) if dtype.itemsize <= 16 else number(float(p)) for p in parts]
    if kind == "S":
        return bytes_text(bytes(value))
    if kind == "U":
        return text(str(value))
    if kind == "V":
        return bytes(value).hex(" ")
    if kind == "M":
        return str(value)
    if kind == "m":
        return "NaT" if np.isnat(value) else int(value.astype("i8")) * np.datetime_data(dtype)[1]
    raise ValueError(dtype)


def convert_array(dtype, array):
    if array.ndim == 0:
        return convert(dtype, array[()])
    return [convert_array(dtype, item) if item.ndim else convert(dtype, item[()]) for item in map(as_array, array)] \
        if array.ndim > 1 else [convert(dtype, array[i]) for i in range(array.shape[0])]


def as_array(value):
    return np.asarray(value)
