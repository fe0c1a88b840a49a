"""Prints formats of struct with packed bytes and the values that struct unpacks.

usage: structs.py FIRST COUNT    random formats of these seeds; with COUNT 0, the fixed list
"""

import json
import random
import struct
import sys

from values import bytes_text, number

FIXED = """
<iqd @bq =bq @qb 4s2xH 3h ?b @bhil >hhl !Q <e @P @nN 8p 5p c 3c x4xi @b0i @b0q b3xi <2i3d =10s10p @bxhxixq iiqd
@c?bBhHiIlLqQefd 0s 1s0i @3b0h4x
""".split()


def flat(items):
    """The items of a format: (code, count)."""
    order = items[0] if items[0] in "@=<>!" else ""
    rest, found, digits = items[len(order):], [], ""
    for c in rest:
        if c.isdigit():
            digits += c
        elif not c.isspace():
            found.append((c, int(digits) if digits else None))
            digits = ""
    return found


def value(code, v):
    if code == "c":
        return bytes_text(v)
    if code in "sp":
        return bytes_text(v)
    if code in "efd":
        return short(code, v)
    if code == "P":
        return hex(v)
    return v


def short(code, v):
    if v != v or v in (float("inf"), float("-inf")):
        return number(v)
    for digits in range(1, 18):
        text = f"{v:.{digits}g}"
        try:
            if struct.pack("<" + code, float(text)) == struct.pack("<" + code, v):
                return float(text)
        except OverflowError:
            pass
    raise ValueError(v)


def group(form, values):
    """Items with a count are arrays."""
    out, values = [], list(values)
    for code, count in flat(form):
        if code == "x":
            continue
        if code in "sp" or count is None:
            out.append(value(code, values.pop(0)))
        elif count:
            out.append([value(code, values.pop(0)) for _ in range(count)])
    assert not values
    return out


def emit(form, r):
    size = struct.calcsize(form)
    raw = bytearray(r.randbytes(size))
    try:
        values = struct.unpack(form, raw)
        # Bools are 0 or 1, and bytes no UTF-8.
        plain = bytes(range(128)) + b"\xff" * 128
        values = [v.translate(plain) if isinstance(v, bytes) else v for v in values]
        packed = bytearray(struct.pack(form, *values))
    except (struct.error, OverflowError, SystemError):
        # CPython fails on 0p.
        return
    print(json.dumps({"type": "struct:" + form, "size": size, "hex": bytes(packed).hex(),
                      "value": group(form, struct.unpack(form, packed))}))


def main():
    first, count = map(int, sys.argv[1:])
    r = random.Random(first)
    for form in FIXED if count == 0 else []:
        for _ in range(5):
            emit(form, r)
    for seed in range(first, first + count):
        r = random.Random(seed)
        order = r.choice(["", "@", "=", "<", ">", "!"])
        codes = "xcbB?hHiIlLqQefdsp" + ("nNP" if order in ("", "@") else "")
        emit(order + "".join(r.choice(["", "", "", " ", str(r.randrange(6))]) + r.choice(codes)
                             for _ in range(r.randrange(1, 9))), r)


main()
