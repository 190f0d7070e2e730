"""Declarations are understood however their annotations are written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import plugrad
from plugrad.params import read_params
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
