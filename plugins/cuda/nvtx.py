"""Ranges and marks for NVIDIA's profilers; nothing where there is no GPU."""

from __future__ import annotations

from typing import Any

from plugrad.backends.cupy import cupy_library

from .devices import is_available

__all__ = ["mark", "range", "range_pop", "range_push"]

DEPTH = [0]  # of ranges that are open


def range_push(msg: str) -> int:
    """Open a range; its depth, from 0 on.

    >>> from plugrad.cuda import nvtx
    >>> nvtx.range_push("forward"), nvtx.range_pop()
    (0, 0)
    """
    if is_available():
        cupy_library().cuda.nvtx.RangePush(msg)
    DEPTH[0] += 1
    return DEPTH[0] - 1


def range_pop() -> int:
    """Close the range that was opened last.

    >>> from plugrad.cuda import nvtx
    >>> nvtx.range_push("forward"), nvtx.range_pop()
    (0, 0)
    """
    if is_available():
        cupy_library().cuda.nvtx.RangePop()
    DEPTH[0] -= 1
    return DEPTH[0]


def mark(msg: str) -> None:
    """Mark a moment.

    >>> from plugrad.cuda import nvtx
    >>> nvtx.mark("step")
    """
    if is_available():
        cupy_library().cuda.nvtx.Mark(msg)


class range:
    """`with nvtx.range("forward"):` is a range.

    >>> from plugrad.cuda import nvtx
    >>> with nvtx.range("step {}", 3):
    ...     pass
    """

    def __init__(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self.msg = msg.format(*args, **kwargs)

    def __enter__(self) -> None:
        range_push(self.msg)

    def __exit__(self, *exc_info: object) -> None:
        range_pop()
