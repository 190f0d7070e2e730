"""Every op on array-api-strict: the same results and gradients as on NumPy.

So the default bodies and the rules use only the array API standard. Differences that
must be stand in strict_differences.txt, each line with its reason.
"""

from __future__ import annotations

import pytest

from plugrad.backend import OPS
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


def test_every_expected_difference_names_an_op():
    assert set(EXPECTED.ops()) <= set(OPS)


def test_the_backend_has_no_kernel_of_its_own():
    assert strict_backend().kernels is None
