"""Losses beside torch's, with each option."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import plugrad
from plugrad.nn import functional as F
from tests.against_torch.nn.layers import In, Layer, check

REDUCTIONS = ("mean", "sum", "none")


def classes(n: int, *shape: int, ignored: int | None = None):
    """Class indices; with `ignored`, some are that."""

    def make(rng):
        found = rng.integers(0, n, shape)
        if ignored is not None:
            found = np.where(rng.random(shape) < 0.4, ignored, found)
        return found

    return make


def probabilities(*shape: int, margin: float = 0.05):
    return lambda rng: rng.uniform(margin, 1 - margin, shape)


def distribution(*shape: int):
    """Positive numbers that sum to 1 along dimension 1."""

    def make(rng):
        found = rng.uniform(0.1, 1, shape)
        return found / found.sum(1 if len(shape) > 1 else 0, keepdims=True)

    return make


def signs(*shape: int):
    return lambda rng: rng.choice([-1, 1], shape)


def positive(*shape: int):
    return lambda rng: rng.uniform(0.5, 3, shape)


def weight(*shape: int):
    """A weight that each library makes from the same numbers."""
    values = 0.3 + np.arange(np.prod(shape, dtype=int)).reshape(shape) % 5 / 2
    return In(lambda library: library.tensor(values))


def reduced(name, inputs, *options, args=(), **layer):
    """A loss with each reduction, and the options."""
    found = []
    for option in options or ({},):
        for each in REDUCTIONS:
            kwargs = {**option, "reduction": each}
            found.append(Layer(name, args, kwargs, inputs=inputs, **layer))
    return found


PAIR = [(2, 3), (2, 3)]
LAYERS = [
    *reduced("MSELoss", PAIR),
    *reduced("MSELoss", [(), ()]),
    *reduced("MSELoss", [(0, 3), (0, 3)]),
    *reduced("L1Loss", PAIR),
    *reduced("L1Loss", [(3,), (3,)]),
    *reduced("SmoothL1Loss", PAIR, {}, {"beta": 0.3}, {"beta": 0.0}),
    *reduced("HuberLoss", PAIR, {}, {"delta": 0.3}, {"delta": 2}),
    *reduced("KLDivLoss", [(2, 3), probabilities(2, 3)]),
    *reduced("KLDivLoss", [(2, 3), (2, 3)], {"log_target": True}),
    Layer(
        "KLDivLoss", (), {"reduction": "batchmean"}, [(2, 3, 2), probabilities(2, 3, 2)]
    ),
    Layer("KLDivLoss", (), {"reduction": "batchmean"}, [(), probabilities()]),
    *reduced("PoissonNLLLoss", [(2, 3), positive(2, 3)], {}, {"full": True}),
    *reduced(
        "PoissonNLLLoss",
        [positive(2, 3), positive(2, 3)],
        {"log_input": False},
        {"log_input": False, "full": True, "eps": 0.1},
    ),
    *reduced(
        "GaussianNLLLoss",
        [(2, 3), (2, 3), positive(2, 3)],
        {},
        {"full": True},
        {"eps": 0.1},
    ),
    *reduced("GaussianNLLLoss", [(2, 3), (2, 3), positive(2)]),
    *reduced("GaussianNLLLoss", [(2, 3), (2, 3), positive(2, 1)]),
    *reduced("GaussianNLLLoss", [(2, 3), (2, 3), 0.5]),
    # yes and no
    *reduced("BCELoss", [probabilities(2, 3), probabilities(2, 3)]),
    *reduced("BCELoss", [probabilities(4), probabilities(4)], args=(weight(4),)),
    *reduced("BCELoss", [probabilities(2, 3), probabilities(2, 3)], args=(weight(3),)),
    *reduced("BCEWithLogitsLoss", PAIR),
    *reduced("BCEWithLogitsLoss", PAIR, args=(weight(3),)),
    *reduced("BCEWithLogitsLoss", PAIR, {"pos_weight": weight(3)}),
    *reduced(
        "BCEWithLogitsLoss", PAIR, {"pos_weight": weight(1)}, args=(weight(2, 3),)
    ),
    *reduced("BCEWithLogitsLoss", [(), ()]),
    *reduced("SoftMarginLoss", [(2, 3), signs(2, 3)]),
    *reduced("HingeEmbeddingLoss", [(2, 3), signs(2, 3)], {}, {"margin": 0.3}),
    # classes
    *reduced(
        "CrossEntropyLoss",
        [(6, 4), classes(4, 6)],
        {},
        {"weight": weight(4)},
        {"label_smoothing": 0.2},
        {"label_smoothing": 0.2, "weight": weight(4)},
        {"ignore_index": 2},
        {"ignore_index": 2, "weight": weight(4), "label_smoothing": 0.1},
    ),
    *reduced(
        "CrossEntropyLoss",
        [(6, 4), classes(4, 6, ignored=-100)],
        {},
        {"weight": weight(4)},
        {"label_smoothing": 0.2},
    ),
    *reduced("CrossEntropyLoss", [(4,), classes(4)], {}, {"label_smoothing": 0.2}),
    *reduced("CrossEntropyLoss", [(0, 4), classes(4, 0)]),
    *reduced(
        "CrossEntropyLoss",
        [(2, 3, 4), classes(3, 2, 4, ignored=-1)],
        {"ignore_index": -1},
        {"ignore_index": -1, "weight": weight(3), "label_smoothing": 0.3},
    ),
    *reduced("CrossEntropyLoss", [(2, 3, 2, 2), classes(3, 2, 2, 2)]),
    *reduced("CrossEntropyLoss", [(2, 3, 1, 2, 2), classes(3, 2, 1, 2, 2)]),
    *reduced(
        "CrossEntropyLoss",
        [(5, 4), distribution(5, 4)],
        {},
        {"weight": weight(4)},
        {"label_smoothing": 0.2, "weight": weight(4)},
    ),
    *reduced("CrossEntropyLoss", [(4,), distribution(4)], {}, {"weight": weight(4)}),
    *reduced(
        "CrossEntropyLoss", [(2, 3, 4), distribution(2, 3, 4)], {"weight": weight(3)}
    ),
    *reduced(
        "NLLLoss",
        [(6, 4), classes(4, 6, ignored=1)],
        {},
        {"weight": weight(4)},
        {"ignore_index": 1},
        {"ignore_index": 1, "weight": weight(4)},
    ),
    *reduced("NLLLoss", [(4,), classes(4)], {}, {"weight": weight(4)}),
    *reduced("NLLLoss", [(2, 3, 4), classes(3, 2, 4)], {"weight": weight(3)}),
    *reduced("NLLLoss2d", [(2, 3, 2, 2), classes(3, 2, 2, 2)]),
    *reduced(
        "MultiMarginLoss",
        [(5, 4), classes(4, 5)],
        {},
        {"p": 2},
        {"margin": 0.4},
        {"weight": weight(4), "p": 2},
    ),
    *reduced("MultiMarginLoss", [(4,), classes(4)], {}, {"weight": weight(4)}),
    *reduced(
        "MultiLabelMarginLoss",
        [(3, 4), np.array([[3, 0, -1, 1], [1, 2, 3, 0], [-1, 1, 2, 3]])],
    ),
    *reduced("MultiLabelMarginLoss", [(4,), np.array([2, 0, -1, -1])]),
    *reduced(
        "MultiLabelSoftMarginLoss",
        [(3, 4), probabilities(3, 4)],
        {},
        {"weight": weight(4)},
    ),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


# --- CTC ------------------------------------------------------------------------------


def ctc(library, x, *args, **kwargs):
    """The loss of logits, and their gradient."""
    x = library.tensor(x, requires_grad=True)
    targets = library.tensor(args[0])
    f = library.nn.functional.ctc_loss
    y = f(x.log_softmax(-1), targets, *args[1:], **kwargs)
    y.sum().backward()
    return y.detach().numpy(), x.grad.numpy()


CTC = {
    "padded": ((7, 3, 5), [[1, 2, 3], [2, 2, 0], [4, 0, 0]], (7, 6, 5), (3, 2, 1)),
    "in a row": ((7, 3, 5), [1, 2, 3, 2, 2, 4], (7, 6, 5), (3, 2, 1)),
    "one sequence": ((6, 4), [1, 1, 2], (6,), (3,)),
    "empty target": ((4, 2, 3), [[1, 2], [1, 1]], (4, 3), (0, 2)),
    "too short": ((3, 2, 4), [[1, 1, 2], [1, 2, 3]], (3, 3), (3, 3)),
    "long": ((50, 2, 6), [[1, 2, 3, 4, 5, 5, 4], [2] * 7], (50, 40), (7, 7)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", CTC)
def test_ctc_loss(name, reduction, zero_infinity, dtype):
    shape, targets, *lengths = CTC[name]
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    options = {"reduction": reduction, "zero_infinity": zero_infinity}
    ours = ctc(plugrad, x, targets, *lengths, **options)
    theirs = ctc(torch, x, targets, *lengths, **options)
    tolerance = 1e-5 if dtype == "float32" else 1e-10
    if name == "too short" and not zero_infinity:
        # PyTorch's gradient of an infinite loss is NaN, ours zero
        assert np.isnan(theirs[1]).any() and not np.isnan(ours[1]).any()
        ours, theirs = ours[:1], theirs[:1]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_ctc_loss_is_infinite_where_the_target_does_not_fit():
    x = np.zeros((2, 1, 3))
    for library in (plugrad, torch):
        t = library.tensor(x).log_softmax(2)
        args = library.tensor([[1, 1]]), (2,), (2,)
        assert float(library.nn.functional.ctc_loss(t, *args)) == np.inf


def test_ctc_loss_with_another_blank_and_lengths_in_tensors():
    x = np.random.default_rng(0).standard_normal((6, 2, 4))
    found = []
    for library in (plugrad, torch):
        loss = library.nn.CTCLoss(blank=3, reduction="none")
        lengths = library.tensor([6, 5]), library.tensor([2, 3])
        targets = library.tensor([[0, 1, 1], [0, 0, 2]])
        found.append(loss(library.tensor(x).log_softmax(2), targets, *lengths).numpy())
    np.testing.assert_allclose(*found, rtol=1e-10)


def test_ctc_gradients():
    """First and second, with the logits and with any log-probabilities."""
    x = plugrad.randn(5, 2, 3, dtype=plugrad.float64, requires_grad=True)
    targets = plugrad.tensor([[1, 2], [1, 1]])

    def loss(x):
        return F.ctc_loss(x, targets, (5, 4), (2, 2))

    for function in (loss, lambda x: loss(x.log_softmax(2))):
        assert plugrad.autograd.gradcheck(function, (x,))
        assert plugrad.autograd.gradgradcheck(function, (x,))


# --- As functions ---------------------------------------------------------------------


def both(name, *arrays, rtol=1e-10, **kwargs):
    """A function of both libraries on the same arrays; the outputs and gradients."""
    found = []
    for library in (plugrad, torch):
        tensors = [library.tensor(a) for a in arrays]
        leaves = [t.requires_grad_() for t in tensors if t.is_floating_point()]
        given = {
            key: library.tensor(v) if isinstance(v, np.ndarray) else v
            for key, v in kwargs.items()
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = getattr(library.nn.functional, name)(*tensors, **given)
        y.sum().backward()
        found.append([y.detach().numpy(), *(each.grad.numpy() for each in leaves)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weights_of_elements(name, reduction):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 4))
    weights = rng.uniform(0.1, 1, (3, 4))
    both(name, a, b, weight=weights, reduction=reduction)


@pytest.mark.parametrize("old", [{"size_average": False}, {"reduce": False}, {}])
@pytest.mark.parametrize("name", ["mse_loss", "kl_div", "poisson_nll_loss"])
def test_old_arguments(name, old):
    rng = np.random.default_rng(0)
    both(name, rng.standard_normal((3, 4)), rng.uniform(0.1, 1, (3, 4)), **old)


@pytest.mark.parametrize("reduce", [None, True, False])
@pytest.mark.parametrize("size_average", [None, True, False])
def test_old_arguments_of_layers(size_average, reduce):
    found = []
    for library in (plugrad, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = library.nn.MSELoss(size_average, reduce)
        found.append((loss.reduction, [str(each.message) for each in caught]))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"]
)
def test_a_target_that_broadcasts_warns(name):
    for library in (plugrad, torch):
        a, b = library.zeros(2, 3), library.ones(3)
        with pytest.warns(UserWarning, match="different to the input size"):
            found = getattr(library.nn.functional, name)(a, b, reduction="sum")
        assert found.shape == ()


def test_warnings_of_the_mean_divergence():
    for library in (plugrad, torch):
        with pytest.warns(UserWarning, match="batchmean"):
            library.nn.functional.kl_div(library.zeros(2), library.ones(2))


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_probabilities_of_0_and_1(p):
    x, target = np.full(3, p), np.array([0.0, 0.5, 1.0])
    for reduction in REDUCTIONS:
        # PyTorch's slope there is 1e12, as float32 has it
        options = {"target": target, "reduction": reduction}
        both("binary_cross_entropy", x, **options, rtol=1e-8)


def test_complex_differences():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 4, 2)).view(complex)[..., 0]
    ours = F.l1_loss(plugrad.tensor(a), plugrad.tensor(b))
    theirs = TF.l1_loss(torch.tensor(a), torch.tensor(b))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_cross_entropy_of_extreme_scores():
    x = np.array([[1e4, -1e4, 0.0], [-1e30, 0.0, 1e30], [700.0, 710.0, 0.0]])
    both("cross_entropy", x, np.array([1, 2, 0]), reduction="none")


@pytest.mark.parametrize("target", [0.0, 0.5, 1.0])
def test_binary_cross_entropy_of_extreme_scores(target):
    """Infinite where torch's is, and not a number where that is none."""
    x = np.array([-np.inf, -1e30, -1000.0, 0.0, 1000.0, 1e30, np.inf])
    name = "binary_cross_entropy_with_logits"
    ours, theirs = (
        getattr(m.nn.functional, name)(
            m.tensor(x), m.full(x.shape, target, dtype=m.float64), reduction="none"
        ).numpy()
        for m in (plugrad, torch)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_cross_entropy_in_16_bits():
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float16)
    ours = F.cross_entropy(plugrad.tensor(x), plugrad.tensor([0, 1, 2, 3]))
    theirs = TF.cross_entropy(torch.tensor(x), torch.tensor([0, 1, 2, 3]))
    assert ours.dtype is plugrad.float16
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-3)


# --- Errors ---------------------------------------------------------------------------

ERRORS = {
    "class outside": lambda t, F: F.cross_entropy(t.zeros(2, 3), t.tensor([0, 3])),
    "class below": lambda t, F: F.cross_entropy(t.zeros(2, 3), t.tensor([0, -1])),
    "nll class": lambda t, F: F.nll_loss(t.zeros(2, 3), t.tensor([0, 3])),
    "batch": lambda t, F: F.cross_entropy(t.zeros(2, 3), t.tensor([0, 1, 2])),
    "spatial": lambda t, F: F.cross_entropy(
        t.zeros(2, 3, 4), t.zeros(2, 5, dtype=t.int64)
    ),
    "float classes": lambda t, F: F.cross_entropy(t.zeros(2, 3), t.zeros(2)),
    "integer probabilities": lambda t, F: F.cross_entropy(
        t.zeros(2, 3), t.zeros(2, 3, dtype=t.int64)
    ),
    "ignored probability": lambda t, F: F.cross_entropy(
        t.zeros(2, 3), t.zeros(2, 3), ignore_index=1
    ),
    "smoothing": lambda t, F: F.cross_entropy(
        t.zeros(2, 3), t.tensor([0, 1]), label_smoothing=1.5
    ),
    "weight size": lambda t, F: F.cross_entropy(
        t.zeros(2, 3), t.tensor([0, 1]), t.ones(2)
    ),
    "weight dtype": lambda t, F: F.nll_loss(
        t.zeros(2, 3), t.tensor([0, 1]), t.ones(3).double()
    ),
    "weight's gradient": lambda t, F: F.cross_entropy(
        t.zeros(2, 3), t.tensor([0, 1]), t.ones(3).requires_grad_()
    ),
    "reduction": lambda t, F: F.mse_loss(t.zeros(2), t.zeros(2), reduction="median"),
    "bce size": lambda t, F: F.binary_cross_entropy(t.ones(2), t.ones(2, 1)),
    "bce range": lambda t, F: F.binary_cross_entropy(t.ones(2) * 2, t.ones(2)),
    "logits size": lambda t, F: F.binary_cross_entropy_with_logits(
        t.ones(2), t.ones(3)
    ),
    "weights' size": lambda t, F: F.mse_loss(t.ones(2), t.ones(2), weight=t.ones(1)),
    "beta": lambda t, F: F.smooth_l1_loss(t.ones(2), t.ones(2), beta=-1.0),
    "delta": lambda t, F: F.huber_loss(t.ones(2), t.ones(2), delta=0.0),
    "delta type": lambda t, F: t.nn.HuberLoss(delta="1"),
    "variance": lambda t, F: F.gaussian_nll_loss(t.ones(2), t.ones(2), -t.ones(2)),
    "variance's size": lambda t, F: F.gaussian_nll_loss(
        t.ones(2, 3), t.ones(2, 3), t.ones(3, 3)
    ),
    "power": lambda t, F: F.multi_margin_loss(t.ones(1, 2), t.tensor([0]), p=3),
    "layer's power": lambda t, F: t.nn.MultiMarginLoss(p=3),
    "weight's dims": lambda t, F: t.nn.MultiMarginLoss(weight=t.ones(1, 2)),
    "labels": lambda t, F: F.multilabel_margin_loss(
        t.ones(1, 2), t.zeros(1, 3, dtype=t.int64)
    ),
    "ctc blank": lambda t, F: F.ctc_loss(
        t.zeros(2, 1, 3), t.tensor([[1]]), (2,), (1,), blank=3
    ),
    "ctc lengths": lambda t, F: F.ctc_loss(
        t.zeros(2, 1, 3), t.tensor([[1]]), (2, 2), (1,)
    ),
    "ctc too long": lambda t, F: F.ctc_loss(
        t.zeros(2, 1, 3), t.tensor([[1]]), (3,), (1,)
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    call = ERRORS[name]
    with pytest.raises(Exception) as theirs:
        call(torch, TF)
    with pytest.raises(type(theirs.value)):
        call(plugrad, F)
