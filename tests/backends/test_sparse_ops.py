"""Every op on sparse tensors: it is right, or says that it is not there."""

from __future__ import annotations

import pytest

import plugrad
import plugrad.nn
from plugrad.conformance.calls import Raised
from tests.backends.sparse_cases import PAGE, outcomes, refused, row, same

pytest.importorskip("scipy.sparse", reason="products of sparse tensors need SciPy")


@pytest.mark.parametrize("name", sorted(plugrad.Backend.ops))
def test_it_is_right_or_refused(name):
    found = outcomes(name)
    wrong = [f"{layout} {text}" for layout, what, text in found if what == "wrong"]
    assert not wrong, "\n".join([f"{len(wrong)} differ", *wrong[:5]])


@pytest.mark.parametrize("name", sorted(plugrad.Backend.ops))
def test_the_page_says_so(name):
    """docs/conformance/sparse.md is of the ops that there are; make conformance."""
    line, page = row(name), PAGE.read_text(encoding="utf-8")
    assert f"{line}\n" in page if line else f"| {name} |" not in page


def test_it_can_fail():
    """A wrong result is seen, and so is an error that is no refusal."""
    right, wrong = plugrad.eye(2).to_sparse(), plugrad.ones(2, 2).to_sparse()
    assert same(right, plugrad.eye(2)) and not same(wrong, plugrad.eye(2))
    assert not refused(Raised(AttributeError("no pattern")))
