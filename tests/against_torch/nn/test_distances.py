"""Distances, similarities and losses of them, beside torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import plugrad
from plugrad.nn import functional as F
from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.nn.test_losses import classes, reduced, signs

PAIR = [(4, 3), (4, 3)]
TRIPLE = [(4, 3), (4, 3), (4, 3)]

LAYERS = [
    Layer("PairwiseDistance", inputs=PAIR),
    Layer("PairwiseDistance", (1.0,), inputs=PAIR),
    Layer("PairwiseDistance", (3, 0.1, True), inputs=PAIR),
    Layer("PairwiseDistance", (float("inf"),), inputs=PAIR),
    Layer("PairwiseDistance", inputs=[(3,), (3,)]),
    Layer("PairwiseDistance", inputs=[(2, 4, 3), (4, 3)]),
    Layer("PairwiseDistance", inputs=[(0, 3), (0, 3)]),
    Layer("CosineSimilarity", inputs=PAIR),
    Layer("CosineSimilarity", (0,), inputs=PAIR),
    Layer("CosineSimilarity", (-1, 0.5), inputs=PAIR, higher=False),
    Layer("CosineSimilarity", inputs=[(2, 3, 4), (2, 3, 4)]),
    Layer("CosineSimilarity", inputs=[(4, 3), (1, 3)]),
    Layer("CosineSimilarity", inputs=[(0, 3), (0, 3)]),
    *reduced("CosineEmbeddingLoss", [*PAIR, signs(4)], {}, {"margin": 0.3}),
    *reduced("CosineEmbeddingLoss", [(3,), (3,), signs()]),
    *reduced(
        "MarginRankingLoss", [(4,), (4,), signs(4)], {}, {"margin": 0.5}, {"margin": -1}
    ),
    *reduced("MarginRankingLoss", [(), (), signs()]),
    *reduced(
        "TripletMarginLoss",
        TRIPLE,
        {},
        {"margin": 0.4},
        {"p": 1.0},
        {"eps": 0.1},
        {"swap": True},
        {"swap": True, "p": 3, "margin": 2.0},
    ),
    *reduced("TripletMarginLoss", [(3,), (3,), (3,)]),
    *reduced("TripletMarginWithDistanceLoss", TRIPLE, {"margin": 0.4}, {"swap": True}),
    Layer("AdaptiveLogSoftmaxWithLoss", (8, 20, [5, 12]), {}, [(6, 8), classes(20, 6)]),
    Layer(
        "AdaptiveLogSoftmaxWithLoss",
        (8, 20, [5, 12]),
        {"div_value": 2.0, "head_bias": True},
        [(6, 8), classes(20, 6)],
    ),
    Layer("AdaptiveLogSoftmaxWithLoss", (8, 20, [5]), {}, [(8,), classes(20)]),
    Layer("AdaptiveLogSoftmaxWithLoss", (8, 20, [5]), {}, [(3, 8), classes(5, 3)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("shape", [(4, 3), (2, 1), (1, 3), (0, 3)])
def test_pdist(shape, p):
    x = np.random.default_rng(0).standard_normal(shape)
    found = []
    for library in (plugrad, torch):
        t = library.tensor(x, requires_grad=True)
        y = library.nn.functional.pdist(t, p)
        found.append([y.detach().numpy()])
        if shape[0] > 1:  # torch's backward crashes the process where there is no pair
            (y * y).sum().backward()
            grad = library.zeros_like(t) if t.grad is None else t.grad
            found[-1].append(grad.numpy())
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_a_distance_of_ones_own():
    x = np.random.default_rng(0).standard_normal((3, 4, 2))
    found = []
    for library in (plugrad, torch):
        a, b, c = (library.tensor(each, requires_grad=True) for each in x)
        loss = library.nn.TripletMarginWithDistanceLoss(
            distance_function=lambda a, b: (a - b).abs().amax(-1)
        )
        y = loss(a, b, c)
        y.backward()
        found.append([y.detach().numpy(), *(each.grad.numpy() for each in (a, b, c))])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_module_of_distances_is_a_child():
    for library in (plugrad, torch):
        loss = library.nn.TripletMarginWithDistanceLoss(
            distance_function=library.nn.CosineSimilarity()
        )
        assert [name for name, _ in loss.named_children()] == ["distance_function"]


def test_zeros_have_a_similarity():
    found = []
    for library in (plugrad, torch):
        a = library.zeros(2, 3, requires_grad=True)
        b = library.ones(2, 3, requires_grad=True)
        y = library.nn.functional.cosine_similarity(a, b)
        y.sum().backward()
        found.append([y.detach().numpy(), a.grad.numpy(), b.grad.numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 7])
def test_adaptive_probabilities(rows):
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 12], 2.0, True)
    ours = plugrad.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 12], 2.0, True)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = 5 * np.random.default_rng(0).standard_normal((rows, 8)).astype(np.float32)
    with torch.no_grad(), plugrad.no_grad():
        a, b = ours.log_prob(plugrad.tensor(x)), theirs.log_prob(torch.tensor(x))
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5)
        best = ours.predict(plugrad.tensor(x)).numpy()
        assert (best == theirs.predict(torch.tensor(x)).numpy()).all()


ERRORS = {
    "integers": lambda t, F: F.cosine_similarity(t.tensor([[1]]), t.tensor([[1]])),
    "pdist dims": lambda t, F: F.pdist(t.ones(2)),
    "pdist p": lambda t, F: F.pdist(t.ones(2, 2), -1.0),
    "ranks": lambda t, F: F.margin_ranking_loss(t.ones(2), t.ones(2), t.ones(2, 1)),
    "triplets": lambda t, F: F.triplet_margin_loss(t.ones(2), t.ones(2), t.ones(1, 2)),
    "margin": lambda t, F: F.triplet_margin_loss(*[t.ones(2)] * 3, margin=0.0),
    "layer's margin": lambda t, F: t.nn.TripletMarginLoss(margin=-1.0),
    "own distance": lambda t, F: F.triplet_margin_with_distance_loss(
        t.ones(2), t.ones(2), t.ones(1, 2)
    ),
    "targets": lambda t, F: F.cosine_embedding_loss(
        t.ones(2, 3), t.ones(2, 3), t.ones(2, 1)
    ),
    "inputs": lambda t, F: F.cosine_embedding_loss(t.ones(3), t.ones(3), t.ones(2)),
    "no cutoffs": lambda t, F: t.nn.AdaptiveLogSoftmaxWithLoss(8, 20, []),
    "cutoffs": lambda t, F: t.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [10, 5]),
    "last cutoff": lambda t, F: t.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [20]),
    "class": lambda t, F: t.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5])(
        t.ones(1, 8), t.tensor([20])
    ),
    "batch": lambda t, F: t.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5])(
        t.ones(2, 8), t.tensor([1])
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    call = ERRORS[name]
    with pytest.raises(Exception) as theirs:
        call(torch, TF)
    with pytest.raises(type(theirs.value)):
        call(plugrad, F)
