"""Update parameters in blocks that stay in the processor's cache, on several threads.

- An update is a series of passes over a parameter, its gradient and its state. On whole
  arrays each pass reads them from memory again; on blocks only the first does, and what
  is temporary is small.
- Blocks are views of the same memory, so this is for backends whose arrays are written
  in place; others update whole tensors.
- Many blocks are shared among threads: each takes the next one that is left.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import plugrad
from plugrad import Tensor

MANY = 1 << 20  # elements of all parameters; below, threads cost more than they give
LAST = 1 << 17  # elements of the last blocks, if the first are larger
FEW = 1 << 15  # elements of one parameter that are not worth another thread
ALIGNED = 64  # elements: no line of the cache is written by two threads

Update = Callable[[Tensor, Tensor, dict[str, Any]], None]
Job = tuple[Update, Tensor, Tensor, dict[str, Any]]
Flat = tuple[Update, Tensor, Tensor, dict[str, Any], dict[str, Tensor]]


def run(jobs: list[Job], block: int = 0) -> None:
    """Run updates, of at most `block` elements at a time if it is given; each job is an
    update, its parameter, gradient and state."""
    if not block or sum(p.numel() for _, p, _, _ in jobs) < MANY:
        for update, p, g, state in jobs:
            update(p, g, state)
        return
    pieces: list[Callable[[], None]] = []
    for job in jobs:
        flat = flattened(job)
        if flat is None:
            update, p, g, state = job
            update(p, g, state)
        else:
            blocks = cuts(flat[1].numel(), block)
            pieces += [partial(run_piece, *flat, each) for each in blocks]
    plugrad.in_threads(pieces)


def cuts(n: int, block: int) -> list[slice]:
    """Blocks of n elements: as large as may be at first, smaller towards the end, where
    threads wait for the last one. Results do not depend on how many threads there are,
    since blocks do not."""
    found = []
    start = 0
    while start < n:
        rest = n - start
        size = min(block, max(rest // 8, LAST)) // ALIGNED * ALIGNED
        if rest < 2 * size:  # no small one is left over
            size = rest if rest <= size else rest // (2 * ALIGNED) * ALIGNED
        found.append(slice(start, start + size))
        start += size
    return found


def run_piece(
    update: Update,
    p: Tensor,
    g: Tensor,
    state: dict[str, Any],
    parts: dict[str, Tensor],
    block: slice,
) -> None:
    """Update a block, without recording: a thread has its own mode."""
    with plugrad.no_grad():
        cut = {name: x[block] for name, x in parts.items()}
        update(p[block], g[block], {**state, **cut})


def flattened(job: Job) -> Flat | None:
    """A job with one dimension, to be shared; none if it is small or scattered."""
    update, p, g, state = job
    parts = {name: v for name, v in state.items() if is_like(v, p)}
    like = [p, g, *parts.values()]
    if p.numel() <= FEW or g.is_sparse:
        return None
    if not all(t.is_contiguous() and t.dtype is p.dtype for t in like):
        return None
    k = plugrad.get_backend(p.backend)
    if not (k.writable and k.views) or any(t.backend != p.backend for t in like):
        return None
    flat = {name: v.view(-1) for name, v in parts.items()}
    return update, p.detach().view(-1), g.detach().view(-1), state, flat


def is_like(value: Any, p: Tensor) -> bool:
    """Whether a part of the state has an element for each of the parameter's."""
    return isinstance(value, Tensor) and value.shape == p.shape and value.ndim > 0
