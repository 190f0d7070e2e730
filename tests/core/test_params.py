"""Declarations are understood however their annotations are written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import plugrad
from plugrad.interface import OPS
from plugrad.params import read_params
from plugrad.stubs import TAKEN
from plugrad.tensor import Tensor

ANNOTATIONS = [
    ("Tensor", "tensor"),
    ("plugrad.Tensor", "tensor"),
    ("'plugrad.Tensor'", "tensor"),
    (Tensor, "tensor"),
    ("Tensor | None", "tensor"),
    (Tensor | None, "tensor"),
    (plugrad.Tensor | int, "tensor"),
    ("Sequence[Tensor]", "many"),
    ("typing.Sequence[plugrad.Tensor | None]", "many"),
    (Sequence[Tensor], "many"),
    ("int", "value"),
    (float, "value"),
    ("tuple[Tensor, ...]", "value"),
]


@pytest.mark.parametrize("hint, kind", ANNOTATIONS, ids=str)
def test_kinds_of_parameters(hint: object, kind: str) -> None:
    def body(k: object, x: object) -> None: ...

    body.__annotations__["x"] = hint
    assert [p.kind for p in read_params(body)] == [kind]


@pytest.mark.parametrize("hint", ["Tensor | Number", "plugrad.Tensor | Number"])
def test_numbers_for_tensors(hint: str) -> None:
    def body(k: object, x: object) -> None: ...

    body.__annotations__["x"] = hint
    assert read_params(body)[0].scalar


@pytest.mark.parametrize("name", sorted(TAKEN - {"self"}))
def test_parameters_may_have_the_names_of_a_written_function(name):
    """`n` is the node there, `y` the result; a rule means the argument."""
    scope = {}
    source = f"def taken_{name}(k, a: 'Tensor', {name}: int = 2): return a * {name}"
    exec(source, scope)
    double = plugrad.op(method=False)(scope[f"taken_{name}"])
    try:
        double.grad(a=eval(f"lambda k, g, {name}: g * {name}"))
        x = plugrad.tensor([1.0, 5.0], requires_grad=True)
        double(x, 3).sum().backward()
        assert x.grad.tolist() == [3.0, 3.0]
        assert double(x, **{name: 4}).tolist() == [4.0, 20.0]
    finally:
        del OPS[f"taken_{name}"]
