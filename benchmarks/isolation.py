"""Keep benchmarks apart: what one sets or leaves behind, the next does not meet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")

# Every library that NumPy and torch are built with reads one of these when it loads.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}


def in_a_process(
    function: Callable[[bool], T],
    quick: bool,
    environment: dict[str, str] | None = None,
) -> T:
    """Call a module's function in a fresh interpreter, which may crash."""
    before = dict(os.environ)
    os.environ.update(environment or {})
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(function, quick).result()
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def one_torch_thread() -> Iterator[int]:
    """Hold torch to one thread, and give the number it had; without torch, 0."""
    try:
        import torch
    except ModuleNotFoundError:
        yield 0
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)
