"""Every op on sparse tensors, compared with the same op on dense ones.

The conformance suite is of dense arrays, so it leaves the sparse backend out. Here its
samples are made sparse: the first tensor of each, or all of them, in two layouts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import plugrad
import plugrad.nn
from plugrad.conformance.calls import Maker, Raised, call, close, tensors_in
from plugrad.conformance.cells import Subject
from plugrad.conformance.test_gradients import replaced
from plugrad.testing import TOLERANCES, samples_of

PAGE = Path(__file__).parents[2] / "docs" / "conformance" / "sparse.md"
LAYOUTS = {"coo": lambda t: t.to_sparse(), "csr": lambda t: t.to_sparse_csr()}


def thinned(t):
    """The same tensor with zeros at some places."""
    places = plugrad.arange(t.numel()).reshape(t.shape) % 3 == 1
    return t.masked_fill(places, 0) if t.dtype.kind in "fc" else t


def variants(sample):
    """(layout, sample with zeros, the same with sparse tensors)."""
    given = {id(t): thinned(t.detach()) for t in tensors_in(sample)}
    with_zeros = changed(sample, given)
    fit = [key for key, t in given.items() if t.ndim == 2 and t.dtype.kind == "f"]
    for name, convert in LAYOUTS.items():
        for chosen in {tuple(fit[:1]), tuple(fit)} - {()}:
            made = {key: convert(given[key]) for key in chosen}
            yield name, with_zeros, changed(sample, given | made)


def changed(sample, tensors):
    return replaced(sample.args, tensors), replaced(sample.kwargs, tensors)


def refused(result):
    """Whether a call said that sparse tensors do not have this, or a view of them."""
    return isinstance(result, Raised) and isinstance(
        result.error, (plugrad.UnsupportedOpError, RuntimeError)
    )


def same(ours, theirs):
    """Whether sparse results are the dense ones."""
    pairs = list(zip(tensors_in([ours]), tensors_in([theirs]), strict=True))
    return all(
        mine.dtype is other.dtype
        and mine.shape == other.shape
        and close(as_array(mine), as_array(other), *allowed(other), "float64")
        for mine, other in pairs
    )


def allowed(t):
    """(rtol, atol) of a dtype."""
    return TOLERANCES.get(t.dtype.name, (0.0, 0.0))


def as_array(t):
    return np.asarray((t if t.layout is plugrad.strided else t.to_dense()).numpy())


def outcomes(name: str) -> Iterator[tuple[str, str, str]]:
    """(layout, "right", "refused" or "wrong", what was called) of each sparse sample
    of an op whose dense one has a result."""
    op, k = plugrad.Backend.ops[name], plugrad.get_backend("numpy")
    make = Maker(Subject(k, k), k, plugrad.float64)
    for sample in samples_of(op, make):
        for layout, (args, kwargs), (sparse_args, sparse_kwargs) in variants(sample):
            theirs = call(k, op.function, *args, **kwargs)
            ours = call(k, op.function, *sparse_args, **sparse_kwargs)
            if isinstance(theirs, Raised):
                continue
            if refused(ours):
                outcome = "refused"
            elif isinstance(ours, Raised) or not same(ours, theirs):
                outcome = "wrong"
            else:
                outcome = "right"
            yield layout, outcome, f"{sample.kind!r} {sample}: {ours!r}"


def row(name: str) -> str | None:
    """An op's line in docs/conformance/sparse.md; None if it has no sparse samples."""
    counts = {layout: Counter[str]() for layout in LAYOUTS}
    for layout, what, _ in outcomes(name):
        counts[layout][what] += 1
    if not any(counts.values()):
        return None
    cells = [
        ", ".join(f"{n} {what}" for what, n in sorted(counts[layout].items()))
        for layout in LAYOUTS
    ]
    return f"| {name} | {' | '.join(cells)} |"
