"""The random stream in torch: Philox4x64-10 on int64, whose bits are those of uint64.

torch has no shifts, sums or comparisons of uint64. Sums and products of int64 wrap
around to the same bits, and a shift to the right is masked. Words and numbers are those
of the default kernels bit for bit; `log` and `cos` of normals may differ in the last
bits.
"""

from __future__ import annotations

import sys
from math import pi
from typing import Any

import torch

from plugrad import float16, float32, float64, get_backend

MASK = 0xFFFFFFFF
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
LITTLE = sys.byteorder == "little"


def signed(value: int) -> int:
    """The integer that int64 holds with the 64 lowest bits of `value`."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def shifted(x: Any, n: int) -> Any:
    """The bits of `x` moved right by n, with zeros from the left."""
    return (x >> n) & (2 ** (64 - n) - 1)


def high_product(a: Any, b: int) -> Any:
    """The high word of a * b, from products of halves."""
    b_low, b_high = b & MASK, b >> 32
    a_low, a_high = a & MASK, shifted(a, 32)
    cross, other = a_high * b_low, a_low * b_high
    middle = shifted(a_low * b_low, 32) + (cross & MASK) + (other & MASK)
    high = a_high * b_high + shifted(cross, 32) + shifted(other, 32)
    return high + (middle >> 32)


def random_bits(key: int, counter: int, blocks: int) -> Any:
    """The words of some blocks of the stream, as int64."""
    x0 = torch.arange(blocks, dtype=torch.int64) + signed(counter + 1)
    x1 = x2 = x3 = torch.zeros_like(x0)
    key0, key1 = key, 0
    for _ in range(10):
        high0, low0 = high_product(x0, MULTIPLIERS[0]), x0 * signed(MULTIPLIERS[0])
        high1, low1 = high_product(x2, MULTIPLIERS[1]), x2 * signed(MULTIPLIERS[1])
        x0, x1 = high1 ^ x1 ^ signed(key0), low1
        x2, x3 = high0 ^ x3 ^ signed(key1), low0
        key0 = (key0 + KEY_STEPS[0]) % 2**64
        key1 = (key1 + KEY_STEPS[1]) % 2**64
    return torch.stack([x0, x1, x2, x3], 1).reshape(-1)


def random_words(key: int, counter: int, blocks: int) -> Any:
    """The words of some blocks of the stream, as uint64."""
    return random_bits(key, counter, blocks).view(torch.uint64)


def words_for(key: int, counter: int, count: int) -> Any:
    """The words that `count` numbers of 64 bits take."""
    return random_bits(key, counter, -(-count // 4))


def halves_for(key: int, counter: int, count: int) -> Any:
    """The half words that `count` numbers of 32 bits take, in the order of use, as
    int32."""
    halves = random_bits(key, counter, -(-count // 8)).view(torch.int32)
    return halves if LITTLE else halves.reshape(-1, 2).flip(1).reshape(-1)


def uniform(key: int, counter: int, count: int, wide: bool, bits: int = 24) -> Any:
    """Uniform numbers in [0, 1), as many as whole blocks give."""
    if wide:
        words = words_for(key, counter, count)
        return shifted(words, 11).to(torch.float64).mul_(2.0**-53)
    halves = halves_for(key, counter, count)
    top = (halves >> (32 - bits)) & (2**bits - 1)
    return top.to(torch.float32).mul_(2.0**-bits)


def native(dtype: Any) -> Any:
    """torch's dtype."""
    return get_backend("torch").native(dtype)


def draw_uniform(key: int, counter: int, count: int, dtype: Any) -> Any:
    """Uniform numbers in [0, 1)."""
    bits = 24 if dtype is float32 else 11 if dtype is float16 else 8
    x = uniform(key, counter, count, dtype is float64, bits)
    return x[:count].to(native(dtype))


def draw_normal(key: int, counter: int, count: int, dtype: Any) -> Any:
    """Normal numbers, in pairs by Box and Muller."""
    u = uniform(key, counter, count, dtype is float64)
    n = u.shape[0] // 2
    radius = (1 - u[:n]).log_().mul_(-2).sqrt_()
    angle = u[n:] * (2 * pi)
    y = torch.cat([radius * angle.cos(), radius * angle.sin()])
    return y[:count].to(native(dtype))


def draw_integers(
    key: int, counter: int, count: int, low: int, high: int, dtype: Any
) -> Any:
    """Integers from `low` up to but not including `high`."""
    span = high - low
    if span > 2**32:
        x = words_for(key, counter, count)[:count]
        if span < 2**64:
            x = high_product(x, span)
        x = x + signed(low)
    else:
        halves = halves_for(key, counter, count)[:count].to(torch.int64) & MASK
        x = shifted(halves * span, 32) + low
    return x.to(native(dtype))


def draw_permutation(key: int, counter: int, count: int) -> Any:
    """The integers below `count` in random order."""
    bits = max(count - 1, 0).bit_length()
    words = words_for(key, counter, count)[:count]
    words = (words >> bits << bits) | torch.arange(count)
    ordered = torch.sort(words ^ signed(2**63)).values  # as unsigned numbers
    return ordered & (2**bits - 1)
