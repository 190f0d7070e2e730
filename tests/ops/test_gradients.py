"""Every rule of every op against numeric gradients, to second order.

On all samples of float64, and of complex128 where the op takes it. That gradients are
right only where the samples lead is why each op has at least ten.
"""

from __future__ import annotations

import pytest

import plugrad
from plugrad.autograd import GradcheckError, gradcheck, gradgradcheck
from plugrad.interface import OPS
from plugrad.testing import Make, samples_of
from tests.expected import report
from tests.ops.numeric import DIFFERENTIABLE, run_op


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("check", [gradcheck, gradgradcheck], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name, check):
    failures, real = run_op(name, plugrad.float64, check)
    more, count = run_op(name, plugrad.complex128, check)
    failures += more
    assert not failures, f"{len(failures)} failures\n{report(failures)}"
    # some, such as the imaginary part, have gradients in the complex plane only
    assert max(real, count) >= 10, f"only {real} real and {count} complex samples"


def test_a_wrong_rule_is_seen():
    op = OPS["tanh"]
    rule = op.rules["x"]
    saved = dict(op.plans)
    op.plans.clear()
    op.rules["x"] = lambda k, g, y: g - g * y
    try:
        samples = [s for s in samples_of(op, Make(plugrad.float64)) if s.kind == "1-d"]
        with pytest.raises(GradcheckError, match="Jacobian mismatch"):
            gradcheck(op.apply, samples[0].args)
    finally:
        op.rules["x"] = rule
        op.plans.clear()
        op.plans.update(saved)
