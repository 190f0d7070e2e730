"""SciPy's kernels compute what the NumPy backend's own do, gradients included."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the plugin `scipy` needs SciPy")

import plugrad
from plugrad.testing import Make, assert_close, samples_of
from tests.ops.numeric import run_op

OPS = plugrad.get_backend("numpy").ops
WITH = "numpy", "scipy"
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture
def kernels():
    with plugrad.use_kernels(*WITH) as kernels:
        yield kernels


def names():
    with plugrad.use_kernels(*WITH) as kernels:
        return sorted(kernels.entries)


def results(op, make):
    """What the op and its rules give on all samples."""
    found = []
    for sample in samples_of(op, make):
        try:
            y = op.function(*sample.args, **sample.kwargs)
        except RuntimeError as error:
            found.append(type(error))
            continue
        tensors = [t for t in sample.args if isinstance(t, plugrad.Tensor)]
        wanted = [t for t in tensors if t.requires_grad]
        grads = ()
        if wanted and y.requires_grad:
            g = plugrad.ones_like(y)
            grads = plugrad.autograd.grad(y, wanted, g, allow_unused=True)
        found.append((sample.kind, y.detach(), *grads))
    return found


def loosened(dtype):
    """Twice the tolerance: neither side is exact."""
    rtol, atol = plugrad.testing.TOLERANCES.get(dtype.name, (0.0, 0.0))
    return {"rtol": 2 * rtol, "atol": 2 * atol}


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int64", "bool", "complex128"]
)
@pytest.mark.parametrize("name", names())
def test_values_and_gradients_are_those_of_the_backend(name, dtype):
    make = Make(getattr(plugrad, dtype), requires_grad=dtype[0] in "fc")
    own = results(OPS[name], make)
    with plugrad.use_kernels(*WITH):
        served = results(OPS[name], make)
    assert len(own) == len(served) > 3
    for a, b in zip(own, served):
        if isinstance(a, type):
            assert a is b
            continue
        assert a[0] == b[0]
        for x, y in zip(a[1:], b[1:]):
            if x is not None or y is not None:
                assert_close(y, x, equal_nan=True, **loosened(x.dtype))


@pytest.mark.parametrize("name", names())
def test_the_kernel_is_scipys(name, kernels):
    """A few elements are served by SciPy in both dtypes; other dtypes never are."""
    entry = kernels.entries[name]
    op = OPS[name]
    for dtype, served in {"f": True, "d": True, "e": False, "D": False}.items():
        args = [np.full(3, 0.5, dtype)] * len(op.tensors)
        assert entry.takes(args) == served
    args = [np.full(3, 0.5)] * len(op.tensors)
    expected = op.call_body(plugrad.get_backend("numpy"), args, {})
    np.testing.assert_allclose(entry.forward(*args), expected, rtol=1e-9)


@pytest.mark.parametrize("name", names())
def test_gradients(name, kernels):
    failures, count = run_op(name, plugrad.float64, plugrad.autograd.gradgradcheck)
    assert not failures and count >= 10


def test_a_program_that_knows_nothing_of_it():
    program = (
        "import plugrad; x = plugrad.linspace(-3, 3, 7, requires_grad=True);"
        "y = plugrad.special.log_ndtr(x); y.sum().backward();"
        "print(y.tolist(), x.grad.tolist(), plugrad.get_backend('numpy').overrides)"
    )
    outputs = []
    for chosen in ("", "numpy:scipy"):
        env = {**os.environ, "PLUGRAD_KERNELS": chosen}
        run = [sys.executable, "-c", program]
        done = subprocess.run(run, capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert "'scipy'" in outputs[1] and "'scipy'" not in outputs[0]
