"""The random stream by NumPy's own Philox, and numbers from its words.

The rules are those of the default kernels (`plugrad.ops.draws`); the numbers are the
same bit for bit, but for normals, where `log` and `cos` may differ in the last bits.
"""

from __future__ import annotations

import sys
from threading import local
from typing import Any

import numpy as np

import plugrad
from plugrad import float16, float32, float64, int64

__all__ = [
    "draw_integers",
    "draw_normal",
    "draw_permutation",
    "draw_uniform",
    "random_words",
]

LITTLE = sys.byteorder == "little"
HALF = np.dtype("<u4")
SMALL = 1 << 12  # up to here the fewest calls are fastest
CHUNK = 1 << 14  # elements that the caches hold through several passes


class Stream:
    """A bit generator, and where in which stream it stands."""

    __slots__ = ("philox", "raw", "random", "key", "counter")

    def __init__(self) -> None:
        self.philox = np.random.Philox(key=0)
        self.raw = self.philox.random_raw
        self.random = np.random.Generator(self.philox).random
        self.key = self.counter = 0


class _Local(local):
    """One for each thread: an attribute of a plain object is read faster than one of
    `local`."""

    def __init__(self) -> None:
        self.stream = Stream()


_local = _Local()


def stream_at(key: int, counter: int) -> Stream:
    """This thread's bit generator, about to make a block.

    To go on where the last draw stopped costs nothing, to go elsewhere 2 us. The caller
    notes where it stands after the draw; if that fails, nobody knows.
    """
    stream = _local.stream
    if stream.counter != counter or stream.key != key:
        stream.philox.state = {
            "bit_generator": "Philox",
            "state": {
                "counter": np.array([counter, 0, 0, 0], np.uint64),
                "key": np.array([key, 0], np.uint64),
            },
            "buffer": np.zeros(4, np.uint64),
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }
        stream.key = key
    stream.counter = -1
    return stream


def random_words(key: int, counter: int, blocks: int) -> Any:
    """The words of some blocks of the stream."""
    stream = stream_at(key, counter)
    words = stream.raw(4 * blocks)
    stream.counter = counter + blocks
    return words


def words_for(key: int, counter: int, count: int, wide: bool) -> Any:
    """The words that `count` numbers take, or their halves, in the order of use."""
    if wide:
        return random_words(key, counter, (count + 3) // 4)
    words = random_words(key, counter, (count + 7) // 8)
    return (words if LITTLE else words.astype("<u8")).view(HALF)


# For float32 and for float64. As arrays, for a scalar costs a ufunc 0.2 us more.
REAL = np.dtype(np.float32), np.dtype(np.float64)
SIGNED = np.dtype(np.int32), np.dtype(np.int64)
UNUSED = np.array(8, np.uint32), np.array(11, np.uint64)
ONE, STEP, MINUS_TWO, TURN = (
    tuple(np.array(value, real) for value, real in zip(values, REAL))
    for values in ((1, 1), (2.0**-24, 2.0**-53), (-2, -2), (2 * np.pi, 2 * np.pi))
)


def draw_uniform(key: int, counter: int, count: int, dtype: Any) -> Any:
    """Uniform numbers in [0, 1)."""
    wide = dtype is float64
    if count <= SMALL and (wide or dtype is float32):
        return from_generator(key, counter, count, wide)[:count]
    parts = words_for(key, counter, count, wide)[:count]
    if not wide and dtype is not float32:
        bits = 11 if dtype is float16 else 8
        parts >>= np.uint32(32 - bits)
        x = parts.astype(np.float32) * np.float32(2.0**-bits)
        return x.astype(native(dtype))
    np.right_shift(parts, UNUSED[wide], parts)
    x = parts.view(SIGNED[wide]).astype(REAL[wide])  # faster than from unsigned
    return np.multiply(x, STEP[wide], x)


def from_generator(key: int, counter: int, count: int, wide: bool) -> Any:
    """The same by NumPy's Generator, which makes them as is done here, but in 0.7 us
    where the steps one by one take 1.8; as many as whole blocks give."""
    stream = stream_at(key, counter)
    if wide:
        blocks = (count + 3) // 4
        x = stream.random(4 * blocks)
    else:
        blocks = (count + 7) // 8
        x = stream.random(8 * blocks, np.float32)
    stream.counter = counter + blocks
    return x


def draw_normal(key: int, counter: int, count: int, dtype: Any) -> Any:
    """Normal numbers, in chunks that stay in the cache."""
    wide = dtype is float64
    if count <= SMALL:
        y = from_generator(key, counter, count, wide)
        n = y.size // 2
        a, b = y[:n], y[n:]
        box_muller(a, b, a, b, wide)
    else:
        parts = words_for(key, counter, count, wide)
        np.right_shift(parts, UNUSED[wide], parts)
        integers, y = parts.view(SIGNED[wide]), parts.view(REAL[wide])
        n = y.size // 2
        for i in range(0, n, CHUNK):
            j = min(i + CHUNK, n)
            a = integers[i:j].astype(REAL[wide])
            b = integers[n + i : n + j].astype(REAL[wide])
            np.multiply(a, STEP[wide], a)
            np.multiply(b, STEP[wide], b)
            box_muller(a, b, y[i:j], y[n + i : n + j], wide)
    if y.size != count:
        y = y[:count]
    return y if wide or dtype is float32 else y.astype(native(dtype))


def box_muller(radius: Any, angle: Any, y: Any, z: Any, wide: bool) -> None:
    """Pairs of normal numbers into y and z, from uniform ones, which are used up."""
    np.subtract(ONE[wide], radius, radius)
    np.log(radius, radius)
    np.multiply(radius, MINUS_TWO[wide], radius)
    np.sqrt(radius, radius)
    np.multiply(angle, TURN[wide], angle)
    cosine = np.cos(angle)
    np.sin(angle, angle)
    np.multiply(angle, radius, z)
    np.multiply(cosine, radius, y)


def draw_integers(
    key: int, counter: int, count: int, low: int, high: int, dtype: Any
) -> Any:
    """Integers from `low` up to but not including `high`."""
    span = high - low
    if span > 2**32:
        words = words_for(key, counter, count, True)[:count]
        if span < 2**64:
            words = high_product(words, span)
        words += np.uint64(low % 2**64)
        return words.view(np.int64).astype(native(dtype), copy=False)
    parts = words_for(key, counter, count, False)[:count]
    if dtype is int64:
        return scaled(parts, span, low)
    if count <= CHUNK:
        return scaled(parts, span, low).astype(native(dtype))
    y = np.empty(count, native(dtype))
    for i in range(0, count, CHUNK):
        y[i : i + CHUNK] = scaled(parts[i : i + CHUNK], span, low)
    return y


THIRTY_TWO = np.array(32, np.uint64)


def scaled(parts: Any, span: int, low: int) -> Any:
    """`low` plus the high half of each number times `span`, as int64."""
    u = parts * np.uint64(span)
    np.right_shift(u, THIRTY_TWO, u)
    y = u.view(np.int64)
    if low:
        y += low
    return y


def native(dtype: Any) -> Any:
    """NumPy's dtype."""
    return plugrad.get_backend("numpy").native(dtype)


def high_product(a: Any, b: int) -> Any:
    """The high word of a * b."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    b_low, b_high = np.uint64(b & 0xFFFFFFFF), np.uint64(b >> 32)
    a_low, a_high = a & mask, a >> half
    cross, other = a_high * b_low, a_low * b_high
    middle = (a_low * b_low >> half) + (cross & mask) + (other & mask)
    return a_high * b_high + (cross >> half) + (other >> half) + (middle >> half)


def draw_permutation(key: int, counter: int, count: int) -> Any:
    """The integers below `count` in random order."""
    bits = np.uint64(max(count - 1, 0).bit_length())
    words = words_for(key, counter, count, True)[:count]
    words >>= bits
    words <<= bits
    words |= np.arange(count, dtype=np.uint64)
    words.sort()
    words &= np.uint64((1 << int(bits)) - 1)
    return words.view(np.int64)
