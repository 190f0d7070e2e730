"""What is called like an op in the modules of NumPy's kernels is a kernel: of these
modules, or NumPy's own."""

from __future__ import annotations

import numpy as np

import plugrad
import plugrad.nn.functional
from plugrad.backends.numpy import kernels
from plugrad.interface import OPS


def strangers(space):
    """Names of ops whose values come from elsewhere."""
    plugrad.get_backend("numpy")
    named = {name: value for name, value in space.items() if name.rstrip("_") in OPS}
    return [
        name
        for name, value in named.items()
        if not isinstance(value, np.ufunc)
        and not (getattr(value, "__module__", None) or "numpy").startswith(
            ("plugrad.", "numpy")
        )
    ]


def test_no_kernel_is_there_by_its_name_alone():
    assert strangers(vars(kernels)) == []


def test_a_function_from_elsewhere_is_found():
    from math import isfinite

    assert strangers({"isfinite": isfinite, "where": np.where}) == ["isfinite"]
