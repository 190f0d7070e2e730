"""Recurrent layers beside torch's: over sequences, and single steps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import plugrad
from plugrad.nn.functional import recurrent
from plugrad.testing import TOLERANCES
from tests.against_torch.nn.layers import In, Layer, check, differences, flat

NAMES = ("RNN", "LSTM", "GRU")


def states(name, *shape, cell=None):
    """The first state of a layer: a pair for an LSTM."""
    return (shape, cell or shape) if name == "LSTM" else shape


def over_sequences():
    for name in NAMES:
        two = {"bidirectional": True}
        yield Layer(name, (3, 2), {}, [(4, 2, 3)])
        yield Layer(name, (2, 3), {}, [(3, 2, 2), states(name, 1, 2, 3)])
        yield Layer(name, (2, 3), {"bias": False}, [(3, 2, 2)])
        yield Layer(name, (2, 2), two, [(2, 2, 2), states(name, 2, 2, 2)])
        yield Layer(name, (2, 3), {"batch_first": True}, [(2, 4, 2)])
        yield Layer(name, (2, 3), {}, [(4, 2)])
        yield Layer(name, (2, 3), {"batch_first": True}, [(4, 2), states(name, 1, 3)])
        yield Layer(name, (2, 3), {"dropout": 0.5}, [(4, 1, 2)], smooth=False)  # warns
        yield Layer(name, (2, 3), {"dtype": plugrad.float64}, [(1, 1, 2)])
        yield Layer(name, (1, 1), {}, [(1, 1, 1)])
        yield Layer(name, (2, 3), {}, [(2, 0, 2)], smooth=False)
        yield from deep(name, two)
    for relu in (["relu"], ["relu", False, True, 0, True]):
        yield Layer("RNN", (2, 3, 2, *relu), {}, [(3, 2, 2)])
    small = {"proj_size": 2}
    first = states("LSTM", 1, 2, 2, cell=(1, 2, 3))
    yield Layer("LSTM", (2, 3), small, [(3, 2, 2), first])
    both = {**small, "bidirectional": True, "bias": False}
    yield Layer("LSTM", (2, 3, 2), both, [(3, 2, 2)], higher=False)


def deep(name, two):
    """Several layers, of which second derivatives would take long."""

    def layer(args, kwargs, *inputs, **options):
        return Layer(name, args, kwargs, inputs, higher=False, **options)

    yield layer((3, 4, 2), {}, (3, 2, 3), states(name, 2, 2, 4))
    both = {"bidirectional": True, "batch_first": True, "num_layers": 2}
    yield layer((2, 2), both, (2, 3, 2), states(name, 4, 2, 2))
    yield layer((2, 3, 2), two, (4, 2), states(name, 4, 3))
    yield layer((2, 3, 2), {"dropout": 0.5}, (4, 2, 2), random=True)
    yield layer((2, 3, 2), {"dropout": 1.0}, (4, 2, 2))


def single_steps():
    for name in ("RNNCell", "LSTMCell", "GRUCell"):
        kind = name[:-4]
        yield Layer(name, (3, 4), {}, [(2, 3)])
        yield Layer(name, (3, 4), {}, [(2, 3), states(kind, 2, 4)])
        yield Layer(name, (3, 4), {"bias": False}, [(2, 3), states(kind, 2, 4)])
        yield Layer(name, (3, 4), {}, [(3,)])
        yield Layer(name, (3, 4), {}, [(3,), states(kind, 4)])
        yield Layer(name, (3, 4), {}, [(0, 3)], smooth=False)
    yield Layer("RNNCell", (3, 4, True, "relu"), {}, [(2, 3), (2, 4)])


@pytest.mark.parametrize("layer", [*over_sequences(), *single_steps()], ids=str)
def test_layer(layer):
    check(layer)


def test_dropout_between_layers():
    """Some of what goes to the second layer is zero, and the rest twice as large."""
    layer = plugrad.nn.RNN(1, 1000, 2, dropout=0.5, nonlinearity="relu")
    with plugrad.no_grad():
        for name, p in layer.named_parameters():
            p.fill_(1.0 if name.startswith("bias_ih_l0") else 0.0)
        layer.weight_ih_l1.copy_(plugrad.eye(1000))
    y, _ = layer(plugrad.zeros(1, 1, 1))
    kept = (y == 2).sum().item()
    assert kept + (y == 0).sum().item() == 1000 and 400 < kept < 600
    assert (layer.eval()(plugrad.zeros(1, 1, 1))[0] == 1).all()


# --- What is wrong raises the same ----------------------------------------------------


def raised(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function()
        except Exception as error:
            return type(error)
    return None


WRONG = [
    lambda t: t.nn.LSTM(0, 3),
    lambda t: t.nn.LSTM(2, 0),
    lambda t: t.nn.LSTM(2, 3, 0),
    lambda t: t.nn.LSTM(2.0, 3),
    lambda t: t.nn.LSTM(2, 3.0),
    lambda t: t.nn.LSTM(2, 3, bias=1),
    lambda t: t.nn.LSTM(2, 3, batch_first=1),
    lambda t: t.nn.LSTM(2, 3, dropout=2),
    lambda t: t.nn.LSTM(2, 3, dropout=True),
    lambda t: t.nn.LSTM(2, 3, proj_size=3),
    lambda t: t.nn.LSTM(2, 3, proj_size=-1),
    lambda t: t.nn.LSTM(2, 3, nonsense=1),
    lambda t: t.nn.GRU(2, 3, proj_size=1),
    lambda t: t.nn.RNN(2, 3, proj_size=1),
    lambda t: t.nn.RNN(2, 3, nonlinearity="sin"),
    lambda t: t.nn.RNNBase("SIN", 2, 3),
    *[
        lambda t, name=name, shape=shape: getattr(t.nn, name)(2, 3)(t.zeros(shape))
        for name in NAMES
        for shape in ((4,), (4, 2, 3), (4, 3), (1, 1, 4, 2), (0, 2, 2))
    ],
    *[
        lambda t, name=name: getattr(t.nn, name)(2, 3)(t.zeros(4, 1, 2).double())
        for name in NAMES
    ],
    *[
        lambda t, name=name, shape=shape: getattr(t.nn, name)(2, 3)(
            t.zeros(4, 2, 2), t.zeros(shape)
        )
        for name in ("RNN", "GRU")
        for shape in ((2, 3), (1, 2, 2), (2, 2, 3), (1, 1, 3))
    ],
    lambda t: t.nn.LSTM(2, 3)(t.zeros(4, 2, 2), (t.zeros(2, 3), t.zeros(2, 3))),
    lambda t: t.nn.LSTM(2, 3)(t.zeros(4, 2), (t.zeros(1, 1, 3), t.zeros(1, 1, 3))),
    lambda t: t.nn.LSTM(2, 3)(t.zeros(4, 2, 2), (t.zeros(1, 2, 3), t.zeros(1, 2, 2))),
    *[
        lambda t, name=name, shape=shape: getattr(t.nn, name)(2, 3)(t.zeros(shape))
        for name in ("RNNCell", "LSTMCell", "GRUCell")
        for shape in ((2, 3), (1, 2, 2), ())
    ],
    lambda t: t.nn.RNNCell(2, 3)(t.zeros(2, 2), t.zeros(3, 3)),
    lambda t: t.nn.GRUCell(2, 3)(t.zeros(2, 2), t.zeros(2, 2)),
    lambda t: t.nn.LSTMCell(2, 3)(t.zeros(2, 2), (t.zeros(2, 3), t.zeros(2, 1))),
    lambda t: t.nn.LSTMCell(2, 3)(t.zeros(2, 2), (t.zeros(2, 1, 3), t.zeros(2, 3))),
    lambda t: t.nn.RNNCell(2, 3, nonlinearity="sin")(t.zeros(2, 2)),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_errors(number):
    wrong = WRONG[number]
    expected = raised(lambda: wrong(torch))
    assert expected is not None
    assert raised(lambda: wrong(plugrad)) is expected


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="num_layers greater than 1") as seen:
        plugrad.nn.GRU(2, 3, dropout=0.5)
    assert seen[0].filename == __file__


# --- Attributes -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_attributes(name):
    def described(t):
        layer = getattr(t.nn, name)(2, 3, num_layers=2, bidirectional=True)
        names = [n for n, _ in layer.named_parameters()]
        every = [[tuple(w.shape) for w in each] for each in layer.all_weights]
        kept = {key: getattr(layer, key) for key in KEPT if hasattr(layer, key)}
        return names, every, kept, layer.flatten_parameters()

    assert described(plugrad) == described(torch)


KEPT = (
    "mode input_size hidden_size num_layers bias batch_first dropout bidirectional "
    "proj_size nonlinearity"
).split()


@pytest.mark.parametrize("name", [*NAMES, "RNNCell", "LSTMCell", "GRUCell"])
def test_first_values(name):
    """Uniform within 1 / sqrt(hidden_size)."""
    layer = getattr(plugrad.nn, name)(30, 25)
    values = np.concatenate([p.detach().numpy().ravel() for p in layer.parameters()])
    assert abs(values).max() <= 0.2 < abs(values).max() * 1.01
    assert abs(values.mean()) < 0.02 and abs(values.std() - 0.2 / 3**0.5) < 0.01


def test_a_weight_that_is_replaced_is_used():
    layer = plugrad.nn.GRU(2, 3)
    layer.weight_hh_l0 = plugrad.nn.Parameter(plugrad.zeros(9, 3))
    y, _ = layer(plugrad.ones(2, 1, 2))
    y.sum().backward()
    assert layer.weight_hh_l0.grad is not None


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_16_bits(name, dtype):
    layer = getattr(torch.nn, name)(3, 4).to(getattr(torch, dtype))
    ours = getattr(plugrad.nn, name)(3, 4)
    state = {k: v.float().numpy() for k, v in layer.state_dict().items()}
    ours.load_state_dict(state)
    ours.to(getattr(plugrad, dtype))
    x = np.random.default_rng(0).standard_normal((4, 2, 3)).astype("float32")
    y, _ = layer(torch.tensor(x).to(getattr(torch, dtype)))
    z, _ = ours(plugrad.tensor(x).to(getattr(plugrad, dtype)))
    assert z.dtype.name == dtype
    z.sum().backward()
    assert ours.weight_hh_l0.grad.dtype.name == dtype
    rtol, atol = TOLERANCES[dtype]
    a, b = z.detach().float().numpy(), y.detach().float().numpy()
    assert np.allclose(a, b, 4 * rtol, 4 * atol + rtol)


# --- Functions ------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [(True, True), (False, False)])
@pytest.mark.parametrize("name", recurrent.__all__)
def test_cells_as_functions(name, bias):
    gates = {"gru_cell": 3, "lstm_cell": 4}.get(name, 1)

    def result(t):
        rng = np.random.default_rng(0)

        def make(*shape):
            return t.tensor(rng.standard_normal(shape)).requires_grad_()

        x, h = make(2, 3), make(2, 4)
        hx = (h, make(2, 4)) if name == "lstm_cell" else h
        weights = [make(4 * gates, 3), make(4 * gates, 4)]
        weights += [make(4 * gates) if each else None for each in bias]
        function = getattr(t if t is torch else recurrent, name)
        outputs = flat(function(x, hx, *weights))
        sum((y * y).sum() for y in outputs).backward()
        found = {f"output {i}": y for i, y in enumerate(outputs)}
        leaves = [each for each in (x, h, *weights) if each is not None]
        return found | {f"gradient {i}": leaf.grad for i, leaf in enumerate(leaves)}

    assert not differences(result(plugrad), result(torch), 1.0)


def test_the_comparison_can_fail():
    ours = In(lambda t: t is plugrad)
    with pytest.raises(AssertionError, match="output 0: differs"):
        check(Layer("GRU", (2, 3), {"batch_first": ours}, [(2, 2, 2)]))
