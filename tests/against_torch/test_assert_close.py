"""`plugrad.testing.assert_close` accepts and refuses what torch's does."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import plugrad
from plugrad.testing import TOLERANCES, assert_close

LIBRARIES = [(plugrad, assert_close), (torch, torch.testing.assert_close)]


def test_signature():
    def settings(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert settings(assert_close) == settings(torch.testing.assert_close)


def test_tolerances():
    from torch.testing._comparison import _DTYPE_PRECISIONS

    theirs = {
        str(dtype).removeprefix("torch."): pair
        for dtype, pair in _DTYPE_PRECISIONS.items()
    }
    for name in list(theirs):
        if "qu" in name or "qi" in name or name == "complex32":
            del theirs[name]  # not dtypes here
    assert theirs == TOLERANCES


def outcomes(make, **settings):
    """What each library raises, and its message; None where it accepts."""
    found = []
    for library, check in LIBRARIES:
        a, b = make(library)
        try:
            found.append(check(a, b, **settings))
        except Exception as error:
            found.append((type(error), str(error)))
    return found


def first_line(outcome):
    if outcome is None:
        return None
    kind, text = outcome
    return kind, re.sub(r"plugrad|torch", "", text.partition("\n")[0])


nan, inf = float("nan"), float("inf")
t = [1.0, 2.0, 3.0]
PAIRS = {
    "equal": lambda x: (x.tensor(t), x.tensor(t)),
    "near": lambda x: (x.tensor([1.0]), x.tensor([1.0 + 1e-6])),
    "not near": lambda x: (x.tensor(t), x.tensor([1.0, 2.1, 3.0])),
    "0-d": lambda x: (x.tensor(1.0), x.tensor(1.5)),
    "shapes": lambda x: (x.tensor(t), x.tensor([t])),
    "dtypes": lambda x: (x.tensor(t), x.tensor(t, dtype=x.float64)),
    "integers": lambda x: (x.tensor([1, 2]), x.tensor([1, 3])),
    "booleans": lambda x: (x.tensor([True]), x.tensor([False])),
    "complex": lambda x: (x.tensor([1 + 1j]), x.tensor([1 + 1.1j])),
    "nan": lambda x: (x.tensor([nan]), x.tensor([nan])),
    "inf": lambda x: (x.tensor([inf, -inf]), x.tensor([inf, -inf])),
    "inf of other sign": lambda x: (x.tensor([inf]), x.tensor([-inf])),
    "inf and a number": lambda x: (x.tensor([1.0]), x.tensor([inf])),
    "empty": lambda x: (x.tensor([]), x.tensor([])),
    "zero": lambda x: (x.tensor([1e-3]), x.tensor([0.0])),
    "numbers": lambda x: (1.0, 1.0 + 1e-9),
    "other numbers": lambda x: (1.0, 1.1),
    "number types": lambda x: (1, 1.0),
    "int numbers": lambda x: (1, 2),
    "bools": lambda x: (True, False),
    "None": lambda x: (None, None),
    "None and a tensor": lambda x: (None, x.tensor(1.0)),
    "a tensor and a number": lambda x: (x.tensor(1.0), 1.0),
    "lists": lambda x: ([x.tensor(t), 1.0], [x.tensor(t), 1.0]),
    "unequal lists": lambda x: ([x.tensor(t), 1.0], [x.tensor(t), 1.5]),
    "lengths": lambda x: ([1.0], [1.0, 2.0]),
    "a list and a tuple": lambda x: ([1.0], (1.0,)),
    "mappings": lambda x: ({"a": x.tensor(t)}, {"a": x.tensor([1.0, 2.0, 3.5])}),
    "keys": lambda x: ({"a": 1.0}, {"b": 1.0}),
    "nested": lambda x: ({"a": [1.0, {"b": 2.0}]}, {"a": [1.0, {"b": 2.5}]}),
    "strings": lambda x: ("a", "a"),
    "arrays": lambda x: (np.array(t), np.array(t)),
    "arrays that differ": lambda x: (np.array(t), np.array([1.0, 2.0, 4.0])),
}
SETTINGS = {
    "defaults": {},
    "wide": {"rtol": 0.5, "atol": 0.5},
    "exact": {"rtol": 0, "atol": 0},
    "equal_nan": {"equal_nan": True},
    "any dtype": {"check_dtype": False},
    "one tolerance": {"rtol": 0.1},
    "message": {"msg": "a message"},
    "function for the message": {"msg": lambda text: f"before\n{text}"},
    "strides": {"check_stride": True},
}


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("pair", PAIRS)
def test_verdicts(pair, settings):
    ours, theirs = outcomes(PAIRS[pair], **SETTINGS[settings])
    assert (ours is None) == (theirs is None), (ours, theirs)
    if ours is not None:
        assert ours[0] is theirs[0], (ours, theirs)


SAME_TEXT = ["not near", "0-d", "integers", "dtypes", "lengths", "other numbers"]


@pytest.mark.parametrize("pair", SAME_TEXT)
def test_the_first_line_says_what_torch_says(pair):
    ours, theirs = outcomes(PAIRS[pair])
    assert first_line(ours) == first_line(theirs)


def test_the_worst_elements_are_shown():
    ours, theirs = outcomes(
        lambda x: (
            x.tensor([[1.0, 2.0], [3.0, 4.0]]),
            x.tensor([[1.0, 2.5], [3.0, 8.0]]),
        )
    )
    for line in ("Mismatched elements: 2 / 4 (50.0%)", "4.0 at index (1, 1)"):
        assert line in theirs[1]
        assert line.replace("4.0", "4") in ours[1].replace("4.0", "4")


@given(
    st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=4),
    st.lists(st.sampled_from([0, 3e-7, 3e-6, 3e-5, 3e-4, 0.1]), min_size=4, max_size=4),
    st.sampled_from(["float32", "float64", "float16", "bfloat16"]),
)
def test_random_differences(values, changes, dtype):
    other = [v + c for v, c in zip(values, changes)]

    def pair(library):
        kind = getattr(library, dtype)
        return library.tensor(values, dtype=kind), library.tensor(other, dtype=kind)

    ours, theirs = outcomes(pair)
    assert (ours is None) == (theirs is None), (ours, theirs)
