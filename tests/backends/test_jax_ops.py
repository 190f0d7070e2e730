"""Every op on JAX: the same results and gradients as on NumPy.

JAX compiles each operation for each shape, some 30 ms a time: here every op runs on its
first samples in two dtypes; with PLUGRAD_JAX_WHOLE=1 on all samples in five, which
takes some 40 minutes.
Differences that must be stand in jax_differences.txt, each line with its reason.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import plugrad
from plugrad.interface import OPS
from tests.backends.pairs import DTYPES, run_cell
from tests.expected import Expected, report

pytest.importorskip("jax", reason="the JAX backend needs jax")

EXPECTED = Expected(Path(__file__).with_name("jax_differences.txt"))
WHOLE = bool(os.environ.get("PLUGRAD_JAX_WHOLE"))
FEW = (plugrad.float64, plugrad.complex128, plugrad.int64, plugrad.bool)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OPS)
def test_op(name):
    differences, calls, wanted = [], 0, 0
    for dtype in DTYPES if WHOLE else FEW:
        if calls and not WHOLE and dtype not in FEW[:2]:
            break  # integers and bools of ops that take nothing else
        found = run_cell("jax", name, dtype, most=None if WHOLE else 3)
        differences += found[0]
        calls, wanted = calls + found[1], wanted + found[2]
    wrong = EXPECTED.unexpected(name, differences)
    if not WHOLE:  # not every sample that a line speaks of has run
        wrong = [each for each in wrong if "no longer needed" not in each]
    assert not wrong, f"{len(wrong)} differences\n{report(wrong)}"
    assert calls or not wanted, "no call succeeded"


def test_every_expected_difference_names_an_op():
    assert set(EXPECTED.ops()) <= set(OPS)
