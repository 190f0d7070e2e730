"""Every op that torch has too, on the samples of every dtype.

The same values in the same layout go to both. Compared are the values, dtypes, shapes,
the type of the exception where torch raises one, and the gradients, for the function;
then the method, the in-place form `name_`, and `out=`. What differs on purpose stands
in differences.txt, each line with its reason.
"""

from __future__ import annotations

import warnings

import pytest
import torch

import plugrad
from tests.against_torch.forms import COMPARED, EXPECTED, Raised, compare, run_op
from tests.expected import report


@pytest.mark.parametrize("name", COMPARED)
def test_op(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of resized outputs and more
        differences, count = run_op(name)
    wrong = EXPECTED.unexpected(name, differences)
    assert not wrong, f"{len(wrong)} differences\n{report(wrong)}"
    assert count >= 10, f"only {count} comparisons were made"


def test_every_expected_difference_names_an_op():
    assert set(EXPECTED.ops()) <= set(COMPARED)


def test_the_comparison_can_fail():
    """Wrong values, dtypes, shapes, exceptions and gradients are all seen."""
    x, t = plugrad.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0])
    assert compare(x, t) is None
    for other in (t + 1e-4, t.double(), t[None], t.requires_grad_(), (t, t), 1.0):
        assert compare(x, other)
    assert compare(x, Raised(TypeError()))
    assert compare(Raised(TypeError()), x)
    assert compare(Raised(TypeError()), Raised(RuntimeError()))
    assert compare(Raised(NotImplementedError()), Raised(RuntimeError())) is None
