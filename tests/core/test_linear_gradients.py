"""A gradient is linear in the one that arrives: its derivative is the same where that
one is 0, as `jvp` and `hessian` have it, as where it is not."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
import plugrad.nn.functional
from plugrad.interface import OPS
from plugrad.testing import Make, samples_of

NAMES = sorted(name for name, op in OPS.items() if op.rules or op.joint_rule)
MOST = 6  # samples of an op
COMPLEX = {"angle", "imag", "sgn", "view_as_real"}  # of other numbers it is 0, or none
FLAT = {"ceil", "div_floor", "div_trunc", "floor", "round", "sign", "trunc"}


def tensors_in(value):
    """The floating tensors with a graph in a result, in order."""
    if isinstance(value, plugrad.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, (tuple, list)):
        return [t for each in value for t in tensors_in(each)]
    return []


def ramp(t, seed):
    rng = np.random.default_rng(seed)
    return plugrad.tensor(rng.standard_normal(tuple(t.shape)), dtype=t.dtype)


def derivatives(op, sample, scale):
    """The derivatives of the gradients by those that arrive, which are `scale` times
    some numbers; None where the sample has no gradient."""
    wanted = tensors_in([*sample.args, *sample.kwargs.values()])
    results = tensors_in(op.function(*sample.args, **sample.kwargs))
    if not wanted or not results:
        return None
    arriving = [ramp(y, i).mul_(scale).requires_grad_() for i, y in enumerate(results)]
    options = {"create_graph": True, "allow_unused": True}
    found = plugrad.autograd.grad(results, wanted, arriving, **options)
    found = [g for g in found if g is not None and g.requires_grad]
    if not found:
        return []
    seeds = [ramp(g, 100 + i) for i, g in enumerate(found)]
    return plugrad.autograd.grad(found, arriving, seeds, allow_unused=True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_linear(name):
    op, compared = OPS[name], 0
    dtype = plugrad.complex128 if name in COMPLEX else plugrad.float64
    for sample in list(samples_of(op, Make(dtype, requires_grad=True)))[:MOST]:
        try:
            at_zero = derivatives(op, sample, 0.0)
        except (RuntimeError, IndexError):
            continue  # no second derivatives, or a call that is an error
        for a, b in zip(at_zero or (), derivatives(op, sample, 1.0) or (), strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                a, b = a.detach(), b.detach()
                plugrad.testing.assert_close(a, b, equal_nan=True)
                compared += 1
    assert compared or name in FLAT, "nothing was compared"


@pytest.mark.parametrize("count", [4, 5000])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_arrives_at_a_rectifier_that_is_off_ends_there(dtype, count):
    x = plugrad.ones(count, dtype=getattr(plugrad, dtype))
    x[::2] = -1
    x.requires_grad_()
    y = plugrad.relu(x)
    for arriving in (np.inf, -np.inf, np.nan):
        (g,) = plugrad.autograd.grad(y, x, plugrad.full_like(y, arriving), True)
        assert (g[::2] == 0).all()
        np.testing.assert_equal(g[1::2].tolist(), [arriving] * (count // 2))
