"""Parametrizations beside torch's."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import plugrad

LIBRARIES = (plugrad, torch)


def numbers(*shape: int, seed: int = 0):
    return np.random.default_rng(seed).standard_normal(shape)


def same(ours, theirs, tolerance=1e-9):
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


class Functions:
    """Modules of a library that parametrize."""

    def __init__(self, library):
        nn = library.nn

        class Double(nn.Module):
            def forward(self, x):
                return 2 * x

            def right_inverse(self, x):
                return x / 2

        class Symmetric(nn.Module):
            def forward(self, x):
                return x.triu() + x.triu(1).transpose(-1, -2)

        class Counted(nn.Module):
            calls = 0

            def forward(self, x):
                self.calls += 1
                return x * x

        class Product(nn.Module):
            def forward(self, a, b):
                return a * b

            def right_inverse(self, x):
                return x.abs(), x.sign()

        class Cast(nn.Module):
            def forward(self, x):
                return x.to(library.float64)

        class Narrow(nn.Module):
            def forward(self, x):
                return x[:1]

        class Listed(nn.Module):
            def forward(self, x):
                return [x]

        class BadInverse(nn.Module):
            def forward(self, x):
                return x

            def right_inverse(self, x):
                return x.to(library.float64)

        class NoInverse(nn.Module):
            def forward(self, x):
                return x

            def right_inverse(self, x):
                raise NotImplementedError

        self.__dict__.update({k: v for k, v in locals().items() if k[0].isupper()})


FUNCTIONS = {library: Functions(library) for library in LIBRARIES}


def layers(dtype="float64", n=3):
    """A linear layer of each library, with the same weights."""
    for library in LIBRARIES:
        layer = library.nn.Linear(n, n).to(getattr(library, dtype))
        with library.no_grad():
            weight = library.tensor(numbers(n, n))
            layer.weight.copy_(weight)
            layer.bias.copy_(library.tensor(numbers(n, seed=1)))
        yield library, library.nn.utils.parametrize, FUNCTIONS[library], layer


def test_one_after_the_other():
    found = []
    for library, parametrize, functions, layer in layers():
        original = layer.weight
        assert not parametrize.is_parametrized(layer)
        for each in (functions.Symmetric(), functions.Double()):
            assert parametrize.register_parametrization(layer, "weight", each) is layer
        assert parametrize.is_parametrized(layer)
        assert parametrize.is_parametrized(layer, "weight")
        assert not parametrize.is_parametrized(layer, "bias")
        assert layer.parametrizations.weight.original is original
        assert parametrize.type_before_parametrizations(layer) is library.nn.Linear
        assert isinstance(layer, library.nn.Linear)
        y = layer(library.tensor(numbers(2, 3)))
        y.sum().backward()
        text = repr(layer).replace("torch.", "plugrad.")
        names = [name for name, _ in layer.named_parameters()]
        found.append(([y, layer.weight, original.grad], text, names))
    assert found[0][1:] == found[1][1:]
    for ours, theirs in zip(found[0][0], found[1][0], strict=True):
        same(ours, theirs)


@pytest.mark.parametrize("stay", [True, False])
def test_removal(stay):
    found = []
    for library, parametrize, functions, layer in layers():
        original = layer.weight
        parametrize.register_parametrization(layer, "weight", functions.Symmetric())
        parametrize.register_parametrization(layer, "bias", functions.Double())
        parametrize.remove_parametrizations(layer, "weight", stay)
        assert layer.weight is original
        assert parametrize.is_parametrized(layer, "bias")
        parametrize.remove_parametrizations(layer, "bias", stay)
        assert type(layer) is library.nn.Linear
        assert not hasattr(layer, "parametrizations")
        found.append([layer.weight, layer.bias, layer(library.ones(3).double())])
        assert list(layer.state_dict()) == ["weight", "bias"]
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_assigning():
    found = []
    for library, parametrize, functions, layer in layers():
        parametrize.register_parametrization(layer, "weight", functions.Double())
        layer.weight = library.tensor(numbers(3, 3, seed=5))
        found.append([layer.weight, layer.parametrizations.weight.original])
        parametrize.register_parametrization(layer, "bias", functions.Counted())
        with pytest.raises(RuntimeError, match="right_inverse"):
            layer.bias = library.zeros(3).double()
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_several_originals():
    found = []
    for library, parametrize, functions, layer in layers():
        parametrize.register_parametrization(layer, "weight", functions.Product())
        y = layer(library.tensor(numbers(2, 3)))
        y.sum().backward()
        listed = layer.parametrizations.weight
        assert isinstance(listed.original1, library.nn.Parameter)
        found.append([y, listed.original0.grad, listed.original1.grad])
        layer.weight = library.tensor(numbers(3, 3, seed=6))
        found[-1] += [listed.original0, listed.original1]
        with pytest.raises(ValueError):
            parametrize.remove_parametrizations(layer, "weight", False)
        parametrize.remove_parametrizations(layer, "weight")
        assert isinstance(layer.weight, library.nn.Parameter)
        found[-1].append(layer.weight)
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


def test_buffers():
    for library in LIBRARIES:
        parametrize = library.nn.utils.parametrize
        layer = library.nn.BatchNorm1d(2)
        double = FUNCTIONS[library].Double()
        parametrize.register_parametrization(layer, "running_mean", double)
        assert "parametrizations.running_mean.original" in layer.state_dict()
        parametrize.remove_parametrizations(layer, "running_mean")
        assert "running_mean" in dict(layer.named_buffers())


def test_cached():
    for _, parametrize, functions, layer in layers():
        counted = functions.Counted()
        parametrize.register_parametrization(layer, "weight", counted)
        before = counted.calls
        for _ in range(2):
            assert layer.weight is not layer.weight
            with parametrize.cached():
                first = layer.weight
                with parametrize.cached():
                    assert layer.weight is first
                assert layer.weight is first
        assert counted.calls == before + 2 * 3


def test_copies_are_independent():
    for library, parametrize, functions, layer in layers():
        parametrize.register_parametrization(layer, "weight", functions.Double())
        twin = copy.deepcopy(layer)
        assert twin.parametrizations.weight.original is not (
            layer.parametrizations.weight.original
        )
        assert isinstance(twin, library.nn.Linear)
        twin.weight = library.zeros(3, 3).double()
        assert float(layer.weight.abs().sum()) > 0
        with pytest.raises(RuntimeError, match="state_dict"):
            pickle.dumps(layer)
    # here removing one leaves the other as it is
    _, parametrize, functions, layer = next(layers())
    parametrize.register_parametrization(layer, "weight", functions.Double())
    twin = copy.deepcopy(layer)
    parametrize.remove_parametrizations(twin, "weight")
    assert plugrad.equal(layer.weight, twin.weight)
    assert parametrize.is_parametrized(layer)


def test_state_of_a_parametrized_layer():
    for _, parametrize, functions, layer in layers():
        parametrize.register_parametrization(layer, "weight", functions.Double())
        state = {k: v.clone() for k, v in layer.state_dict().items()}
        assert list(state) == ["bias", "parametrizations.weight.original"]
        layer.parametrizations.weight.original.data.zero_()
        layer.load_state_dict(state)
        assert float(layer.weight.abs().sum()) > 0


def test_training_mode_reaches_parametrizations():
    for _, parametrize, functions, layer in layers():
        double = functions.Double()
        parametrize.register_parametrization(layer.eval(), "weight", double)
        assert not double.training
        assert layer.train() and double.training


@pytest.mark.parametrize("name", [None, "weight"])
def test_transfer(name):
    found = []
    pairs = zip(layers(), layers(), strict=True)
    for (library, parametrize, functions, a), (*_, b) in pairs:
        parametrize.register_parametrization(a, "weight", functions.Double())
        parametrize.register_parametrization(a, "bias", functions.Product())
        with library.no_grad():
            a.parametrizations.weight.original.mul_(3)
        args = () if name is None else (name,)
        parametrize.transfer_parametrizations_and_params(a, b, *args)
        assert parametrize.is_parametrized(b, "bias") == (name is None)
        found.append([b.weight, b.bias])
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


ERRORS = {
    "name": lambda p, f, layer: p.register_parametrization(layer, "no", f.Double()),
    "dtype": lambda p, f, layer: p.register_parametrization(layer, "weight", f.Cast()),
    "shape": lambda p, f, layer: p.register_parametrization(
        layer, "weight", f.Narrow()
    ),
    "type": lambda p, f, layer: p.register_parametrization(layer, "weight", f.Listed()),
    "inverse": lambda p, f, layer: p.register_parametrization(
        layer, "weight", f.BadInverse()
    ),
    "second dtype": lambda p, f, layer: p.register_parametrization(
        p.register_parametrization(layer, "weight", f.Double()), "weight", f.Cast()
    ),
    "second shape": lambda p, f, layer: p.register_parametrization(
        p.register_parametrization(layer, "weight", f.Double()), "weight", f.Narrow()
    ),
    "second inverse": lambda p, f, layer: p.register_parametrization(
        p.register_parametrization(layer, "weight", f.Double()),
        "weight",
        f.BadInverse(),
    ),
    "not there": lambda p, f, layer: p.remove_parametrizations(layer, "weight"),
    "none": lambda p, f, layer: p.ParametrizationList([], layer.weight),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    for _, parametrize, functions, layer in layers("float32"):
        with pytest.raises(ValueError):
            ERRORS[name](parametrize, functions, layer)


def test_an_inverse_that_is_not_there():
    for _, parametrize, functions, layer in layers():
        before = layer.weight.detach().clone()
        parametrize.register_parametrization(layer, "weight", functions.NoInverse())
        assert (layer.parametrizations.weight.original == before).all()


# --- The ready ones -------------------------------------------------------------------


def both(make):
    """The same module in both libraries, in the same state."""
    ours, theirs = (make(library) for library in LIBRARIES)
    theirs.double(), ours.double()
    state = {k: v.detach().numpy() for k, v in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict(state)
    return ours, theirs


def step(module, library, x):
    module.zero_grad()
    y = module(library.tensor(x))
    (y * y).sum().backward()
    return [y, *(p.grad for _, p in sorted(module.named_parameters()))]


@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("kind", ["Linear", "Conv1d"])
def test_weight_norm(kind, dim):
    args, x = ((3, 4), (5, 3)) if kind == "Linear" else ((3, 4, 2), (2, 3, 5))

    def make(library):
        layer = getattr(library.nn, kind)(*args)
        return library.nn.utils.parametrizations.weight_norm(layer, dim=dim)

    ours, theirs = both(make)
    assert repr(ours) == repr(theirs)
    results = (step(m, lib, numbers(*x)) for m, lib in zip((ours, theirs), LIBRARIES))
    for a, b in zip(*results, strict=True):
        same(a, b)
    for module, library in ((ours, plugrad), (theirs, torch)):
        module.weight = library.tensor(numbers(*module.weight.shape, seed=9))
    same(
        ours.parametrizations.weight.original0, theirs.parametrizations.weight.original0
    )


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weight_norm_reads_what_the_older_one_saved():
    old = plugrad.nn.utils.weight_norm(plugrad.nn.Linear(3, 2))
    new = plugrad.nn.utils.parametrizations.weight_norm(plugrad.nn.Linear(3, 2))
    new.load_state_dict(old.state_dict())
    x = plugrad.ones(3)
    assert plugrad.allclose(new(x), old(x))


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("dim", [None, 0, -1])
@pytest.mark.parametrize("kind", ["Linear", "Conv1d", "ConvTranspose1d"])
def test_spectral_norm(kind, dim, steps):
    args, x = ((3, 4), (5, 3)) if kind == "Linear" else ((3, 4, 2), (2, 3, 5))

    def make(library):
        make = library.nn.utils.parametrizations.spectral_norm
        return make(getattr(library.nn, kind)(*args), "weight", steps, 1e-10, dim)

    ours, theirs = both(make)
    assert repr(ours) == repr(theirs)
    for training in (False, True, True, False):
        ours.train(training), theirs.train(training)
        results = (
            step(m, lib, numbers(*x)) for m, lib in zip((ours, theirs), LIBRARIES)
        )
        for a, b in zip(*results, strict=True):
            same(a, b)
        a, b = dict(ours.named_buffers()), dict(theirs.named_buffers())
        for key in b:
            same(a[key], b[key])


def test_spectral_norm_of_a_vector():
    def make(library):
        make = library.nn.utils.parametrizations.spectral_norm
        return make(library.nn.Linear(3, 4), "bias")

    ours, theirs = both(make)
    same(ours.bias, theirs.bias)


SHAPES = {"square": (3, 3), "tall": (5, 3), "wide": (3, 5)}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("trivial", [True, False])
@pytest.mark.parametrize("way", [None, "matrix_exp", "cayley", "householder"])
def test_orthogonal(way, trivial, shape):
    n, k = SHAPES[shape]

    def make(library):
        layer = library.nn.Linear(k, n).double()
        return library.nn.utils.parametrizations.orthogonal(
            layer, orthogonal_map=way, use_trivialization=trivial
        )

    ours, theirs = both(make)
    original = numbers(n, k, seed=3)
    # the diagonal of householder's is one of signs
    signs = np.sign(np.diagonal(original))
    original[np.arange(min(n, k)), np.arange(min(n, k))] = signs
    for module, library in ((ours, plugrad), (theirs, torch)):
        module.parametrizations.weight.original.data = library.tensor(original)
    results = (step(m, lib, numbers(4, k)) for m, lib in zip((ours, theirs), LIBRARIES))
    for a, b in zip(*results, strict=True):
        same(a, b)
    w = ours.weight.detach()
    gram = w @ w.mT if n < k else w.mT @ w
    assert plugrad.allclose(gram, plugrad.eye(min(n, k), dtype=plugrad.float64))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", ["matrix_exp", "cayley", "householder"])
def test_an_orthogonal_matrix_is_kept(way, shape):
    n, k = SHAPES[shape]
    q = np.linalg.qr(numbers(max(n, k), min(n, k)))[0]
    q = q if n >= k else q.T
    layer = plugrad.nn.Linear(k, n).double()
    with plugrad.no_grad():
        layer.weight.copy_(plugrad.tensor(q))
    make = plugrad.nn.utils.parametrizations.orthogonal
    make(layer, orthogonal_map=way)
    np.testing.assert_allclose(abs(layer.weight.detach().numpy()), abs(q), atol=1e-9)
    again = plugrad.tensor(np.linalg.qr(numbers(max(n, k), min(n, k), seed=4))[0])
    layer.weight = again if n >= k else again.mT
    got = layer.weight.detach()
    assert plugrad.allclose(got.abs(), (again if n >= k else again.mT).abs())
    if way == "householder":
        layer = plugrad.nn.Linear(k, n).double()
        make(layer, orthogonal_map=way, use_trivialization=False)
        layer.weight = plugrad.tensor(q)
        np.testing.assert_allclose(layer.weight.detach().numpy(), q, atol=1e-9)


def test_exponentials_of_large_matrices():
    from plugrad.nn.utils.parametrizations import exponential

    for scale in (1e-3, 1.0, 30.0):
        a = scale * numbers(2, 4, 4)
        a = a - a.swapaxes(-1, -2)
        ours, theirs = exponential(plugrad.tensor(a)), torch.matrix_exp(torch.tensor(a))
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-10)


READY_ERRORS = {
    "dim": (IndexError, lambda p, nn: p.spectral_norm(nn.Linear(2, 2), dim=2)),
    "steps": (
        ValueError,
        lambda p, nn: p.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
    ),
    "name": (ValueError, lambda p, nn: p.spectral_norm(nn.Linear(2, 2), "no")),
    "other name": (ValueError, lambda p, nn: p.orthogonal(nn.Linear(2, 2), "no")),
    "vector": (ValueError, lambda p, nn: p.orthogonal(nn.Linear(2, 2), "bias")),
    "map": (
        ValueError,
        lambda p, nn: p.orthogonal(nn.Linear(2, 2), orthogonal_map="no"),
    ),
}


@pytest.mark.parametrize("name", READY_ERRORS)
def test_errors_of_the_ready_ones(name):
    kind, do = READY_ERRORS[name]
    for library in LIBRARIES:
        with pytest.raises(kind):
            do(library.nn.utils.parametrizations, library.nn)
