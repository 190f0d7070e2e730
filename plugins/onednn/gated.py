"""Gated recurrent units: the loop over time, as in `recurrent`."""

from __future__ import annotations

from typing import Any

import numpy as np

from plugrad import Overrides

from .library import LOGISTIC, SUM
from .programs import FLOAT32, Kept, address, plain
from .recurrent import (
    ONE,
    apart,
    even,
    fast,
    gate_by_gate,
    in_steps,
    lie,
    new,
    ordered,
    row,
)
from .steps import product, started

Array = Any
Sizes = tuple[int, ...]


def accepts_gru(
    x: Array, h: Array, weight: Array, bias: Any, sizes: Sizes, *_: Any
) -> bool:
    """Whether the library is the faster."""
    return even(x, h, weight, sizes, 3) and fast(gru_ahead, *h.shape)


def gru_ahead(m: int, n: int, bias: bool = True) -> Kept:
    """The reset and update gates of a step, where the input's part is already."""
    then = SUM, LOGISTIC
    return product((m, n, 2 * n), (n, 2 * n), True, bias, then)


def gru(
    x: Array, h: Array, weight: Array, bias: Any, sizes: Sizes, reverse: bool
) -> tuple[Array, Array]:
    """The rows of all states, and of all gates, with what states bring to the new."""
    (m, n), some = h.shape, bias is not None
    wide, still = 2 * n, [weight] if bias is None else [weight, bias]
    found = new(sizes, n), new(sizes, 4 * n)
    x, y, gates = (in_steps(each, sizes) for each in (x, *found))
    # The library fuses only into products whose rows follow one another.
    state = plain(h)
    both, kept, t = (np.empty((m, w), FLOAT32) for w in (wide, n, n))
    to_both, to_kept = address(both), address(kept)
    firsts = gru_ahead(m, n, some)
    others = product((m, n, n), (n, n), True, some)
    with (
        started(firsts, *(each[:wide] for each in still)) as first,
        started(others, *(each[wide:] for each in still)) as other,
    ):
        for i in ordered(sizes, reverse):
            z, before, state = gates[i], state, y[i]
            np.copyto(both, x[i, :, :wide])
            first(address(before), to_both)
            other(address(before), to_kept)
            np.multiply(both[:, :n], kept, t)
            np.add(t, x[i, :, wide:], t)
            np.tanh(t, t)
            np.subtract(before, t, state)
            np.multiply(state, both[:, n:], state)
            np.add(state, t, state)
            z[:, :wide], z[:, wide : 3 * n], z[:, 3 * n :] = both, t, kept
    return found


def accepts_gru_back(
    gates: Array, g: Array, h: Array, weight: Array, y: Array, sizes: Sizes, *_: Any
) -> bool:
    """Whether the library is the faster."""
    return even(gates, h, weight, sizes, 3)


def gru_back(
    gates: Array, g: Array, h: Array, weight: Array, y: Array, sizes: Sizes,
    reverse: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The gradients to the inputs, to the products with the states, and to the first
    state."""
    m, n = h.shape
    found, gh = (apart(sizes, 3 * n), apart(sizes, 3 * n)), np.zeros((m, n), FLOAT32)
    gates, g, y, gx, inner = (in_steps(each, sizes) for each in (gates, g, y, *found))
    space, order = np.empty((8, m, n), FLOAT32), ordered(sizes, not reverse)
    how = product((m, 3 * n, n), (row(inner), n), False, then=(SUM,))
    (at, far), into = lie(inner), address(gh)
    with started(how, weight) as step:
        for i, before in zip(order, (*order[1:], None)):
            last = h if before is None else y[before]
            gh += g[i]
            gru_step(gates[i], last, gh, gx[i], inner[i], space)
            step(at + far * i, into)
    return *found, gh


def gru_step(
    gates: Array, last: Array, out: Array, to_x: Array, to_inner: Array, space: Array
) -> None:
    """One step back: `out`, the gradient of the state, becomes the part that goes to
    the state before beside the products."""
    n = last.shape[1]
    z, s, t = space[:4], space[4:7], space[7]
    reset, update, new, kept = z
    z[...] = gate_by_gate(gates, n)
    np.subtract(ONE, z[:2], s[:2])
    np.multiply(new, new, s[2])
    np.subtract(ONE, s[2], s[2])
    s[2] *= s[1]
    s[2] *= out
    s[:2] *= z[:2]
    s[0] *= kept
    s[0] *= s[2]
    np.subtract(last, new, t)
    s[1] *= t
    s[1] *= out
    gate_by_gate(to_x, n)[...] = s
    s[2] *= reset
    gate_by_gate(to_inner, n)[...] = s
    out *= update


def give(kernels: Overrides) -> None:
    """Add the kernels of gated recurrent units."""
    kernels.add("gru_scan", accepts=accepts_gru)(gru)
    kernels.add("gru_scan_back", accepts=accepts_gru_back)(gru_back)
