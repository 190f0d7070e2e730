"""Pruning beside torch's."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.utils.prune

import plugrad

LIBRARIES = (plugrad, torch)


def numbers(*shape: int, seed: int = 0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def modules(kind="Linear", args=(4, 6)):
    """A layer of each library, with the same weights."""
    for library in LIBRARIES:
        layer = getattr(library.nn, kind)(*args)
        with library.no_grad():
            for seed, p in enumerate(layer.parameters()):
                p.copy_(library.tensor(numbers(*p.shape, seed=seed)))
        yield library, library.nn.utils.prune, layer


def state(module):
    return {k: v.numpy() for k, v in module.state_dict().items()}


def same_states(found):
    ours, theirs = found
    assert list(ours) == list(theirs)
    for key in ours:
        np.testing.assert_array_equal(ours[key], theirs[key])


CALLS = {
    "identity": lambda p, m, t: p.identity(m, "weight"),
    "l1, number": lambda p, m, t: p.l1_unstructured(m, "weight", 5),
    "l1, share": lambda p, m, t: p.l1_unstructured(m, "weight", amount=0.3),
    "l1, none": lambda p, m, t: p.l1_unstructured(m, "weight", amount=0),
    "l1, all": lambda p, m, t: p.l1_unstructured(m, "bias", amount=1.0),
    "l1, scores": lambda p, m, t: p.l1_unstructured(
        m, "weight", 0.5, importance_scores=t.tensor(numbers(*m.weight.shape, seed=3))
    ),
    "ln, rows": lambda p, m, t: p.ln_structured(m, "weight", 2, 2, 0),
    "ln, columns": lambda p, m, t: p.ln_structured(m, "weight", 0.5, 1, 1),
    "ln, largest": lambda p, m, t: p.ln_structured(m, "weight", 1, float("inf"), -1),
    "ln, none": lambda p, m, t: p.ln_structured(m, "weight", 0, 2, 0),
    "ln, scores": lambda p, m, t: p.ln_structured(
        m, "weight", 1, 2, 0, t.tensor(numbers(*m.weight.shape, seed=3))
    ),
    "mask": lambda p, m, t: p.custom_from_mask(
        m, "weight", t.tensor(numbers(*m.weight.shape, seed=4) > 0)
    ),
}


@pytest.mark.parametrize("kind", ["Linear", "Conv1d"])
@pytest.mark.parametrize("name", CALLS)
def test_masks(name, kind):
    args = (4, 6) if kind == "Linear" else (2, 4, 3)
    found = []
    for library, prune, layer in modules(kind, args):
        assert not prune.is_pruned(layer)
        assert CALLS[name](prune, layer, library) is layer
        assert prune.is_pruned(layer)
        assert prune.is_pruned(library.nn.Sequential(layer))
        found.append(state(layer))
    same_states(found)


@pytest.mark.parametrize("second", CALLS)
@pytest.mark.parametrize("first", ["l1, number", "ln, rows", "mask", "identity"])
def test_pruning_again(first, second):
    found = []
    for library, prune, layer in modules():
        for name in (first, second, "l1, share"):
            CALLS[name](prune, layer, library)
        found.append(state(layer))
    same_states(found)


def test_gradients_and_updates():
    found = []
    for library, prune, layer in modules():
        prune.l1_unstructured(layer, "weight", 0.5)
        for _ in range(2):
            layer.zero_grad()
            y = layer(library.tensor(numbers(3, 4)))
            (y * y).sum().backward()
            for p in layer.parameters():
                p.data = p.data - 0.01 * p.grad
        found.append(
            [
                layer.weight_orig.grad.numpy(),
                y.detach().numpy(),
                layer.weight_mask.numpy(),
            ]
        )
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_removal_is_for_good():
    found = []
    for _, prune, layer in modules():
        original = layer.weight
        prune.l1_unstructured(layer, "weight", 0.5)
        prune.ln_structured(layer, "weight", 1, 2, 0)
        prune.l1_unstructured(layer, "bias", 2)
        prune.remove(layer, "weight")
        assert layer.weight is original
        assert prune.is_pruned(layer)
        prune.remove(layer, "bias")
        assert not prune.is_pruned(layer)
        with pytest.raises(ValueError):
            prune.remove(layer, "weight")
        found.append(state(layer))
    same_states([dict(sorted(each.items())) for each in found])


@pytest.mark.parametrize("amount", [7, 0.4])
@pytest.mark.parametrize("scores", [False, True])
def test_global(amount, scores):
    found = []
    for library, prune, layer in modules():
        other = library.nn.Linear(3, 2)
        with library.no_grad():
            other.weight.copy_(library.tensor(numbers(2, 3, seed=7)))
            other.bias.copy_(library.tensor(numbers(2, seed=8)))
        places = [(layer, "weight"), (other, "weight"), (layer, "bias")]
        importance = {}
        if scores:
            values = library.tensor(numbers(2, 3, seed=9))
            importance = {"importance_scores": {places[1]: values}}
        for _ in range(2):
            prune.global_unstructured(
                places, prune.L1Unstructured, amount=amount, **importance
            )
        found.append(state(layer) | {"other" + k: v for k, v in state(other).items()})
    same_states(found)


@pytest.mark.parametrize("amount", [0, 3, 0.5, 1.0])
def test_random_masks_have_the_right_number_of_zeros(amount):
    for _, prune, layer in modules():
        for _ in range(2):
            prune.random_unstructured(layer, "weight", amount)
        n = 24
        for _ in range(2):
            n -= amount if isinstance(amount, int) else round(amount * n)
        assert int(layer.weight_mask.sum()) == n
    for _, prune, layer in modules():
        prune.random_structured(layer, "weight", amount, 0)
        rows = layer.weight_mask.numpy()
        assert set(rows.sum(1)) <= {0, 4}
        left = 6 - (amount if isinstance(amount, int) else round(amount * 6))
        assert int((rows.sum(1) == 4).sum()) == left


def test_random_masks_differ():
    masks = set()
    for _ in range(5):
        layer = plugrad.nn.Linear(10, 10)
        plugrad.nn.utils.prune.random_unstructured(layer, "weight", 0.5)
        masks.add(layer.weight_mask.numpy().tobytes())
    assert len(masks) > 1


def test_ones_own_method():
    found = []
    for _, prune, layer in modules():

        class Other(prune.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def __init__(self, start=0):
                self.start = start

            def compute_mask(self, t, default_mask):
                mask = default_mask.clone()
                mask.view(-1)[self.start :: 2] = 0
                return mask

        Other.apply(layer, "weight", 1)
        method = Other.apply(layer, "weight", start=0)
        assert isinstance(method, prune.PruningContainer) and len(method) == 2
        assert isinstance(method[0], Other) and list(method)[1].start == 0
        found.append(state(layer))
    same_states(found)


def test_prune_of_tensors():
    found = []
    for library in LIBRARIES:
        prune = library.nn.utils.prune
        t, scores = library.tensor(numbers(3, 4)), library.tensor(numbers(3, 4, seed=1))
        mask = library.ones(3, 4)
        mask[0] = 0
        found.append(
            [
                prune.L1Unstructured(4).prune(t),
                prune.L1Unstructured(0.25).prune(t, default_mask=mask),
                prune.L1Unstructured(4).prune(t, importance_scores=scores),
                prune.LnStructured(1, 2, 0).prune(t, mask),
            ]
        )
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_copies_are_pruned_on_their_own():
    layer = plugrad.nn.Linear(4, 6)
    prune = plugrad.nn.utils.prune
    prune.l1_unstructured(layer, "weight", 0.5)
    with plugrad.no_grad():
        layer(plugrad.ones(4))
    twin = copy.deepcopy(layer)
    prune.remove(twin, "weight")
    assert prune.is_pruned(layer) and not prune.is_pruned(twin)
    assert plugrad.equal(twin(plugrad.ones(4)), layer(plugrad.ones(4)))


def test_a_failed_attempt_changes_nothing():
    for _, prune, layer in modules():
        with pytest.raises(ValueError):
            prune.l1_unstructured(layer, "weight", 100)
        assert list(layer.state_dict()) in (["weight", "bias"], ["bias", "weight"])
        layer(layer.weight[0])


ERRORS = {
    "amount's type": (TypeError, lambda p, m, t: p.l1_unstructured(m, "weight", "1")),
    "negative": (ValueError, lambda p, m, t: p.l1_unstructured(m, "weight", -1)),
    "share": (ValueError, lambda p, m, t: p.random_unstructured(m, "weight", 1.5)),
    "too many": (ValueError, lambda p, m, t: p.l1_unstructured(m, "weight", 100)),
    "vector": (ValueError, lambda p, m, t: p.ln_structured(m, "bias", 1, 2, 0)),
    "dim": (IndexError, lambda p, m, t: p.ln_structured(m, "weight", 1, 2, 2)),
    "mask": (
        AssertionError,
        lambda p, m, t: p.custom_from_mask(m, "weight", t.ones(2, 2)),
    ),
    "scores": (
        AssertionError,
        lambda p, m, t: p.l1_unstructured(m, "weight", 1, t.ones(2)),
    ),
    "name": (AttributeError, lambda p, m, t: p.l1_unstructured(m, "no", 1)),
    "global": (
        TypeError,
        lambda p, m, t: p.global_unstructured(
            [(m, "weight")], p.LnStructured, amount=1, n=2
        ),
    ),
    "scores' type": (
        TypeError,
        lambda p, m, t: p.global_unstructured(
            [(m, "weight")], p.L1Unstructured, [1], amount=1
        ),
    ),
    "container": (
        TypeError,
        lambda p, m, t: p.PruningContainer().add_pruning_method(1),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    kind, do = ERRORS[name]
    for library, prune, layer in modules():
        with pytest.raises(kind):
            do(prune, layer, library)
