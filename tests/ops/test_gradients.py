"""Every rule of every op against numeric gradients, to second order.

On all samples of float64, and of complex128 where the op takes it. That gradients are
right only where the samples lead is why each op has at least ten.
"""

from __future__ import annotations

import pytest

import plugrad
from plugrad.autograd import GradcheckError, gradcheck, gradgradcheck
from plugrad.backend import OPS
from plugrad.declare import Sample
from plugrad.samples import tensors_in
from plugrad.testing import Make, samples_of
from tests.expected import report

# These read one triangle; the other one has to be changed with it.
SYMMETRIC = ("cholesky", "eigh")
DIFFERENTIABLE = [name for name, op in OPS.items() if op.has_gradient]


def replaced(value, changed):
    """`value` with other tensors in it: `changed` says which, by id."""
    if isinstance(value, plugrad.Tensor):
        return changed.get(id(value), value)
    if isinstance(value, dict):
        return {key: replaced(each, changed) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(each, changed) for each in value)
    return value


def as_function(op, sample: Sample):
    """A sample call as a function of the tensors that want a gradient, and those."""
    wanted = [t for t in tensors_in(sample) if t.requires_grad]
    wanted = list({id(t): t for t in wanted}.values())

    def function(*inputs):
        changed = {id(t): x for t, x in zip(wanted, inputs, strict=True)}
        if op.name in SYMMETRIC:
            changed = {key: (x + x.mT.conj()) / 2 for key, x in changed.items()}
        args, kwargs = replaced(sample.args, changed), replaced(sample.kwargs, changed)
        return op.function(*args, **kwargs)

    return function, wanted


def takes(op, sample) -> bool:
    """Whether the op takes the sample at all, and gives results in double precision."""
    try:
        found = op.function(*sample.args, **sample.kwargs)
    except (TypeError, RuntimeError, ValueError, IndexError):
        return False  # that it should, or not, is compared with torch
    found = [y for y in tensors_in([found]) if y.requires_grad]
    return all(y.dtype in (plugrad.float64, plugrad.complex128) for y in found)


def run_op(name, dtype, check):
    """(failures, number of samples checked)."""
    op, failures, count = OPS[name], [], 0
    for sample in samples_of(op, Make(dtype)):
        if not sample.smooth or not takes(op, sample):
            continue
        function, wanted = as_function(op, sample)
        if not wanted:
            continue
        try:
            check(function, wanted, check_grad_dtypes=True)
            count += 1
        except Exception as error:
            failures.append(
                f"{name}[{dtype.name}, {sample.kind}] {sample}: "
                f"{type(error).__name__}: {error}"
            )
    return failures, count


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
