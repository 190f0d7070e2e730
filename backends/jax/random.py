"""The random stream: NumPy's kernels where the host computes, else by JAX itself.

On the CPU a compiled draw would pay some 100 ms for each new size, where NumPy draws
500,000 words in 1.3 ms. Elsewhere the words are made where they are used.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import plugrad

__all__ = ["DRAWS", "random_words"]

MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
KEY_STEPS = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
DRAWS = ("random_words", "draw_uniform", "draw_normal", "draw_integers")
DRAWS += ("draw_permutation",)


def random_words(key: int, counter: int, blocks: int) -> Any:
    """The words of some blocks of the stream, as uint64."""
    return words_from(np.uint64(key), np.uint64(counter), blocks)


@partial(jax.jit, static_argnums=2)
def words_from(key: Any, counter: Any, blocks: int) -> Any:
    """The same, compiled for a number of blocks."""
    x0 = counter + 1 + jnp.arange(blocks, dtype=jnp.uint64)
    x1 = x2 = x3 = jnp.zeros_like(x0)
    key0, key1 = key, np.uint64(0)
    for _ in range(10):
        high0, low0 = product(x0, MULTIPLIERS[0])
        high1, low1 = product(x2, MULTIPLIERS[1])
        x0, x1 = high1 ^ x1 ^ key0, low1
        x2, x3 = high0 ^ x3 ^ key1, low0
        key0 = key0 + jnp.uint64(KEY_STEPS[0])
        key1 = key1 + jnp.uint64(KEY_STEPS[1])
    return jnp.stack([x0, x1, x2, x3], axis=1).reshape(-1)


def product(a: Any, b: int) -> tuple[Any, Any]:
    """The high and the low word of a * b."""
    mask = np.uint64(0xFFFFFFFF)
    b_low, b_high = np.uint64(b & 0xFFFFFFFF), np.uint64(b >> 32)
    a_low, a_high = a & mask, a >> 32
    cross, other = a_high * b_low, a_low * b_high
    middle = (a_low * b_low >> 32) + (cross & mask) + (other & mask)
    high = a_high * b_high + (cross >> 32) + (other >> 32) + (middle >> 32)
    return high, a * np.uint64(b)


def drawn_by_numpy(name: str) -> Any:
    """A kernel that draws by NumPy's."""
    draw: Any = plugrad.get_backend("numpy").kernel(name)

    def kernel(*args: Any) -> Any:
        return jnp.array(draw(*args), copy=True)

    return kernel
