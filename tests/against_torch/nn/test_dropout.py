"""Dropout: what stays, what falls, how often, and what torch refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import plugrad
import plugrad.nn.functional as F
from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.same import cases, same

NAMES = "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout".split()
SHAPES = {
    "Dropout": (100, 50),
    "AlphaDropout": (100, 50),
    "Dropout1d": (50, 60, 3),
    "Dropout2d": (50, 60, 3, 2),
    "Dropout3d": (50, 60, 2, 1, 2),
    "FeatureAlphaDropout": (50, 60, 3),
}
FUNCTIONS = dict(
    zip(
        NAMES,
        "dropout dropout1d dropout2d dropout3d alpha_dropout".split()
        + ["feature_alpha_dropout"],
    )
)

SMALL = {name: (2, 3, 2, 1, 2)[: len(shape)] for name, shape in SHAPES.items()}
LAYERS = [
    *(Layer(name, (0.3,), inputs=[SMALL[name]], random=True) for name in NAMES),
    *(Layer(name, (0.0,), inputs=[SMALL[name]]) for name in NAMES),
    *(Layer(name, (1.0,), inputs=[SMALL[name]], higher=False) for name in NAMES),
    *(Layer(name, (0.5, False), inputs=[(2, 0, *SMALL[name][2:])]) for name in NAMES),
]


@pytest.mark.filterwarnings("ignore:dropout.d")
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


def channels(name, y):
    """One number for each thing that is dropped or not."""
    return y if name in ("Dropout", "AlphaDropout") else y.reshape(*y.shape[:2], -1)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("name", NAMES)
def test_how_many_fall_and_what_is_left(name, p):
    """As many as `p` says; all values are two, those that torch's has."""
    found = {}
    for m in (plugrad, torch):
        m.manual_seed(0)
        layer = getattr(m.nn, name)(p)
        y = channels(name, layer(m.ones(SHAPES[name], dtype=m.float64)).numpy())
        if name not in ("Dropout", "AlphaDropout"):
            assert (y == y[..., :1]).all()
            y = y[..., 0]
        values, counts = np.unique(y, return_counts=True)
        found[m] = values, counts / y.size
    (ours, shares), (theirs, _) = found[plugrad], found[torch]
    assert np.allclose(ours, theirs)
    dropped = shares[0]  # the lower of the two values
    n = 3000 if "d" in name[-2:] else 5000
    assert abs(dropped - p) < 4 * np.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_that_of_the_same_choice(name):
    x = plugrad.ones(SHAPES[name], dtype=plugrad.float64, requires_grad=True)
    layer = getattr(plugrad.nn, name)(0.4)
    y = layer(x)
    y.sum().backward()
    slopes = np.unique(x.grad.numpy())
    assert len(slopes) == 2 and slopes[0] == 0
    kept = x.grad.numpy() != 0
    values = y.detach().numpy()
    assert np.unique(values[kept]).size == 1 == np.unique(values[~kept]).size


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_returns_the_input_itself(name):
    def call(m):
        x = m.ones(SHAPES[name])
        layer = getattr(m.nn, name)(0.7).eval()
        function = getattr(m.nn.functional, FUNCTIONS[name])
        return layer(x) is x, function(x, 0.7, False) is x

    same(call)


@pytest.mark.parametrize("name", NAMES)
def test_inplace(name):
    """The input holds the result; a seed drops the same as without `inplace`."""
    function = getattr(F, FUNCTIONS[name])
    x = plugrad.ones(SHAPES[name], requires_grad=True)
    plugrad.manual_seed(5)
    expected = function(x, 0.4, True)
    plugrad.manual_seed(5)
    y = x * 1
    found = function(y, 0.4, True, True)
    assert found is y
    assert (found == expected).all()
    for each in (expected, found):
        each.sum().backward()
    assert set(x.grad.unique().tolist()) == {0.0, x.grad.max().item()}
    layer = getattr(plugrad.nn, name)(0.4, inplace=True)
    z = plugrad.ones(SHAPES[name])
    assert layer(z) is z and z.unique().numel() == 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtypes(dtype):
    for name in NAMES:
        x = plugrad.ones(SHAPES[name], dtype=getattr(plugrad, dtype))
        y = getattr(plugrad.nn, name)(0.5)(x)
        assert y.dtype is x.dtype and y.unique().numel() == 2


@pytest.mark.filterwarnings("ignore:dropout.d")
def test_a_seed_drops_the_same_on_every_backend():
    found = []
    for name in ("numpy", "torch"):
        plugrad.manual_seed(11)
        with plugrad.backend(name):
            x = plugrad.ones(40, 30, 2)
            found.append([getattr(plugrad.nn, each)(0.5)(x).numpy() for each in NAMES])
    for a, b in zip(*found):
        assert np.array_equal(a != a.max(), b != b.max())


@pytest.mark.filterwarnings("ignore:dropout.d")
def test_alpha_dropout_keeps_mean_and_variance():
    for p in (0.1, 0.5, 0.9):
        plugrad.manual_seed(1)
        y = F.alpha_dropout(plugrad.randn(200000), p, training=True)
        assert abs(y.mean().item()) < 0.02 and abs(y.var().item() - 1) < 0.03
        z = F.feature_alpha_dropout(plugrad.randn(2000, 100, 2), p, training=True)
        assert abs(z.mean().item()) < 0.02 and abs(z.var().item() - 1) < 0.03


@pytest.mark.parametrize("name", ["Dropout1d", "Dropout3d"])
def test_without_a_batch(name):
    """The first dimension is that of the channels."""
    shape = SHAPES[name][1:]
    y = getattr(plugrad.nn, name)(0.5)(plugrad.ones(shape)).numpy()
    y = y.reshape(shape[0], -1)
    assert (y == y[:, :1]).all() and len(np.unique(y)) == 2


def test_dropout2d_of_three_dimensions_has_a_batch():
    """As torch's does, with a warning."""
    for m in (plugrad, torch):
        with pytest.warns(UserWarning, match="1D dropout behavior"):
            y = m.nn.functional.dropout2d(m.ones(30, 40, 5), 0.5).numpy()
        assert (y == y[..., :1]).all() and not (y == y[:, :1]).all()


def function(name, *shape, p=0.5, dtype="float32"):
    def call(m):
        x = m.ones(shape, dtype=getattr(m, dtype))
        return getattr(m.nn.functional, name)(x, p, True).shape

    return call


@cases(
    *(lambda m, name=name: getattr(m.nn, name)(-0.1) for name in NAMES),
    *(lambda m, name=name: getattr(m.nn, name)(1.1) for name in NAMES),
    *(function(name, 3, 4, 5, p=1.5) for name in FUNCTIONS.values()),
    function("dropout1d", 3),
    function("dropout1d", 3, 4),
    function("dropout1d", 3, 4, 5, 6),
    function("dropout2d", 3),
    function("dropout2d", 3, 4),
    function("dropout2d", 3, 4, 5, 6, 7),
    function("dropout3d", 3, 4),
    function("dropout3d", 3, 4, 5, 6, 7, 8),
    function("feature_alpha_dropout", 3),
    function("feature_alpha_dropout", 3, 4),
    function("dropout"),
    function("dropout", 3, dtype="int64"),
    function("alpha_dropout", 3, dtype="int64"),
)
def test_calls(call):
    same(call)
