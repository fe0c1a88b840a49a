"""Prints dtypes in all of their forms, with bytes and the values that numpy reads from them.

usage: dtypes.py FIRST COUNT    random dtypes of these seeds; with COUNT 0, the fixed list
"""

import json
import random
import sys
import warnings

import numpy as np
from numpy._core._internal import _dtype_from_pep3118
from numpy.lib import format as npy

from values import convert

warnings.simplefilter("ignore")

FIXED = """
? b1 i1 i2 i4 u1 u2 u4 c8 c16 f2 f4 f8 g G S1 S8 S16 S3 U1 U4 U16 V1 V12 M8[ns] M8[us] M8[ms] M8[s] M8[m] M8[h]
M8[D] M8[W] M8[M] M8[Y] M8[ps] M8[fs] M8[as] M8[25s] M8[7D] M8[10ms] m8[ns] m8[us] m8[ms] m8[s] m8[m] m8[h] m8[D]
m8[W] m8[M] m8[Y] m8[ps] m8[as] m8[25us] m8[3M] m8 <f8 >f8 =f8 <i2 >i2 <i4 >i4 <i8 >i8 <u2 >u2 <u4 >u4 <u8 >u8
<f2 >f2 <f4 >f4 <c8 >c8 <c16 >c16 <U4 >U4 <M8[ns] >M8[ns] <m8[us] >m8[us] |S8 |V3 |b1 |i1 |u1 int8 int16 int32
int64 uint8 uint16 uint32 uint64 float16 float32 float64 float128 complex64 complex128 complex256 bool
datetime64[ns] timedelta64[us] (2,3)f4 (2,)i4 (3,)S4 (2,2)>f8 (1,)i4 3f4 i4,f8 i4,i4,f8 <i4,>f8 u1,(2,3)f4,S5
f4,i4,M8[us] (2,2)M8[D] S4,U4,V4 (4,)?,c16 3i2,f8 i4,(3,)u1 h H l L q Q e d F D c
""".split()

LITERALS = [
    "[('a', '<i4'), ('b', '<f8', (3,))]",
    "[('a', '<i4'), ('b', '<f8', 3)]",
    "[('a', 'i4'), ('b', [('x', 'f4'), ('y', '>i2', (2, 2))], (2,))]",
    "[(('title', 'name'), 'f4'), ('n', 'U3')]",
    "[('a', ('i4', (2,))), ('b', 'S3')]",
    "{'names': ['a', 'b'], 'formats': ['i1', 'f8'], 'offsets': [4, 8], 'itemsize': 24}",
    "{'names': ['a', 'b'], 'formats': ['i1', 'f8'], 'aligned': True}",
    "{'names': ['a', 'b'], 'formats': ['i4', 'u1'], 'offsets': [0, 1]}",
    "{'names': ('b', 'a'), 'formats': (('f4', (2,)), [('q', 'i2')]), 'titles': ['t', None]}",
    "{'b': ('f8', 8), 'a': ('i4', 0)}",
    "('i4', (2, 3))",
    "[('größe', '<f4'), ('it\\'s', 'i2')]",
    '[("a b", "i4"), ("", "f4")]',
]

CODES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "g", "S5", "U3", "V6",
         "M8[ns]", "M8[D]", "m8[25us]", "M8[3M]"]


def fill(dtype, r):
    """Random bytes that are valid: bools are 0 or 1, texts have characters."""
    if dtype.subdtype:
        base, shape = dtype.subdtype
        return b"".join(fill(base, r) for _ in range(int(np.prod(shape))))
    if dtype.names is not None:
        raw = bytearray(r.randbytes(dtype.itemsize))
        # Fields may overlap: the last one wins, so that bools stay valid.
        for name in dtype.names:
            field, offset = dtype.fields[name][:2]
            raw[offset:offset + field.itemsize] = fill(field, r)
        return bytes(raw)
    if dtype.kind == "b":
        return bytes([r.randrange(2)])
    if dtype.kind == "S":
        return bytes(r.choice(b"ab z\\\x00\x00\xff\x1b'") for _ in range(dtype.itemsize))
    if dtype.kind == "U":
        order = "big" if dtype.byteorder == ">" else "little"
        return b"".join(ord(r.choice("aé漢𝄞 \\\0\0")).to_bytes(4, order) for _ in range(dtype.itemsize // 4))
    if dtype.kind in "Mm" and r.random() < 0.9:
        # numpy's calendar overflows outside of these.
        limits = {"Y": 8000, "M": 90000, "W": 400000, "D": 2900000}
        limit = limits.get(np.datetime_data(dtype)[0], 4 * 10**9) // np.datetime_data(dtype)[1]
        order = "big" if dtype.byteorder == ">" else "little"
        return r.choice([r.randrange(-limit // 8, limit), r.randrange(limit), -2**63]).to_bytes(8, order, signed=True)
    if dtype.kind in "Mm":
        return bytes(8)
    if dtype.kind in "fc" and dtype.char in "gG":
        return np.array([r.uniform(-1e9, 1e9) for _ in range(dtype.itemsize // 16)], dtype="g").tobytes() \
            if dtype.isnative else bytes(dtype.itemsize)
    if dtype.kind in "fc" and r.random() < 0.5:
        return np.array([r.uniform(-1e3, 1e3)], dtype=dtype).tobytes()
    return r.randbytes(dtype.itemsize)


def random_dtype(r, depth=0):
    base = r.choice(CODES)
    if depth < 3 and r.random() < (0.8 if depth == 0 else 0.25):
        names = r.sample(["a", "b", "x_1", "größe", "a b", "q", "it's"], r.randrange(1, 5))
        fields = [(name, random_dtype(r, depth + 1)) for name in names]
        dtype = np.dtype(fields, align=r.random() < 0.5)
        if r.random() < 0.2:
            offsets, end = [], 0
            for _, field in fields:
                end += r.randrange(5)
                offsets.append(end)
                end += field.itemsize
            dtype = np.dtype({"names": names, "formats": [f for _, f in fields], "offsets": offsets,
                              "itemsize": end + r.randrange(9)})
    else:
        dtype = np.dtype(r.choice("<>=") + base)
    if r.random() < 0.25:
        dtype = np.dtype((dtype, tuple(r.randrange(1, 4) for _ in range(r.randrange(1, 3)))))
    return dtype


def emit(form, dtype, r):
    raw = fill(dtype, r)
    if dtype.subdtype:
        # An array of the sub-array's type has the values.
        base, shape = dtype.subdtype
        value = convert(dtype, np.frombuffer(raw, dtype=base).reshape(shape))
    else:
        value = convert(dtype, np.frombuffer(raw, dtype=dtype)[0])
    print(json.dumps({"type": form, "size": dtype.itemsize, "hex": raw.hex(), "value": value}))


def forms(dtype):
    """The forms in which numpy writes a dtype."""
    if dtype.subdtype is None:
        yield "dtype:" + repr(npy.dtype_to_descr(dtype))
        if dtype.names is None:
            yield "dtype:" + dtype.str
    # numpy itself does not read all of them back.
    try:
        if eval(repr(dtype), {"dtype": np.dtype}) == dtype:
            yield repr(dtype)
    except ValueError:
        pass


def buffer_format(dtype, r):
    """The format of a buffer loses the padding at the end: numpy's own reader decides."""
    try:
        form = memoryview(np.zeros(1, dtype)).format
        emit(form, _dtype_from_pep3118(form), r)
    except (ValueError, RuntimeError):
        pass


def main():
    first, count = map(int, sys.argv[1:])
    r = random.Random(first)
    if count == 0:
        for text in FIXED:
            dtype = np.dtype(text)
            for _ in range(3):
                emit("dtype:" + text, dtype, r)
        for text in LITERALS:
            emit(text, np.dtype(eval(text)), r)
    for seed in range(first, first + count):
        r = random.Random(seed)
        dtype = random_dtype(r)
        for form in forms(dtype):
            emit(form, dtype, r)
        if dtype.names is not None:
            buffer_format(dtype, r)


main()
