"""Every op on array-api-strict: the same results and gradients as on NumPy.

So the default bodies and the rules use only the array API standard. Differences that
must be stand in strict_differences.txt, each line with its reason.
"""

from __future__ import annotations

import pytest

import plugrad
from plugrad.interface import OPS
from tests.backends.compared import EXPECTED, run_op
from tests.backends.strict import strict_backend
from tests.expected import report


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OPS)
def test_op(name):
    differences, count = run_op(name)
    wrong = EXPECTED.unexpected(name, differences)
    assert not wrong, f"{len(wrong)} differences\n{report(wrong)}"
    assert count >= 10 or name in EXPECTED.lines, f"only {count} calls succeeded"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["fmod", "log_softmax", "softmax"])
def test_small_integers(name):
    """int8's lowest number has no absolute value; int16 has as many bits as float16."""
    differences, count = run_op(name, [plugrad.int8, plugrad.int16, plugrad.uint8])
    assert not differences, report([str(each) for each in differences])
    assert count or name != "fmod"


def test_every_expected_difference_names_an_op():
    assert set(EXPECTED.ops()) <= set(OPS)


def test_the_backend_has_no_kernel_of_its_own():
    assert strict_backend().kernels is None
