"""Update parameters in blocks that stay in the processor's cache, on several threads.

- An update is a series of passes over a parameter, its gradient and its state. On whole
  arrays each pass reads them from memory again; on blocks of 32,768 elements only the
  first does, and what is temporary is small.
- Blocks are views of the same memory, so this is for backends whose arrays are written
  in place; others update whole tensors.
- Array libraries let other threads run while they compute, so many blocks are shared
  among threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import plugrad
from plugrad import Tensor

BLOCK = 1 << 15  # elements: with a gradient and two states, half of a 1 MiB cache
MANY = (
    1 << 20
)  # elements of all parameters, below which threads cost more than they give

Update = Callable[[Tensor, Tensor, dict[str, Any]], None]
Job = tuple[Update, Tensor, Tensor, dict[str, Any]]

_pools: list[ThreadPoolExecutor] = []


def run(jobs: list[Job], elementwise: bool = True) -> None:
    """Run updates; each job is an update, its parameter, gradient and state."""
    if not elementwise or sum(p.numel() for _, p, _, _ in jobs) < MANY:
        for update, p, g, state in jobs:
            update(p, g, state)
        return
    small: list[Job] = []
    pieces: list[Job] = []
    for job in jobs:
        cut = in_blocks(job)
        if cut:
            pieces += cut
        else:
            small.append(job)
    for update, p, g, state in small:
        update(p, g, state)
    shares = pool_size()
    if shares < 2 or len(pieces) < 2 * shares:
        run_all(pieces)
        return
    size = -(-len(pieces) // shares)
    parts = [pieces[i : i + size] for i in range(0, len(pieces), size)]
    waiting = [pool().submit(run_all, part) for part in parts[1:]]
    try:
        run_all(parts[0])
    finally:
        errors = [each.exception() for each in waiting]
    for error in errors:
        if error is not None:
            raise error


def run_all(jobs: list[Job]) -> None:
    """Run updates one by one, without recording: a thread has its own mode."""
    with plugrad.no_grad():
        for update, p, g, state in jobs:
            update(p, g, state)


def in_blocks(job: Job) -> list[Job]:
    """A job as several on blocks of its memory; none if it is small or scattered."""
    update, p, g, state = job
    n = p.numel()
    like = [p, g, *(v for v in state.values() if is_like(v, p))]
    if (
        n <= BLOCK
        or g.is_sparse
        or not all(t.is_contiguous() and t.dtype is p.dtype for t in like)
    ):
        return []
    k = plugrad.get_backend(p.backend)
    if not (k.writable and k.views) or any(t.backend != p.backend for t in like):
        return []
    flat_p, flat_g = p.detach().view(-1), g.detach().view(-1)
    flat = {key: v.view(-1) for key, v in state.items() if is_like(v, p)}
    found: list[Job] = []
    for i in range(0, n, BLOCK):
        j = min(i + BLOCK, n)
        part = {key: v[i:j] for key, v in flat.items()}
        found.append((update, flat_p[i:j], flat_g[i:j], {**state, **part}))
    return found


def is_like(value: Any, p: Tensor) -> bool:
    """Whether a part of the state has an element for each of the parameter's."""
    return isinstance(value, Tensor) and value.shape == p.shape and value.ndim > 0


def pool_size() -> int:
    """How many threads share the blocks."""
    return min(os.cpu_count() or 1, 8)


def pool() -> ThreadPoolExecutor:
    """The threads, started on first use; a forked process starts its own."""
    if not _pools:
        _pools.append(ThreadPoolExecutor(pool_size() - 1, "plugrad-optim"))
    return _pools[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)
