"""Tables of vectors: single rows and bags, their gradients, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.same import cases, same

INDICES = np.array([[1, 2, 0], [4, 2, 2]])
FLAT = np.array([1, 2, 0, 4, 2, 2, 3])
OFFSETS = np.array([0, 2, 2, 5])
WEIGHTS = np.array([0.5, 2.0, -1.0, 1.5, 3.0, 0.25, 1.0])

LAYERS = [
    Layer("Embedding", (5, 3), inputs=[INDICES]),
    Layer("Embedding", (5, 3), inputs=[np.array(2)]),
    Layer("Embedding", (5, 3), inputs=[np.zeros((2, 0), int)]),
    Layer("Embedding", (5, 3), inputs=[INDICES.astype(np.int32)]),
    Layer("Embedding", (5, 1), inputs=[FLAT]),
    # those that change the gradient on purpose are no derivatives
    Layer("Embedding", (5, 3, 2), inputs=[INDICES], smooth=False),
    Layer("Embedding", (5, 3, 0), inputs=[INDICES], smooth=False),
    Layer("Embedding", (5, 3, -1), inputs=[INDICES], smooth=False),
    Layer("Embedding", (5, 3), {"max_norm": 0.5}, inputs=[INDICES], smooth=False),
    Layer(
        "Embedding",
        (5, 3),
        {"max_norm": 1.0, "norm_type": 1.0},
        inputs=[INDICES],
        smooth=False,
    ),
    Layer(
        "Embedding",
        (5, 3, 1),
        {"scale_grad_by_freq": True},
        inputs=[INDICES],
        smooth=False,
    ),
    Layer("Embedding", (5, 3), {"sparse": True}, inputs=[INDICES], smooth=False),
    Layer("Embedding", (5, 3, 2), {"sparse": True}, inputs=[INDICES], smooth=False),
]
for mode in ("sum", "mean", "max"):
    given = {"mode": mode}
    LAYERS += [
        Layer("EmbeddingBag", (5, 3), given, inputs=[INDICES]),
        Layer("EmbeddingBag", (5, 3), given, inputs=[FLAT, OFFSETS]),
        Layer("EmbeddingBag", (5, 3), given, inputs=[FLAT, np.array([0])]),
        Layer("EmbeddingBag", (5, 3), given, inputs=[FLAT, np.array([0, 7])]),
        Layer("EmbeddingBag", (5, 3), given, inputs=[np.zeros((0, 2), int)]),
        Layer(
            "EmbeddingBag",
            (5, 3),
            given | {"include_last_offset": True},
            inputs=[FLAT, np.array([0, 2, 2, 5, 7])],
        ),
        Layer(
            "EmbeddingBag",
            (5, 3),
            given | {"padding_idx": 2},
            inputs=[FLAT, OFFSETS],
            smooth=False,
        ),
        Layer(
            "EmbeddingBag",
            (5, 3),
            given | {"padding_idx": -3},
            inputs=[np.array([[2, 2], [1, 2], [0, 4]])],
            smooth=False,
        ),
        Layer(
            "EmbeddingBag",
            (5, 3),
            given | {"max_norm": 0.5},
            inputs=[FLAT, OFFSETS],
            smooth=False,
        ),
    ]
    if mode != "max":
        LAYERS += [
            Layer(
                "EmbeddingBag",
                (5, 3),
                given | {"sparse": True},
                inputs=[FLAT, OFFSETS],
                smooth=False,
            ),
        ]
LAYERS += [
    Layer("EmbeddingBag", (5, 3), {"mode": "sum"}, inputs=[FLAT, OFFSETS, WEIGHTS]),
    Layer(
        "EmbeddingBag",
        (5, 3),
        {"mode": "sum"},
        inputs=[INDICES],
        call={"per_sample_weights": WEIGHTS[:6].reshape(2, 3)},
    ),
    Layer(
        "EmbeddingBag",
        (5, 3),
        {"mode": "sum", "padding_idx": 2},
        inputs=[FLAT, OFFSETS, WEIGHTS],
        smooth=False,
    ),
    Layer(
        "EmbeddingBag", (5, 3, 2.0, 3.0, False, "sum"), inputs=[INDICES], smooth=False
    ),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


def table(m, *shape, seed=0, dtype="float64"):
    data = np.random.default_rng(seed).standard_normal(shape)
    return m.tensor(data, dtype=getattr(m, dtype)).requires_grad_()


# --- Functional forms -----------------------------------------------------------------


def bag(input, offsets=None, samples=None, *, rows=5, **options):
    """A call of embedding_bag, and its gradients."""

    def call(m):
        weight = table(m, rows, 3)
        at = m.tensor(input)
        given = None if offsets is None else m.tensor(offsets)
        if samples is not None:
            options["per_sample_weights"] = m.tensor(samples).double().requires_grad_()
        y = m.nn.functional.embedding_bag(at, weight, given, **options)
        (y * y.detach().cos()).sum().backward()
        found = [y, weight.grad.to_dense()]
        if samples is not None:
            found.append(options["per_sample_weights"].grad)
        return tuple(found)

    return call


@cases(
    *(
        bag(FLAT, np.array(offsets), mode=mode)
        for mode in ("sum", "mean", "max")
        for offsets in ([0], [0, 0], [0, 7], [0, 3, 7], [0, 7, 7], [0, 1, 1, 1, 6])
    ),
    *(bag(INDICES, mode=mode) for mode in ("sum", "mean", "max")),
    bag(FLAT, OFFSETS, WEIGHTS, mode="sum"),
    bag(FLAT, OFFSETS, WEIGHTS, mode="sum", padding_idx=2),
    bag(FLAT, OFFSETS, WEIGHTS, mode="mean"),
    bag(FLAT, OFFSETS, WEIGHTS[:3], mode="sum"),
    bag(FLAT, OFFSETS, mode="sum", sparse=True),
    bag(FLAT, OFFSETS, mode="mean", sparse=True),
    bag(FLAT, OFFSETS, mode="max", sparse=True),
    bag(FLAT, OFFSETS, mode="max", scale_grad_by_freq=True),
    bag(FLAT, OFFSETS, mode="other"),
    bag(FLAT, OFFSETS, padding_idx=7),
    bag(FLAT, OFFSETS, padding_idx=-6),
    bag(FLAT),
    bag(FLAT, OFFSETS.reshape(2, 2)),
    bag(INDICES, OFFSETS),
    bag(INDICES.reshape(1, 2, 3)),
    bag(FLAT, np.array([1, 3])),
    bag(FLAT, np.array([0, 9])),
    bag(FLAT + 3, OFFSETS),
    bag(FLAT, np.array([0, 2, 7]), include_last_offset=True),
    bag(FLAT, np.array([], int), include_last_offset=True),
)
def test_bags(call):
    same(call)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_bags_by_frequency(mode):
    """Each row's gradient over how often it was taken; torch's, of bags, divides some
    rows by how often another was."""
    call = bag(FLAT, OFFSETS, mode=mode)
    scaled = bag(FLAT, OFFSETS, mode=mode, scale_grad_by_freq=True)
    counts = np.bincount(FLAT, minlength=5)[:, None]
    expected = call(plugrad)[1].numpy() / np.maximum(counts, 1)
    assert np.allclose(scaled(plugrad)[1].numpy(), expected)


def rows(*args, indices=INDICES, shape=(5, 3), **options):
    def call(m):
        weight = table(m, *shape)
        y = m.nn.functional.embedding(m.tensor(indices), weight, *args, **options)
        (y * y).sum().backward()
        return y, weight, weight.grad.is_sparse, weight.grad.to_dense()

    return call


@cases(
    rows(),
    rows(2),
    rows(0),
    rows(-1),
    rows(-5),
    rows(5),
    rows(-6),
    rows(max_norm=1.0),
    rows(max_norm=1.0, norm_type=1),
    rows(max_norm=0.3, norm_type=float("inf")),
    rows(scale_grad_by_freq=True),
    rows(2, scale_grad_by_freq=True),
    rows(sparse=True),
    rows(2, sparse=True),
    rows(sparse=True, scale_grad_by_freq=True),
    rows(indices=INDICES + 3),
    rows(indices=INDICES - 1),
    rows(indices=INDICES * 1.0),
    rows(shape=(15,)),
    rows(indices=INDICES.astype(np.int32)),
)
def test_embedding(call):
    same(call)


@cases(
    lambda m: m.nn.Embedding(5, 3, 5),
    lambda m: m.nn.Embedding(5, 3, -6),
    lambda m: m.nn.Embedding(5, 3, -5).padding_idx,
    lambda m: m.nn.EmbeddingBag(5, 3, padding_idx=5),
    lambda m: m.nn.EmbeddingBag(5, 3, padding_idx=-1).padding_idx,
    lambda m: m.nn.Embedding(5, 3, _weight=m.ones(3, 5)),
    lambda m: m.nn.EmbeddingBag(5, 3, _weight=m.ones(3, 5)),
    lambda m: m.nn.Embedding(5, 3, 2).weight[2],
    lambda m: m.nn.EmbeddingBag(5, 3, padding_idx=2).weight[2],
    lambda m: m.nn.Embedding(5, 3, dtype=m.float64).weight.dtype,
    lambda m: m.nn.Embedding.from_pretrained(m.ones(2, 3)).weight,
    lambda m: m.nn.Embedding.from_pretrained(m.ones(2, 3), False).weight,
    lambda m: m.nn.Embedding.from_pretrained(m.ones(6)),
    lambda m: repr(m.nn.Embedding.from_pretrained(m.ones(2, 3), True, 1, 2.0, 1.0)),
    lambda m: m.nn.Embedding.from_pretrained(m.ones(2, 3), padding_idx=1).weight,
    lambda m: m.nn.EmbeddingBag.from_pretrained(m.ones(2, 3)).weight,
    lambda m: m.nn.EmbeddingBag.from_pretrained(m.ones(2, 3), False, mode="max").weight,
    lambda m: m.nn.EmbeddingBag.from_pretrained(m.ones(6)),
    lambda m: repr(m.nn.EmbeddingBag.from_pretrained(m.ones(2, 3), mode="sum")),
    lambda m: repr(m.nn.Embedding(5, 3, 1, 2.0, 3, True, True)),
    lambda m: repr(m.nn.EmbeddingBag(5, 3, 2.0, 3, True, padding_idx=1)),
)
def test_layers(call):
    same(call)


def test_a_pretrained_weight_is_not_copied():
    def call(m):
        weight = m.ones(2, 3)
        layer = m.nn.Embedding.from_pretrained(weight)
        weight[0, 0] = 5
        return layer.weight

    same(call)


def test_new_weights_are_normal():
    weight = plugrad.nn.Embedding(300, 100).weight.detach().numpy()
    assert abs(weight.mean()) < 0.02 and abs(weight.std() - 1) < 0.02


def test_only_named_rows_are_shortened():
    def call(m):
        weight = table(m, 5, 3).detach() * 10
        m.nn.functional.embedding(m.tensor([1, 3, 3]), weight, max_norm=1.0)
        return weight

    same(call)


@cases(
    lambda m: m.nn.functional.one_hot(m.tensor([0, 2, 1])),
    lambda m: m.nn.functional.one_hot(m.tensor([[0, 2]]), 5),
    lambda m: m.nn.functional.one_hot(m.tensor(3), num_classes=4),
    lambda m: m.nn.functional.one_hot(m.tensor([0, 2]), 2),
    lambda m: m.nn.functional.one_hot(m.tensor([0, -1])),
    lambda m: m.nn.functional.one_hot(m.tensor([0.0])),
    lambda m: m.nn.functional.one_hot(m.tensor([], dtype=m.int64)),
    lambda m: m.nn.functional.one_hot(m.zeros(0, 2, dtype=m.int64), 3),
    lambda m: m.nn.functional.one_hot(m.tensor([0]), 0),
)
def test_one_hot(call):
    same(call)
