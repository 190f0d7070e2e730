"""core/tensor.pyi says what Tensor has: it is written from the source, and fresh."""

from __future__ import annotations

import ast

import plugrad
from tools import make_stubs


def methods(text: str) -> set[str]:
    """The names that the stub's class Tensor defines."""
    classes = [n for n in ast.parse(text).body if isinstance(n, ast.ClassDef)]
    [tensor] = [each for each in classes if each.name == "Tensor"]
    return {n.name for n in tensor.body if isinstance(n, ast.FunctionDef)}


def test_the_stub_is_fresh():
    found = make_stubs.STUB.read_text(encoding="utf-8")
    assert found == make_stubs.text(), "run `make stubs`"


def test_writing_it_twice_gives_the_same():
    assert make_stubs.text() == make_stubs.text()


def test_every_method_is_in_it():
    found = methods(make_stubs.text())
    own = {name for name, value in vars(plugrad.Tensor).items() if callable(value)}
    assert own - found == set()
    assert {"add_", "relu", "__add__", "__matmul__", "shape", "float"} - found == {
        "shape"  # of a base class, which checkers read in its source
    }


def test_a_new_method_makes_it_stale(monkeypatch):
    def brandnew(self: plugrad.Tensor, n: int = 2) -> int:
        return n

    brandnew.__module__ = "plugrad.convert"
    monkeypatch.setattr(plugrad.Tensor, "brandnew", brandnew, raising=False)
    assert "def brandnew(self, n: _int = 2) -> _int: ..." in make_stubs.text()
