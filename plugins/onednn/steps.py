"""A product with one weight in every step of a loop.

- The weight is brought once into the layout in which products are fastest. `sgemm` does
  that in every call: 32 rows times 256 x 1024 take it 100 µs, and 80 here.
- What comes after the product is fused into it: sums with what the step has from
  elsewhere, and functions.
- A step only sets addresses: arrays move on by their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .library import (
    ADD,
    BIAS,
    FUSED,
    MULTIPLY,
    SOURCE,
    SOURCE_1,
    SUM,
    TARGET,
    WEIGHTS,
    Address,
    Unsupported,
)
from .programs import Kept, Program, address, dense, free, kept, library, plain

Array = Any
Step = Callable[..., None]


class Loop(Program):
    """A computation that runs again and again while some of its arrays move on."""

    def start(self, addresses: Sequence[Address]) -> Step:
        """Set the addresses, and bring the weight into the layout in which it is
        wanted. Returns what runs the rest with the first arrays at other addresses."""
        found, memories = self.library, self.memories
        set_handle, execute = found.set_handle, found.execute
        stream = found.ready().stream
        for memory, at in zip(memories, addresses):
            set_handle(memory, at)
        # The thread's scratch memory is for one program at a time.
        space = np.empty(self.size + 64, np.uint8)
        base = -(-address(space) // 64) * 64
        for memory, offset in self.buffers:
            set_handle(memory, base + offset)
        again = self.steps
        if self.reordered and self.reordered[0][0] == "w":
            found.check(execute(again[0][0], stream, *again[0][1:]))
            again = again[1:]

        def step(*moved: Address, keep: Array = space) -> None:
            for memory, at in zip(memories, moved):
                set_handle(memory, at)
            for primitive, count, given in again:
                status = execute(primitive, stream, count, given)
                if status:
                    found.check(status)

        return step


@kept
def product(
    sizes: tuple[int, int, int],
    apart: tuple[int, int],
    turned: bool,
    bias: bool = False,
    then: tuple[int, ...] = (),
) -> Kept:
    """The program of `y = x @ weight`, or `x @ weight.T` where the weight is `turned`.

    `sizes` are the rows of x, their length, and that of the rows of y; `apart` says how
    far the rows of x and of y are from one another. What comes after it follows in
    turn, with operands of one row. Where the library does not fuse functions into its
    fastest products, they take longer than NumPy's, and are Unsupported: for AVX2, it
    took twice the time; where operands did not suit it, a thousand times.
    """
    m, k, n = sizes

    def make() -> Loop:
        layout = library().layout
        arrays: dict[str, Any] = {
            "x": layout((m, k), (apart[0], 1)),
            "Y": layout((m, n), (apart[1], 1)),
            "w": layout((k, n), (1, k) if turned else (n, 1)),
        }
        roles = {WEIGHTS: "w", SOURCE: "x", TARGET: "Y"}  # the weight's layout first
        if bias:
            arrays["b"] = dense((1, n))
            roles[BIAS] = "b"
        fused: list[tuple[int, Any]] = []
        for i, kind in enumerate(then):
            if kind in (ADD, MULTIPLY):
                arrays[f"a{i}"] = dense((1, n))
                roles[FUSED * (i + 1) | SOURCE_1] = f"a{i}"
            fused.append((kind, arrays.get(f"a{i}")))
        what = library().computation(
            "matmul", arrays["x"], free((k, n)), arrays.get("b"), arrays["Y"],
            fused=fused,
        )  # fmt: skip
        fast = what.implementation().startswith("brg")
        if not fast and any(kind != SUM for kind in then):
            raise Unsupported
        return Loop(arrays, [(what, roles)])

    return Kept(make)


@contextmanager
def started(which: Kept, *still: Array) -> Iterator[Step]:
    """A step of a loop: called with the addresses of x and y. The weight, the bias, and
    operands in turn are given beforehand."""
    program = which.take()
    arrays = [plain(each) for each in still]
    yield program.start([0, 0, *(address(each) for each in arrays)])
    which.free.append(program)
