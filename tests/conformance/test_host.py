"""No op copies values to the host: neither forward nor backward.

Whatever hands an array's values to Python or NumPy raises while the op runs. Single
numbers may be asked for by ops that check their arguments, or whose results have a
shape that depends on values. A backend says in `reads_values` which other ops need
values, and why. (DLPack is no copy: memory is looked at by it.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import plugrad
from plugrad.conformance.calls import call, samples, spread
from plugrad.conformance.cells import Cell
from plugrad.conformance.test_gradients import gradients

MOST = 16  # samples of a cell, from all over them

# Why a number is needed on any backend -> by which ops.
NUMBERS = {
    "an index may be out of range": (
        "as_strided cummax cummin embedding gather index index_add index_copy"
        " index_fill index_put index_select kthvalue max max_pool max_pool_pick"
        " max_pool_put max_pool_with_indices median min mode nanmedian pick put"
        " scatter scatter_add scatter_reduce sort spread take topk unfold"
    ),
    "a target may be out of range": (
        "binary_cross_entropy cross_entropy cross_entropy_back ctc_losses nll_loss"
        " nll_loss_back"
    ),
    "an integer may be divided by zero": (
        "div_floor div_trunc floor_divide fmod remainder rfloor_divide rremainder"
    ),
    "the shape or the bins depend on values": (
        "bincount distinct histc masked_scatter masked_select nonzero one_hot"
    ),
    "the smallest exponent of integers may be negative": "pow rpow",
}
MAY_ASK = {op for ops in NUMBERS.values() for op in ops.split()}

METHODS = ("to_numpy", "to_host", "to_list", "fingerprint")  # the backend's
SINGLE = ("item", "__bool__", "__int__", "__float__", "__complex__", "__index__")
# Those of arrays. NumPy's own cannot be replaced, and are on the host anyway.
ARRAYS = ("__array__", "__array_interface__", "tolist", "numpy", "compute", *SINGLE)


class HostCopy(Exception):
    """An op asked for the values of an array."""


def test_no_copy(cell: Cell) -> None:
    k, op = cell.subject.k, cell.op
    wants = cell.dtype.kind in "fc" and op.has_gradient
    made = spread(samples(cell, k, requires_grad=wants), MOST)
    with forbidden(k) as asked:
        for sample in made:
            call(k, gradients, cell, k, sample)
    allowed = SINGLE if op.name in MAY_ASK else ()
    copies = sorted(set(asked).difference(allowed))
    if op.name not in k.reads_values:
        assert not copies, (
            f"{op.name} copies values to the host, by {', '.join(copies)}; if it has "
            "to, declare why in the backend's `reads_values`"
        )


@contextmanager
def forbidden(k: plugrad.Backend) -> Iterator[list[str]]:
    """Note, and refuse, whatever hands values to the host."""
    asked: list[str] = []
    before: list[tuple[Any, str, Any]] = []

    def refuse(name: str) -> Any:
        def refused(*args: Any, **named: Any) -> Any:
            asked.append(name)
            raise HostCopy(name)

        return refused

    own = (*METHODS, "item")
    for name in own:
        setattr(k, name, refuse(name))
    kind = k.array_type
    for name in ARRAYS:
        for owner in kind.__mro__[:-1]:
            if name in vars(owner):
                try:
                    old = vars(owner)[name]
                    setattr(owner, name, refuse(name))
                    before.append((owner, name, old))
                except TypeError:  # a class of C's
                    pass
    try:
        yield asked
    finally:
        for name in own:
            delattr(k, name)
        for owner, name, old in before:
            setattr(owner, name, old)
