"""Every layer and loss: what it gives on NumPy, it gives on the backend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import plugrad
from plugrad.conformance.calls import tensors_in
from plugrad.conformance.cells import Cell
from plugrad.conformance.compared import (
    build,
    check_same,
    dense,
    gradients_of,
    make_for,
)
from plugrad.conformance.layers import LAYERS


def inputs_of(cell: Cell, k: plugrad.Backend) -> list[Any]:
    """The inputs of a layer on a backend."""
    make = make_for(cell, k)
    specs = LAYERS[cell.case].inputs
    return [spec(make) if callable(spec) else make(*spec) for spec in specs]


def both(cell: Cell) -> tuple[Any, Any]:
    """The layer on the backend and on the reference, in the same state."""
    k, reference = cell.subject.k, cell.subject.reference
    make = LAYERS[cell.case].make
    ours, theirs = build(cell, k, make), build(cell, reference, make)
    for side, module in ((k, ours), (reference, theirs)):
        with plugrad.backend(side.name), plugrad.no_grad():
            module(*inputs_of(cell, side))  # lazy layers take their shapes
    with plugrad.backend(k.name):
        ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def test_layer(cell: Cell) -> None:
    """Outputs, gradients and buffers, in training and in use, draws included."""
    ours, theirs = both(cell)
    subject = cell.subject
    for training in (True, False):
        expected = run(cell, subject.reference, theirs, training)
        assert expected, "nothing comes out"
        check_same(cell, run(cell, subject.k, ours, training), expected)


def run(cell: Cell, k: plugrad.Backend, module: Any, training: bool) -> dict[str, Any]:
    """All that comes of one call and the walk back from it."""
    mode = "training" if training else "in use"
    with plugrad.backend(k.name):
        plugrad.manual_seed(1)
        module.train(training)
        module.zero_grad()
        inputs = inputs_of(cell, k)
        outputs = module(*inputs)
        gradients_of(cell, k, outputs)
    found = {f"output {i}": y for i, y in enumerate(tensors_in([outputs]))}
    for i, x in enumerate(inputs):
        if x.requires_grad:
            found[f"gradient of input {i}"] = x.grad
    for name, p in module.named_parameters():
        found[f"gradient of {name}"] = dense(p.grad)
    found |= dict(module.named_buffers())
    return {f"{mode}: {name}": value for name, value in found.items()}


def test_state(cell: Cell) -> None:
    """The state goes to the backend and back as it was, and so does the layer."""
    ours, theirs = both(cell)
    k, reference = cell.subject.k, cell.subject.reference
    state, there = theirs.state_dict(), ours.state_dict()
    assert list(there) == list(state)
    assert {t.backend for t in there.values()} <= {k.name}
    again = build(cell, reference, LAYERS[cell.case].make)
    again.load_state_dict(there)
    check_same(reverse(cell), dict(again.state_dict()), dict(state), loosely=0)
    moved = theirs.to(backend=k.name)
    assert {t.backend for t in moved.state_dict().values()} <= {k.name}
    check_same(cell, dict(moved.state_dict()), dict(there), loosely=0)


def reverse(cell: Cell) -> Cell:
    """The cell on its reference."""
    subject = replace(cell.subject, k=cell.subject.reference)
    return replace(cell, subject=subject)
