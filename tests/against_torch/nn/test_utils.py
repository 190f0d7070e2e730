"""Gradient clipping, vectors of parameters, norms of weights, fusion and calls with
other parameters, beside torch's."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch

import plugrad

LIBRARIES = (plugrad, torch)


def numbers(*shape: int, seed: int = 0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def same(ours, theirs, rtol=1e-5, atol=1e-6):
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def parameters(library, scale=1.0, dtypes=("float32", "float32", "float32")):
    """Three parameters with gradients, and one without."""
    found = []
    for i, (shape, dtype) in enumerate(zip([(2, 3), (4,), ()], dtypes, strict=True)):
        p = library.nn.Parameter(library.zeros(shape, dtype=getattr(library, dtype)))
        p.grad = library.tensor(numbers(*shape, seed=i) * scale).to(p.dtype)
        found.append(p)
    return [*found, library.nn.Parameter(library.zeros(2))]


# --- Clipping -------------------------------------------------------------------------


@pytest.mark.parametrize("foreach", [None, False])
@pytest.mark.parametrize("norm", [0.5, 1, 2, 2.0, 3.0, float("inf"), "inf"])
@pytest.mark.parametrize("limit", [0.1, 2, 1e6])
def test_clip_grad_norm(limit, norm, foreach):
    found = []
    for library in LIBRARIES:
        ps = parameters(library)
        total = library.nn.utils.clip_grad_norm_(ps, limit, norm, foreach=foreach)
        found.append([total, *(p.grad for p in ps[:3])])
        assert ps[3].grad is None
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


@pytest.mark.parametrize("norm", [1.0, 2.0, float("inf")])
def test_the_parts_of_clip_grad_norm(norm):
    for limit in (0.1, 100.0):
        found = []
        for library in LIBRARIES:
            ps = parameters(library)
            utils = library.nn.utils
            total = utils.get_total_norm([p.grad for p in ps[:3]], norm)
            utils.clip_grads_with_norm_(ps, limit, total)
            found.append([total, *(p.grad for p in ps[:3])])
        for ours, theirs in zip(*found, strict=True):
            same(ours, theirs)


def test_clip_grad_norm_takes_one_parameter_none_and_generators():
    for library in LIBRARIES:
        clip = library.nn.utils.clip_grad_norm_
        p = parameters(library)[0]
        before = float(p.grad.norm())
        assert float(clip(p, 0.5)) == pytest.approx(before)
        assert float(p.grad.norm()) == pytest.approx(0.5, rel=1e-5)
        assert float(clip([], 1.0)) == 0.0
        assert float(clip((each for each in [p]), 1.0)) == pytest.approx(0.5, rel=1e-5)
        with pytest.warns(UserWarning, match="empty generator"):
            clip((each for each in []), 1.0)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_norms_that_are_not_finite(value):
    for library in LIBRARIES:
        ps = parameters(library)
        ps[0].grad[0, 0] = value
        clip = library.nn.utils.clip_grad_norm_
        with pytest.raises(RuntimeError, match="non-finite"):
            clip(ps, 1.0, error_if_nonfinite=True)
        assert not np.isfinite(float(clip(ps, 1.0)))
        assert not np.isfinite(ps[1].grad.numpy()).any() or value == float("inf")


def test_clip_grad_norm_of_mixed_dtypes():
    found = []
    for library in LIBRARIES:
        ps = parameters(library, dtypes=("float64", "float64", "float64"))
        total = library.nn.utils.clip_grad_norm_(ps, 0.5)
        found.append([total, *(p.grad for p in ps[:3])])
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_the_old_name_warns():
    for library in LIBRARIES:
        with pytest.warns(FutureWarning, match="clip_grad_norm_"):
            library.nn.utils.clip_grad_norm(parameters(library), 1.0)


@pytest.mark.parametrize("limit", [0.3, 1, 100.0])
def test_clip_grad_value(limit):
    found = []
    for library in LIBRARIES:
        ps = parameters(library)
        assert library.nn.utils.clip_grad_value_(ps, limit) is None
        library.nn.utils.clip_grad_value_(ps[0], limit / 2)
        found.append([p.grad for p in ps[:3]])
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs, rtol=1e-6)


# --- Vectors --------------------------------------------------------------------------


def test_parameters_as_a_vector():
    found = []
    for library in LIBRARIES:
        utils, layer = library.nn.utils, library.nn.Linear(3, 2)
        vector = library.tensor(numbers(8))
        utils.vector_to_parameters(vector, layer.parameters())
        again = utils.parameters_to_vector(layer.parameters())
        again.sum().backward()
        found.append([again, layer.weight, layer.bias.grad])
        with pytest.raises(TypeError):
            utils.vector_to_parameters(numbers(8), layer.parameters())
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_skip_init():
    for library in LIBRARIES:
        library.manual_seed(0)
        expected = library.rand(2).numpy()
        library.manual_seed(0)
        layer = library.nn.utils.skip_init(library.nn.Linear, 3, 2, bias=False)
        assert layer.weight.shape == (2, 3) and layer.bias is None
        assert (library.rand(2).numpy() == expected).all()
        for wrong in (dict, library.nn.ReLU):
            with pytest.raises(RuntimeError):
                library.nn.utils.skip_init(wrong)


# --- Norms of weights -----------------------------------------------------------------


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def pair(make):
    """The same module in both libraries, in the same state."""
    ours, theirs = (quietly(make, library) for library in LIBRARIES)
    state = {k: v.detach().numpy() for k, v in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict(state)
    return ours, theirs


def step(module, library, x):
    """The output and gradients of one call."""
    module.zero_grad()
    y = module(library.tensor(x))
    (y * y).sum().backward()
    return [y, *(p.grad for _, p in sorted(module.named_parameters()))]


@pytest.mark.parametrize("kind", ["Linear", "Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(kind, dim):
    args, x = ((3, 4), (5, 3)) if kind == "Linear" else ((3, 4, 2), (2, 3, 5, 5))

    def make(library):
        layer = getattr(library.nn, kind)(*args)
        return library.nn.utils.weight_norm(layer, dim=dim)

    ours, theirs = pair(make)
    for _ in range(2):
        results = (
            step(m, lib, numbers(*x)) for m, lib in zip((ours, theirs), LIBRARIES)
        )
        for a, b in zip(*results, strict=True):
            same(a, b, 1e-4, 1e-4)
        for module in (ours, theirs):
            for p in module.parameters():
                p.data = p.data - 0.01 * p.grad
    with plugrad.no_grad():  # what was computed with a graph cannot be copied
        ours(plugrad.tensor(numbers(*x)))
    twin = copy.deepcopy(ours)
    for module, library in ((ours, plugrad), (theirs, torch), (twin, plugrad)):
        library.nn.utils.remove_weight_norm(module)
        assert sorted(module.state_dict()) == ["bias", "weight"]
    same(ours.weight, theirs.weight, 1e-4)
    same(twin.weight, theirs.weight, 1e-4)


@pytest.mark.parametrize("kind", ["Linear", "Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("dim", [None, 1])
def test_spectral_norm(kind, steps, dim):
    args, x = ((3, 4), (5, 3)) if kind == "Linear" else ((3, 4, 2), (2, 3, 5, 5))

    def make(library):
        layer = getattr(library.nn, kind)(*args)
        return library.nn.utils.spectral_norm(layer, "weight", steps, 1e-10, dim)

    ours, theirs = pair(make)
    for training in (False, True, True, False):
        ours.train(training), theirs.train(training)
        results = (
            step(m, lib, numbers(*x)) for m, lib in zip((ours, theirs), LIBRARIES)
        )
        for a, b in zip(*results, strict=True):
            same(a, b, 1e-3, 1e-3)
        same(ours.weight_u, theirs.weight_u, 1e-4, 1e-5)
        same(ours.weight_v, theirs.weight_v, 1e-4, 1e-5)
    for module, library in ((ours, plugrad), (theirs, torch)):
        library.nn.utils.remove_spectral_norm(module)
        assert sorted(module.state_dict()) == ["bias", "weight"]
    same(ours.weight, theirs.weight, 1e-4, 1e-5)


def test_errors_of_norms():
    for library in LIBRARIES:
        utils, Linear = library.nn.utils, library.nn.Linear
        layer = quietly(utils.weight_norm, Linear(2, 2))
        with pytest.raises(RuntimeError):
            quietly(utils.weight_norm, layer)
        with pytest.raises(ValueError):
            utils.remove_weight_norm(layer, "bias")
        layer = utils.spectral_norm(Linear(2, 2))
        with pytest.raises(RuntimeError):
            utils.spectral_norm(layer)
        with pytest.raises(ValueError):
            utils.remove_spectral_norm(layer, "bias")
        with pytest.raises(ValueError):
            utils.spectral_norm(Linear(2, 2), n_power_iterations=0)
        with pytest.raises(ValueError):
            quietly(utils.weight_norm, library.nn.LazyLinear(2))
        with pytest.warns(FutureWarning):
            utils.weight_norm(Linear(2, 2))


# --- Fusion ---------------------------------------------------------------------------

FUSED = {
    "conv1d": (lambda nn: nn.Conv1d(2, 3, 2), "BatchNorm1d", (4, 2, 6)),
    "conv2d": (lambda nn: nn.Conv2d(2, 3, 2, bias=False), "BatchNorm2d", (4, 2, 6, 6)),
    "transposed": (lambda nn: nn.ConvTranspose2d(2, 3, 2), "BatchNorm2d", (4, 2, 3, 3)),
    "linear": (lambda nn: nn.Linear(2, 3), "BatchNorm1d", (4, 2)),
    "linear without bias": (
        lambda nn: nn.Linear(2, 3, bias=False),
        "BatchNorm1d",
        (4, 2),
    ),
}


@pytest.mark.parametrize("name", FUSED)
def test_fusion(name):
    make, kind, shape = FUSED[name]

    def both(library):
        nn = library.nn
        return nn.Sequential(make(nn), getattr(nn, kind)(3))

    ours, theirs = pair(both)
    for module, library in ((ours, plugrad), (theirs, torch)):
        for seed in range(3):
            module(library.tensor(numbers(*shape, seed=seed)))
        with library.no_grad():
            module[1].weight.copy_(library.tensor([0.5, 2.0, -1.0]))
            module[1].bias.copy_(library.tensor([0.1, 0.0, -1.0]))
        module.eval()
    fused = []
    for module, library in ((ours, plugrad), (theirs, torch)):
        utils = library.nn.utils
        if name.startswith("linear"):
            fused.append(utils.fuse_linear_bn_eval(*module))
        else:
            fused.append(utils.fuse_conv_bn_eval(*module, name == "transposed"))
    same(fused[0].weight, fused[1].weight)
    same(fused[0].bias, fused[1].bias)
    assert fused[0].bias.requires_grad == fused[1].bias.requires_grad
    x = plugrad.tensor(numbers(*shape))
    assert plugrad.allclose(fused[0](x), ours(x), atol=1e-5)


def test_fusion_is_for_use():
    for library in LIBRARIES:
        nn = library.nn
        with pytest.raises(AssertionError):
            nn.utils.fuse_conv_bn_eval(nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1).eval())
        with pytest.raises(AssertionError):
            nn.utils.fuse_linear_bn_eval(
                nn.Linear(1, 3).eval(), nn.BatchNorm1d(2).eval()
            )


# --- Calls with other parameters ------------------------------------------------------


def call(library, *args, **kwargs):
    return quietly(library.nn.utils.stateless.functional_call, *args, **kwargs)


def test_functional_call():
    found = []
    for library in LIBRARIES:
        nn = library.nn
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        before = [p.detach().clone() for p in net.parameters()]
        given = {
            "0.weight": library.tensor(numbers(4, 3), requires_grad=True),
            "0.bias": library.tensor(numbers(4), requires_grad=True),
            "2.weight": library.tensor(numbers(2, 4), requires_grad=True),
            "2.bias": library.tensor(numbers(2), requires_grad=True),
        }
        y = call(library, net, given, library.tensor(numbers(5, 3)), strict=True)
        y.sum().backward()
        found.append([y, *(each.grad for each in given.values())])
        assert all((a == b).all() for a, b in zip(before, net.parameters()))
        assert list(net.state_dict()) == list(given)
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_functional_call_shows_buffers_that_were_replaced():
    found = []
    for library in LIBRARIES:

        class Count(library.nn.Module):
            def __init__(self, library=library):
                super().__init__()
                self.register_buffer("n", library.zeros(()))

            def forward(self, x):
                self.n = self.n + 1
                return x + self.n

        net = Count()
        given = {"n": library.tensor(5.0)}
        y = call(library, net, given, (library.ones(2),))
        found.append([y, given["n"], net.n])
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_functional_call_of_tied_weights():
    found = []
    for library in LIBRARIES:

        class Tied(library.nn.Module):
            def __init__(self, library=library):
                super().__init__()
                self.a = library.nn.Parameter(library.ones(()))
                self.b = self.a

            def forward(self, x):
                return x + self.a + self.b

        net, zero = Tied(), library.zeros(())
        results = [call(library, net, {"a": zero}, zero)]
        results += [call(library, net, {"a": zero}, zero, tie_weights=False)]
        results += [call(library, net, {"b": zero}, zero, strict=True)]
        results += [call(library, net, {"unknown": zero}, zero)]
        found.append(results)
        with pytest.raises(ValueError):
            call(library, net, {"a": zero, "b": library.ones(())}, zero)
        with pytest.raises(RuntimeError):
            call(library, net, {"unknown": zero}, zero, strict=True)
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_a_failing_call_puts_the_parameters_back():
    layer = plugrad.nn.Linear(2, 1)
    weight = layer.weight
    with pytest.raises(RuntimeError):
        call(plugrad, layer, {"weight": plugrad.ones(1, 2)}, plugrad.ones(3))
    assert layer.weight is weight
