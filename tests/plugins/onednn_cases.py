"""What the tests of oneDNN's kernels share."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import plugrad

WITH = "numpy", "onednn"
try:
    with plugrad.use_kernels(*WITH) as found:
        NAMES = sorted(found.entries)
except plugrad.BackendError as error:
    pytest.skip(f"oneDNN is not installed: {error}", allow_module_level=True)

from plugrad.plugins import onednn  # noqa: E402
from plugrad.plugins.onednn import programs  # noqa: E402

OPS = plugrad.get_backend("numpy").ops
MODULES = [each for each in vars(onednn).values() if isinstance(each, ModuleType)]
CLOSE = {"rtol": 1e-4, "atol": 2e-5}  # of numbers about 1; sums in another order


@pytest.fixture
def eager(monkeypatch):
    """Calls are taken however small they are."""
    programs.forget()
    for module in MODULES:
        for name in filter(lambda name: name.startswith("SMALL"), vars(module)):
            monkeypatch.setattr(module, name, 1)
    yield
    programs.forget()


def gradients(function, tensors):
    """What a function gives, and its gradients."""
    y = function(*tensors)
    ys = [y] if isinstance(y, plugrad.Tensor) else list(y)
    wanted = [t for t in tensors if isinstance(t, plugrad.Tensor) and t.requires_grad]
    grads = ()
    if wanted and ys[0].requires_grad:
        shape = tuple(ys[0].shape)
        g = np.cos(np.arange(ys[0].numel())).reshape(shape).astype(np.float32)
        g = plugrad.tensor(g).to(ys[0].dtype)
        grads = plugrad.autograd.grad(ys[0], wanted, g, allow_unused=True)
    return [each.detach() for each in ys] + [g for g in grads if g is not None]


def same(function, *tensors, **tolerance):
    """Whether a function gives the same with the kernels and without."""
    own = gradients(function, tensors)
    with plugrad.use_kernels(*WITH):
        served = gradients(function, tensors)
    assert len(own) == len(served)
    for a, b in zip(own, served):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(b.numpy(), a.numpy(), **(tolerance or CLOSE))


def random(*shape, seed=0):
    values = np.random.default_rng((seed, *shape)).standard_normal(shape)
    return plugrad.tensor(values.astype(np.float32), requires_grad=True)


def count_runs(monkeypatch):
    """How often the library computed, as a list that grows."""
    runs = []
    run = programs.Program.run

    def counted(self, addresses):
        runs.append(addresses)
        return run(self, addresses)

    monkeypatch.setattr(programs.Program, "run", counted)
    return runs
