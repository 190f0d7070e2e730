"""The IDX format of MNIST: arrays of numbers behind a short header, plain or gzipped.

    2 bytes 0, a byte for the type, a byte for the number of dimensions,
    each dimension in 4 bytes, then the numbers; all of it big-endian

A header may claim anything: memory is taken only as the data arrive, and never more
than `limit` bytes.
"""

from __future__ import annotations

import gzip
import zlib
from math import prod
from os import PathLike, fspath
from typing import IO

import numpy as np

from plugrad import Tensor, from_numpy

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
CHUNK = 1 << 20
LIMIT = 1 << 30  # bytes; the largest of EMNIST has 547 million


class DataError(ValueError):
    """A file that does not hold what it should: the message names file and reason.

    >>> from plugrad.plugins.vision.datasets import DataError
    >>> issubclass(DataError, ValueError)
    True
    """


def read_idx(path: str | PathLike[str], limit: int = LIMIT) -> Tensor:
    """The tensor in an IDX file, gzipped or not; at most `limit` bytes of numbers.

    >>> from plugrad.plugins.vision.datasets import Digits, read_idx
    >>> read_idx(Digits.folder / "t10k-images-idx3-ubyte.gz").shape
    plugrad.Size([355, 8, 8])
    """
    name = fspath(path)
    with open(name, "rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            if not gzipped:
                return from_numpy(parsed(file, name, limit))
            with gzip.GzipFile(fileobj=file) as inner:
                return from_numpy(parsed(inner, name, limit))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{name}: not a whole gzip file: {error}") from error


def parsed(file: IO[bytes], name: str, limit: int) -> np.ndarray:
    """The array in an open file."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        raise DataError(
            f"{name}: not an IDX file: it starts with {start.hex(' ') or 'nothing'}, "
            "not with 00 00 and a type from 08 to 0e"
        )
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise DataError(f"{name}: it ends within its header")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    dtype = np.dtype(TYPES[start[2]])
    size = prod(shape) * dtype.itemsize
    if size > limit:
        raise DataError(
            f"{name}: its header claims {size} bytes of shape {list(shape)}, more than "
            f"the limit of {limit}"
        )
    data = bytearray()
    while len(data) <= size:  # one byte more than there should be is asked for
        chunk = file.read(min(CHUNK, size + 1 - len(data)))
        if not chunk:
            break
        data += chunk
    if len(data) != size:
        found = "more follow" if len(data) > size else f"it ends after {len(data)}"
        raise DataError(
            f"{name}: its header says {size} bytes of shape {list(shape)}, but {found}"
        )
    try:
        array = np.frombuffer(data, dtype).reshape(shape)
    except ValueError as error:  # more dimensions, or larger empty ones, than NumPy has
        raise DataError(f"{name}: shape {list(shape)}: {error}") from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def write_idx(path: str | PathLike[str], values: Tensor) -> None:
    """Write a tensor as an IDX file, gzipped if its name ends in `.gz`. The same tensor
    gives the same bytes.

    >>> import plugrad, tempfile, os
    >>> from plugrad.plugins.vision.datasets import read_idx, write_idx
    >>> path = os.path.join(tempfile.mkdtemp(), "labels-idx1-ubyte.gz")
    >>> write_idx(path, plugrad.tensor([3, 1], dtype=plugrad.uint8))
    >>> read_idx(path)
    tensor([3, 1], dtype=plugrad.uint8)
    """
    array = np.asarray(values.detach().cpu().numpy())
    code = CODES.get(array.dtype.str[1:])
    if code is None:
        raise TypeError(
            f"write_idx: IDX has no type for {values.dtype}; it has uint8, int8, "
            "int16, int32, float32 and float64"
        )
    if array.ndim > 255 or max(array.shape, default=0) >= 2**32:
        raise ValueError(f"write_idx: IDX has no room for shape {list(array.shape)}")
    head = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    whole = head + array.astype(array.dtype.newbyteorder(">")).tobytes()
    name = fspath(path)
    if name.endswith(".gz"):
        whole = gzip.compress(whole, 9, mtime=0)
    with open(name, "wb") as file:
        file.write(whole)
