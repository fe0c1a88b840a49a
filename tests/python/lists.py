"""Prints ShareableLists as their bytes, with their values."""

import json
import random
from multiprocessing.shared_memory import ShareableList

from values import bytes_text, number, text


def convert(value):
    if isinstance(value, bytes):
        return bytes_text(value)
    if isinstance(value, str):
        return text(value)
    return number(value) if isinstance(value, float) else value


def read(sl, position):
    try:
        return sl[position]
    except UnicodeDecodeError:
        # CPython counts characters and writes bytes: the text is cut.
        start = sl._offset_data_start + sl._allocated_offsets[position]
        raw = bytes(sl.shm.buf[start:start + int(sl._get_packing_format(position)[:-1])])
        return raw.rstrip(b"\0").decode("utf-8", "surrogateescape")


def emit(items, changes=()):
    sl = ShareableList(items)
    try:
        for position, value in changes:
            sl[position] = value
        values = [convert(read(sl, position)) for position in range(len(sl))]
        print(json.dumps({"hex": bytes(sl.shm.buf).hex(), "count": len(sl), "value": values}))
    finally:
        sl.shm.close()
        sl.shm.unlink()


def item(r):
    return r.choice([
        lambda: r.randrange(-2**63, 2**63), lambda: r.uniform(-1e300, 1e300), lambda: r.random() < 0.5, lambda: None,
        lambda: "".join(r.choice("abc z\\é") for _ in range(r.randrange(20))),
        lambda: bytes(r.choice(b"abc\x00\x1b\xff'") for _ in range(r.randrange(20))),
        lambda: float(r.choice(["nan", "inf", "-inf", "0.1"])),
    ])()


emit([42, "hello", None, -1.5, True, False, b"\xff\x00raw"])
emit([])
emit([0])
emit([None])
emit([""])
emit([b""])
emit(["12345678", "1234567", "123456789"])
emit([2**63 - 1, -2**63, 0, -1])
emit([1.5, "x" * 1000, b"y" * 3000])
emit(["text to replace", 7, 1.5, None, True], [(0, 5), (3, 7), (4, None)])
emit(["text to replace", b"bytes", 3], [(0, b"raw"), (1, "text"), (2, 2.5)])
emit([1, 2, 3], [(1, "four"), (2, b"five")])
emit(list(range(500)))
for seed in range(200):
    r = random.Random(seed)
    emit([item(r) for _ in range(r.randrange(12))])
