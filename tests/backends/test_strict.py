"""Every op on array-api-strict: the same results and gradients as on NumPy.

So the default bodies and the rules use only the array API standard. The tests are those
of the conformance suite, which `make conformance` runs whole; what cannot be stands in
its list of expected failures.
"""

from __future__ import annotations

import pytest

from plugrad.conformance.cells import MAIN
from plugrad.interface import OPS
from tests.backends.strict import run_op, strict_backend, strict_subject
from tests.expected import report


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPS)
def test_op(name):
    failures, count = run_op(name, strict_subject())
    assert not failures, f"{len(failures)} tests fail\n{report(failures)}"
    assert count >= len(MAIN) - 1  # matmul has no booleans


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["fmod", "log_softmax", "softmax"])
def test_small_integers(name):
    """int8's lowest number has no absolute value; int16 has as many bits as float16."""
    failures, count = run_op(name, strict_subject(), ["int8", "int16", "uint8"])
    assert not failures and count == 3, report(failures)


def test_the_backends_have_no_kernel_of_their_own():
    assert strict_backend().kernels is None
    assert strict_subject().k.kernels is None
