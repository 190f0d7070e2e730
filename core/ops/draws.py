"""How the words of the random stream become numbers.

- A block of the stream is 4 words of 64 bits, from Philox4x64-10 with the key (seed, 0)
  and the counter (i + 1, 0, 0, 0).
- Where 32 bits are enough a word serves twice, its low half first.
- Uniform numbers are the top bits times a power of two: 24 bits for float32, 53 for
  float64, 11 for float16, 8 for bfloat16; all lie in [0, 1).
- Integers are the high part of bits times range. The range is up to 2**32 with halves;
  a value is then up to range / 2**32 likelier than another, as it must be.
- Normals come in pairs, by Box and Muller, from a radius in the first half of the draw
  and an angle in the second.
- A permutation sorts random numbers that have their positions as lowest bits.

All of it is written in functions of the array API standard, slowly, for any backend;
one with 64-bit words of its own has faster kernels of the same names.
"""

from __future__ import annotations

from math import pi

from .. import dtypes
from ..declare import Sample, op

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..declare import Kernels
    from ..dtypes import dtype
    from ..tensor import Tensor

    Number = bool | int | float | complex

__all__: list[str] = []

MASK = 0xFFFFFFFF
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
KEPT_BITS = {"float16": 11, "bfloat16": 8, "float32": 24}  # of 32; the precision


def block_count(count: int, wide: bool) -> int:
    """The blocks that `count` numbers take, each of 64 bits or of 32."""
    return -(-count // 4) if wide else -(-count // 8)


# --- Words --------------------------------------------------------------------------


def product(k: Any, a: Any, b: int) -> tuple[Any, Any]:
    """The high and the low word of a * b, from products of halves."""
    a_low, a_high = k.bitwise_and(a, MASK), k.bitwise_right_shift(a, 32)
    b_low, b_high = b & MASK, b >> 32
    low, cross, other = a_low * b_low, a_high * b_low, a_low * b_high
    middle = (low >> 32) + (cross & MASK) + (other & MASK)
    high = a_high * b_high + (cross >> 32) + (other >> 32) + (middle >> 32)
    return high, ((middle & MASK) << 32) | (low & MASK)


@op(method=False, oracle=None)
def random_words(k: Kernels, key: int, counter: int, blocks: int) -> Tensor:
    """The words of some blocks of the stream, as uint64."""
    word = k.native(dtypes.uint64)
    x0 = k.arange(counter + 1, counter + 1 + blocks, dtype=word)
    x1 = x2 = x3 = k.zeros_like(x0)
    key0, key1 = key, 0
    for _ in range(10):
        high0, low0 = product(k, x0, MULTIPLIERS[0])
        high1, low1 = product(k, x2, MULTIPLIERS[1])
        x0, x1 = high1 ^ x1 ^ key0, low1
        x2, x3 = high0 ^ x3 ^ key1, low0
        key0 = (key0 + KEY_STEPS[0]) % 2**64
        key1 = (key1 + KEY_STEPS[1]) % 2**64
    return k.reshape(k.stack([x0, x1, x2, x3], axis=1), (-1,))


@random_words.samples
def _(make: Any) -> Any:
    for key, counter in ((0, 0), (2**64 - 1, 5), (7, 2**40)):
        for blocks in (0, 1, 3, 4):
            yield Sample(key, counter, blocks)


def halves(k: Any, words: Any) -> Any:
    """The two 32-bit halves of each word, the low one first, as uint64."""
    return k.reshape(k.stack([words & MASK, words >> 32], axis=1), (-1,))


# --- Numbers ------------------------------------------------------------------------


@op(method=False, oracle=None, no_grad_reason="its arguments are not tensors")
def draw_uniform(
    k: Kernels, key: int, counter: int, count: int, dtype: dtype
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    wide = dtype is dtypes.float64
    words = k.random_words(key, counter, block_count(count, wide))
    if wide:
        x = k.astype(words[:count] >> 11, k.native(dtype))
        return x * 2.0**-53
    bits = KEPT_BITS[dtype.name]
    x = k.astype(halves(k, words)[:count] >> (32 - bits), k.native(dtypes.float32))
    return k.astype(x * 2.0**-bits, k.native(dtype))


@op(method=False, oracle=None, no_grad_reason="its arguments are not tensors")
def draw_normal(k: Kernels, key: int, counter: int, count: int, dtype: dtype) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1."""
    wide = dtype is dtypes.float64
    blocks = block_count(count, wide)
    words = k.random_words(key, counter, blocks)
    bits, unused = (53, 11) if wide else (24, 8)
    real = k.native(dtypes.float64 if wide else dtypes.float32)
    parts = (words if wide else halves(k, words)) >> unused
    u = k.astype(parts, real) * 2.0**-bits
    n = u.shape[0] // 2
    x, angle = 1.0 - u[:n], u[n:] * (2.0 * pi)  # x in (0, 1]
    radius = k.sqrt(k.log(x) * -2.0)
    y = k.concat([radius * k.cos(angle), radius * k.sin(angle)], axis=0)[:count]
    return k.astype(y, k.native(dtype))


@op(method=False, oracle=None, no_grad_reason="its arguments are not tensors")
def draw_integers(
    k: Kernels, key: int, counter: int, count: int, low: int, high: int, dtype: dtype
) -> Tensor:
    """Integers from `low` up to but not including `high`, in any dtype."""
    span = high - low
    wide = span > 2**32
    words = k.random_words(key, counter, block_count(count, wide))
    long = k.native(dtypes.int64)
    if not wide:
        x = k.astype((halves(k, words)[:count] * span) >> 32, long) + low
    else:
        x = words[:count]
        if span < 2**64:
            x = product(k, x, span)[0]
        if low >= 0:
            x = k.astype(x, long) + low
        else:  # x - 2**63 is what int64 holds for certain
            top = (k.astype(x >> 32, long) - 2**31) * 2**32
            x = top + k.astype(x & MASK, long) + (low + 2**63)
    return x if dtype is dtypes.int64 else k.astype(x, k.native(dtype))


@op(method=False, oracle=None, no_grad_reason="its arguments are not tensors")
def draw_permutation(k: Kernels, key: int, counter: int, count: int) -> Tensor:
    """The integers below `count` in random order, as int64.

    Two positions tie once in 2**(64 - b) pairs, where 2**b is the count, and then keep
    their order.
    """
    bits = max(count - 1, 0).bit_length()
    words = k.random_words(key, counter, block_count(count, True))[:count]
    place = k.arange(0, count, dtype=k.native(dtypes.uint64))
    ordered = k.sort(((words >> bits) << bits) | place)
    return k.astype(ordered & (2**bits - 1), k.native(dtypes.int64))


@draw_uniform.samples
@draw_normal.samples
def _(make: Any) -> Any:
    for count in (0, 1, 7, 8, 33):
        for d in (dtypes.float32, dtypes.float64, dtypes.float16):
            yield Sample(11, count, count, d)


@draw_integers.samples
def _(make: Any) -> Any:
    d = dtypes.int64
    for count in (0, 1, 33):
        for low, high in ((0, 5), (-3, 5), (0, 2**32), (-(2**63), 2**63)):
            yield Sample(11, 3, count, low, high, d)
        yield Sample(11, 3, count, 0, 200, dtypes.uint8)


@draw_permutation.samples
def _(make: Any) -> Any:
    for count in (0, 1, 2, 3, 4, 5, 8, 9, 100, 1000):
        yield Sample(11, 3, count)
        yield Sample(7, 2**40, count)


# --- In the graph -------------------------------------------------------------------


@op(method=False, oracle=None)
def redrawn(k: Kernels, x: Tensor, values: Tensor) -> Tensor:
    """`values`, drawn in the place of `x`, whose gradient is zero."""
    return k.copy(values)


redrawn.grad(
    x=lambda k, g, x_shape: k.zeros(x_shape, dtype=g.dtype),
    values=lambda k, g: g,
)


@op(method=False, oracle=None)
def redrawn_pair(
    k: Kernels, mean: Tensor | Number, std: Tensor | Number, values: Tensor
) -> Tensor:
    """`values`, drawn with parameters whose gradients are zero."""
    return k.copy(values)


redrawn_pair.grad(
    mean=lambda k, g, mean_shape: k.zeros(mean_shape, dtype=g.dtype),
    std=lambda k, g, std_shape: k.zeros(std_shape, dtype=g.dtype),
    values=lambda k, g: g,
)


SHAPES = ((), (1,), (3,), (0,), (2, 3), (1, 4), (2, 1, 3), (0, 2), (5,))


@redrawn.samples
def _(make: Any) -> Any:
    for shape in SHAPES:
        yield Sample(make(*shape), make(*shape))
    yield Sample(make.strided(2, 3), make(2, 3))
    x = make(3)
    yield Sample(x, x)


@redrawn_pair.samples
def _(make: Any) -> Any:
    for shape in SHAPES:
        yield Sample(make(*shape), make(*shape), make(*shape))
    yield Sample(make(2, 1), make(1, 3), make(2, 3))
    yield Sample(make(3), 2.0, make(3))
