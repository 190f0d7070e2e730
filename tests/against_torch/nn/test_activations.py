"""Activation functions: layers, functional forms, what is written in place."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import plugrad
import plugrad.nn.functional as F
from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.same import cases, same

PLAIN = """ReLU ReLU6 Hardtanh LeakyReLU RReLU ELU CELU SELU GELU SiLU Mish Softplus
    Sigmoid LogSigmoid Tanh Tanhshrink Softsign Hardsigmoid Hardswish Hardshrink
    Softshrink PReLU""".split()

LAYERS = [
    *(Layer(name, inputs=[(3, 5)], scale=3, random=name == "RReLU") for name in PLAIN),
    *(Layer(name, inputs=[()], random=name == "RReLU") for name in PLAIN),
    *(Layer(name, inputs=[(2, 0, 3)], random=name == "RReLU") for name in PLAIN),
    Layer("Hardtanh", (-0.5, 2.0), inputs=[(2, 4)]),
    Layer("Hardtanh", kwargs={"min_value": -0.5, "max_value": 0.1}, inputs=[(2, 4)]),
    Layer("LeakyReLU", (0.3,), inputs=[(2, 4)]),
    Layer("LeakyReLU", (-0.3,), inputs=[(2, 4)]),
    Layer("RReLU", (0.1, 0.9), inputs=[(2, 4)], random=True),
    Layer("RReLU", (0.25, 0.25), inputs=[(2, 4)]),
    Layer("ELU", (0.7,), inputs=[(2, 4)]),
    Layer("CELU", (0.7,), inputs=[(2, 4)]),
    Layer("CELU", (-1.5,), inputs=[(2, 4)]),
    Layer("GELU", ("tanh",), inputs=[(2, 4)]),
    Layer("Softplus", (2.0, 1.5), inputs=[(2, 4)]),
    Layer("Softplus", kwargs={"beta": 0.5}, inputs=[(2, 4)]),
    Layer("Hardshrink", (0.1,), inputs=[(2, 4)]),
    Layer("Hardshrink", (0,), inputs=[(2, 4)]),
    Layer("Softshrink", (0.1,), inputs=[(2, 4)]),
    Layer("Softshrink", (0,), inputs=[(2, 4)]),
    Layer("Threshold", (0.1, 20), inputs=[(2, 4)]),
    Layer("Threshold", (-0.5, -2.5), inputs=[()]),
    Layer("PReLU", (4, 0.1), inputs=[(2, 4)]),
    Layer("PReLU", (4,), inputs=[(2, 4, 3)]),
    Layer("PReLU", (1, -0.5), inputs=[(2, 4, 3, 2)]),
    Layer("PReLU", (4,), inputs=[(0, 4)]),
    Layer("GLU", inputs=[(3, 4)]),
    Layer("GLU", (0,), inputs=[(4, 3)]),
    Layer("GLU", (1,), inputs=[(2, 4, 3)]),
    Layer("GLU", (-1,), inputs=[(0, 4)]),
    *(Layer(name, (0,), inputs=[(3,)]) for name in ("Softmax", "Softmin")),
    *(Layer(name, (-1,), inputs=[(2, 3)]) for name in ("Softmax", "LogSoftmax")),
    *(Layer(name, (1,), inputs=[(2, 3, 4)]) for name in ("Softmin", "LogSoftmax")),
    *(
        Layer(name, inputs=[(2, 3, 4, 5)[:n]])
        for name in ("Softmax", "Softmin", "LogSoftmax")
        for n in range(5)
    ),
    Layer("Softmax2d", inputs=[(2, 3, 4, 5)]),
    Layer("Softmax2d", inputs=[(3, 4, 5)]),
]


@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
@pytest.mark.filterwarnings("ignore:keyword argument `m.._value`")
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


# --- Written into the input -----------------------------------------------------------

INPLACE = {
    "relu": (),
    "relu6": (),
    "hardtanh": (-0.5, 0.5),
    "leaky_relu": (0.2,),
    "rrelu": (0.1, 0.3),
    "threshold": (0.1, 3.0),
    "elu": (0.7,),
    "selu": (),
    "celu": (0.7,),
    "silu": (),
    "mish": (),
    "hardsigmoid": (),
    "hardswish": (),
}


def values(m, *shape, dtype="float64"):
    data = np.random.default_rng(1).standard_normal(shape) * 2
    return m.tensor(data, dtype=getattr(m, dtype))


@pytest.mark.parametrize("name", INPLACE)
def test_inplace(name):
    """The same result, in the memory of the input, and the same gradient."""

    def call(m):
        function = getattr(m.nn.functional, name)
        leaf = values(m, 3, 4).requires_grad_()
        x = leaf * 1
        y = function(x, *INPLACE[name], inplace=True)
        (y * y).sum().backward()
        return y is x, y.detach(), leaf.grad, leaf

    same(call)


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_without_a_graph(name):
    def call(m):
        x = values(m, 3, 4)
        y = getattr(m.nn.functional, name)(x, *INPLACE[name], inplace=True)
        return y is x, y

    same(call)


@pytest.mark.parametrize("name", INPLACE)
def test_a_leaf_is_not_written(name):
    def call(m):
        x = values(m, 3).requires_grad_()
        return getattr(m.nn.functional, name)(x, *INPLACE[name], inplace=True)

    same(call)


NAMES = "relu_ selu_ celu_ elu_ hardtanh_ leaky_relu_ rrelu_".split()


@pytest.mark.parametrize("name", NAMES)
def test_functions_that_write(name):
    def call(m):
        x = values(m, 2, 3)
        return getattr(m.nn.functional, name)(x) is x, x

    same(call)


LAYERS_INPLACE = """ReLU() ReLU6() Hardtanh(-0.5,1) LeakyReLU(0.2) ELU(0.5) SELU()
    CELU(0.5) SiLU() Mish() Hardsigmoid() Hardswish() Threshold(0.5,2)
    RReLU(0.1,0.2)""".split()


@pytest.mark.parametrize("text", LAYERS_INPLACE)
def test_layers_in_place(text):
    def call(m):
        given = text[:-1] + (", " if text[-2] != "(" else "") + "inplace=True)"
        layer = eval("m.nn." + given, {"m": m}).eval()
        x = values(m, 2, 3)
        y = layer(x)
        return repr(layer), y is x, y, layer.inplace

    same(call)


# --- Functional forms -----------------------------------------------------------------


def on(name, *args, shape=(2, 4), dtype="float64", **options):
    return lambda m: getattr(m.nn.functional, name)(
        values(m, *shape).to(getattr(m, dtype)), *args, **options
    )


@cases(
    on("softmax"),
    on("softmin", shape=(3,)),
    on("log_softmax", shape=(2, 3, 2)),
    on("softmax", 1, dtype="float32"),
    on("softmin", 1),
    on("softmin", dim=0, dtype="int64"),
    on("glu", shape=(3,)),
    on("glu", shape=()),
    on("glu", 2),
    on("glu", -2),
    on("sigmoid"),
    on("tanh", dtype="int64"),
    on("tanhshrink", dtype="int64"),
    on("softsign", dtype="int64"),
    on("hardtanh", -2, 2, dtype="int64"),
    on("hardtanh", 2, -2),
    on("relu6", dtype="int64"),
    on("relu6", dtype="uint8"),
    on("threshold", 1, 5, dtype="int64"),
    on("elu", dtype="int64"),
    on("selu", dtype="int64"),
    on("celu", 0.0),
    on("softshrink", -1),
    on("hardshrink", -1),
    on("gelu", approximate="other"),
    on("gelu", approximate="tanh"),
    on("rrelu", 0.5, 0.1),
    on("normalize"),
    on("normalize", 1.0, 0),
    on("normalize", float("inf"), -1),
    on("normalize", dim=(0, 1)),
    on("normalize", eps=10.0),
    on("normalize", shape=(3,)),
    lambda m: m.nn.functional.normalize(m.zeros(2, 3)),
    lambda m: m.nn.functional.normalize(values(m, 2, 3), out=m.empty(2, 3).double()),
    lambda m: m.nn.functional.softmax(values(m, 2, 3).float(), 1, dtype=m.float64),
    lambda m: m.nn.functional.log_softmax(values(m, 2).float(), 0, dtype=m.float64),
    lambda m: m.nn.functional.prelu(values(m, 2, 3), values(m, 2)),
    lambda m: m.nn.functional.prelu(values(m, 2, 3), values(m, 3)),
    lambda m: m.nn.functional.prelu(values(m, 3), values(m, 1)),
    lambda m: m.nn.functional.prelu(values(m, 3), values(m)),
    lambda m: m.nn.functional.prelu(values(m, 3), values(m, 3)),
    lambda m: m.nn.functional.prelu(values(m), values(m, 3)),
    lambda m: m.nn.functional.prelu(values(m, 2, 3), values(m, 1, 3)),
    lambda m: m.nn.functional.prelu(values(m, 2, 3), values(m, 3).float()),
    lambda m: values(m, 2, 3).prelu(values(m, 3)),
    lambda m: values(m, 2, 3).hardshrink(0.7),
    lambda m: m.selu(values(m, 2)),
    lambda m: m.celu(values(m, 2), 0.5),
    lambda m: m.threshold(values(m, 4), 0.5, 1),
    lambda m: m.hardshrink(values(m, 4)),
    lambda m: m.prelu(values(m, 2, 3), values(m, 3)),
    lambda m: m.rrelu(values(m, 4), 0.1, 0.3),
    lambda m: m.relu_(values(m, 4)),
    lambda m: m.threshold_(values(m, 4), 0.5, 1),
    lambda m: m.nn.Hardtanh(1, 1),
    lambda m: m.nn.Softmax2d()(values(m, 2, 3)),
    lambda m: m.nn.PReLU(3, dtype=m.float64).weight.dtype,
)
def test_calls(call):
    same(call)


def test_the_extremes_are_finite():
    def call(m):
        found = []
        for (
            name
        ) in "elu selu celu silu mish softplus gelu hardswish logsigmoid".split():
            x = m.tensor([-1000.0, -100.0, 100.0, 1000.0], requires_grad=True)
            y = getattr(m.nn.functional, name)(x)
            y.sum().backward()
            found.append((name, y.detach(), x.grad))
        return found

    same(call)


def test_rrelu_in_training():
    """Slopes between the bounds, and as gradients those slopes."""
    x = plugrad.full((10000,), -2.0, requires_grad=True)
    y = F.rrelu(x, 0.2, 0.6, training=True)
    slopes = y.detach().numpy() / -2
    y.sum().backward()
    assert slopes.min() >= 0.2 and slopes.max() <= 0.6
    assert abs(slopes.mean() - 0.4) < 0.01 and slopes.std() > 0.1
    assert np.allclose(x.grad.numpy(), slopes)
    ahead = F.rrelu(plugrad.ones(5), 0.2, 0.6, training=True)
    assert (ahead == 1).all()
    layer = plugrad.nn.RReLU(0.2, 0.6)
    assert len(set(layer(x).detach().tolist())) > 1000


@pytest.mark.parametrize("hard", [False, True])
def test_gumbel_softmax(hard):
    """Each class is chosen as often as its probability says."""
    chances = [0.1, 0.3, 0.6]
    logits = plugrad.tensor(chances).log().repeat(20000, 1).requires_grad_()
    y = F.gumbel_softmax(logits, tau=0.5, hard=hard)
    picked = np.bincount(y.detach().numpy().argmax(-1), minlength=3) / 20000
    assert np.abs(picked - chances).max() < 0.015
    assert np.allclose(y.detach().sum(-1).numpy(), 1, atol=1e-5)
    if hard:
        assert set(y.detach().unique().round(decimals=5).tolist()) == {0.0, 1.0}
    y[:, 0].sum().backward()
    soft = F.gumbel_softmax(logits, tau=0.5)
    assert soft.shape == logits.shape and logits.grad.abs().sum() > 0


def test_gumbel_softmax_with_hard_choices_has_the_gradient_of_soft_ones():
    found = []
    for hard in (False, True):
        plugrad.manual_seed(3)
        x = plugrad.tensor([[0.3, -1.0, 2.0]], requires_grad=True)
        y = F.gumbel_softmax(x, hard=hard)
        (y * plugrad.tensor([1.0, 2.0, 4.0])).sum().backward()
        found.append(x.grad.numpy())
    assert np.allclose(*found)


def test_layers_of_old_pickles_have_a_dim():
    layer = plugrad.nn.Softmax(1)
    again = pickle.loads(pickle.dumps(layer))
    assert repr(again) == "Softmax(dim=1)"
    state = dict(layer.__dict__)
    del state["dim"]
    again.__setstate__(state)
    assert again.dim == 1 or again.dim is None
