"""Prints .npy files of all versions, with their values."""

import io
import json
import warnings

import numpy as np
from numpy.lib import format as npy

from values import convert

warnings.simplefilter("ignore")


def nested(dtype, array):
    if array.ndim == 0:
        return convert(dtype, array[()])
    return [nested(dtype, array[i:i + 1].reshape(array.shape[1:])) for i in range(array.shape[0])]


def emit(array, version=None):
    file = io.BytesIO()
    npy.write_array(file, array, version)
    transposed = array.flags.f_contiguous and not array.flags.c_contiguous
    shown = array.T if transposed else array
    print(json.dumps({"hex": file.getvalue().hex(), "transposed": transposed, "dtype": str(array.dtype),
                      "value": nested(array.dtype, shown)}))


for version in [(1, 0), (2, 0), (3, 0), None]:
    emit(np.arange(12, dtype="<f8").reshape(3, 4), version)
    emit(np.asfortranarray(np.arange(24, dtype=">i4").reshape(2, 3, 4)), version)
    emit(np.array(7, dtype="u2"), version)
    emit(np.array([b"ab", b"cde"]), version)
    emit(np.array(["grün", "漢字"]), version)
    emit(np.zeros((0, 3), "i4"), version)
    emit(np.array(["2026-01-05", "NaT"], "M8[D]"), version)
    emit(np.array([(1, (2.5, -1)), (3, (4, 5))], [("id", "<i4"), ("p", "<f4", (2,))]), version)
    emit(np.array([(1, 2.5)], np.dtype([("a", "i1"), ("b", "f8")], align=True)), version)
    emit(np.arange(5, dtype="c16") * 1j, version)
emit(np.array([(1,)], [("größe", "i4")]), (3, 0))
