"""Keep benchmarks apart: what one sets or leaves behind, the next does not meet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")


def threads(count: int) -> dict[str, str]:
    """Variables that hold a library to so many threads, each read when one loads: those
    of OpenMP, OpenBLAS, MKL, Apple's Accelerate, JAX and tinygrad."""
    names = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "PJRT_NPROC",
        "NPROC",
        "NUM_CPU_THREADS",
    )
    return dict.fromkeys(names, str(count))


ONE_THREAD = threads(1)


@contextlib.contextmanager
def environment(variables: dict[str, str] | None) -> Iterator[None]:
    """Variables of the environment, for the processes that are started meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables or {})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def in_a_process(
    function: Callable[[A], T], argument: A, variables: dict[str, str] | None = None
) -> T:
    """Call a module's function in a fresh interpreter, which may crash."""
    with (
        environment(variables),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        return pool.submit(function, argument).result()


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
