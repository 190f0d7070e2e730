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
MANY = 1 << 20  # elements of all parameters; below, threads cost more than they give

Update = Callable[[Tensor, Tensor, dict[str, Any]], None]
Job = tuple[Update, Tensor, Tensor, dict[str, Any]]
Flat = tuple[Update, Tensor, Tensor, dict[str, Any], dict[str, Tensor]]
Piece = tuple[Flat, int]  # a job, and where its block begins

_pools: list[ThreadPoolExecutor] = []


def run(jobs: list[Job], elementwise: bool = True) -> None:
    """Run updates; each job is an update, its parameter, gradient and state."""
    if not elementwise or sum(p.numel() for _, p, _, _ in jobs) < MANY:
        for update, p, g, state in jobs:
            update(p, g, state)
        return
    pieces: list[Piece] = []
    for job in jobs:
        flat = flattened(job)
        if flat is None:
            update, p, g, state = job
            update(p, g, state)
        else:
            pieces += [(flat, i) for i in range(0, flat[1].numel(), BLOCK)]
    shares = pool_size()
    if shares < 2 or len(pieces) < 2 * shares:
        run_all(pieces)
        return
    size = -(-len(pieces) // shares)
    parts = [pieces[i : i + size] for i in range(0, len(pieces), size)]
    workers = pool()
    waiting = [workers.submit(run_all, part) for part in parts[1:]]
    try:
        run_all(parts[0])
    finally:
        errors = [each.exception() for each in waiting]
    for error in errors:
        if error is not None:
            raise error


def run_all(pieces: list[Piece]) -> None:
    """Run updates one by one, without recording: a thread has its own mode."""
    with plugrad.no_grad():
        for (update, p, g, state, parts), i in pieces:
            block = slice(i, i + BLOCK)
            cut = {name: x[block] for name, x in parts.items()}
            update(p[block], g[block], {**state, **cut})


def flattened(job: Job) -> Flat | None:
    """A job with one dimension, to be cut; none if it is small or scattered."""
    update, p, g, state = job
    parts = {name: v for name, v in state.items() if is_like(v, p)}
    like = [p, g, *parts.values()]
    if p.numel() <= BLOCK or g.is_sparse:
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


def pool_size() -> int:
    """How many threads share the blocks."""
    return min(plugrad.get_num_threads(), 8)


def pool() -> ThreadPoolExecutor:
    """The threads, started on first use; a forked process starts its own."""
    found = _pools[:1]
    if not found:
        found = [ThreadPoolExecutor(max(pool_size() - 1, 1), "plugrad-optim")]
        _pools.extend(found)
    return found[0]


@plugrad.register_threads
def set_threads(number: int) -> None:
    """The next step starts as many threads as are asked for."""
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)
