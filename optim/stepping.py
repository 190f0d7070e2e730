"""Update parameters in blocks that stay in the processor's cache, on several threads.

- An update is a series of passes over a parameter, its gradient and its state. On whole
  arrays each pass reads them from memory again; on blocks only the first does, and what
  is temporary is small.
- Blocks are views of the same memory, so this is for backends whose arrays are written
  in place; others update whole tensors.
- Many blocks are shared among threads: each takes the next one that is left.
- Where the backend fuses (`plugrad.fuse`), an update is one pass over everything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import plugrad
from plugrad import Tensor, fuse

MANY = 1 << 20  # elements of all parameters; below, threads cost more than they give
LAST = 1 << 17  # elements of the last blocks, if the first are larger
FEW = 1 << 15  # elements of one parameter that are not worth another thread
FUSED = 1 << 20, 1 << 18  # elements of blocks in one pass, and of the last of them
ALIGNED = 64  # elements: no line of the cache is written by two threads

Update = Callable[[Tensor, Tensor, dict[str, Any]], None]
Job = tuple[Update, Tensor, Tensor, dict[str, Any]]
Flat = tuple[Update, Tensor, Tensor, dict[str, Any], dict[str, Tensor]]


def run(jobs: list[Job], block: int = 0) -> None:
    """Run updates, of at most `block` elements at a time if it is given; each job is an
    update, its parameter, gradient and state."""
    many = block > 0 and sum(p.numel() for _, p, _, _ in jobs) >= MANY
    pieces: list[Callable[[], None]] = []
    seen: set[int] = set()
    for job in jobs:
        update, p, g, state = job
        if id(p) in seen:  # listed twice: one update after the other
            plugrad.in_threads(pieces)
            pieces = []
        seen.add(id(p))
        small = not block or p.numel() <= FEW
        fused = None if small else fused_job(job)
        if fused is not None and many:
            blocks = cuts(p.numel(), *FUSED)
            pieces += [partial(fused, each.start, each.stop) for each in blocks]
        elif fused is not None:
            fused()
        elif many and not small and (flat := flattened(job)) is not None:
            blocks = cuts(p.numel(), block)
            pieces += [partial(run_piece, *flat, each) for each in blocks]
        else:
            update(p, g, state)
    if pieces:
        plugrad.in_threads(pieces)


def fused_job(job: Job) -> Callable[..., None] | None:
    """A job as one pass, if the backend has that; it takes where to start and stop."""
    update, p, g, state = job
    parts = {name: v for name, v in state.items() if is_like(v, p)}
    rest = (v for name, v in state.items() if name not in parts)
    # such as counts; an update that changes these, too, is not to do so twice
    others = [v for v in rest if isinstance(v, Tensor)]

    def function(p: Tensor, g: Tensor, *values: Tensor) -> None:
        before = [v.item() for v in others]
        try:
            update(p, g, {**state, **dict(zip(parts, values))})
        finally:
            changed = [(v, x) for v, x in zip(others, before) if v.item() != x]
            for v, x in changed:
                v.fill_(x)
        if changed:
            raise ValueError("it counts")

    return fuse(function, [p, g, *parts.values()])


def cuts(n: int, block: int, last: int = LAST) -> list[slice]:
    """Blocks of n elements: as large as may be at first, smaller towards the end, where
    threads wait for the last one. Results do not depend on how many threads there are,
    since blocks do not."""
    found = []
    start = 0
    while start < n:
        rest = n - start
        size = min(block, max(rest // 8, last)) // ALIGNED * ALIGNED
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
    if g.is_sparse:
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
