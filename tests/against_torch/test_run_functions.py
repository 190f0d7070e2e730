"""What the plugin `run` has of its own, beside PyTorch's."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest
import torch
from torch.utils import _pytree as theirs

import plugrad
from plugrad.plugins.run import functions, settings, surface
from plugrad.plugins.run import trees as ours
from plugrad.plugins.run.names import FUNCTIONAL, METHODS, OWN, STANDINS

Pair = namedtuple("Pair", "left right")
TREES = [
    3,
    None,
    [],
    [1, (2, {"b": 3, "a": [4]}), []],
    Pair(1, Pair([2], {})),
    OrderedDict(x=1, y=(2, 3)),
    {"set": {1}, "text": "ab", "none": None},
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_trees(tree):
    leaves, spec = ours.tree_flatten(tree)
    wanted = theirs.tree_leaves(tree)
    assert leaves == wanted == ours.tree_leaves(tree)
    assert spec.num_leaves == len(wanted)
    assert ours.tree_unflatten(leaves, spec) == tree
    for m in (ours, theirs):
        assert m.tree_map(lambda x: x, tree) == tree
    assert ours.tree_map(str, tree) == theirs.tree_map(str, tree)
    only = [m.tree_map_only(int, lambda x: -x, tree) for m in (ours, theirs)]
    assert only[0] == only[1]


def test_leaves_of_ones_own_choice():
    tree = [1, (2, 3), [(4,)]]
    found = [
        m.tree_map(len, tree[1:], is_leaf=lambda x: isinstance(x, tuple))
        for m in (ours, theirs)
    ]
    assert found[0] == found[1] == [2, [1]]


def test_wrong_numbers_of_leaves():
    for m in (ours, theirs):
        with pytest.raises(ValueError):
            m.tree_unflatten([1], m.tree_flatten([1, 2])[1])


@pytest.mark.parametrize("shapes", [[(2, 1), (3,)], [3, (2, 1)], [(0,), 1], [(), ()]])
def test_broadcast_shapes(shapes):
    found = functions.broadcast_shapes(*shapes)
    assert tuple(found) == tuple(torch.broadcast_shapes(*shapes))


def test_typename():
    for value in ("x", int, 3, OrderedDict(), OrderedDict):
        assert settings.typename(value) == torch.typename(value)
    name = settings.typename(plugrad.ones(1))
    assert name.replace("plugrad", "torch") == torch.typename(torch.ones(1))


def test_every_name_is_one_of_pytorchs():
    for name in FUNCTIONAL | METHODS | OWN.keys():
        assert hasattr(torch, name), name
    for name in STANDINS:
        __import__(name)
    assert surface.find("conv2d") is plugrad.nn.functional.conv2d


def test_functions_at_the_top_take_what_pytorchs_take():
    x = torch.arange(24.0).view(1, 2, 3, 4) / 10
    calls = {
        "conv2d": lambda m, x: m.conv2d(x, m.ones(3, 2, 2, 2), None, 1, 1),
        "layer_norm": lambda m, x: m.layer_norm(x, (4,)),
        "group_norm": lambda m, x: m.group_norm(x, 2),
        "dropout": lambda m, x: m.dropout(x, 0.5, False),
        "max_pool2d": lambda m, x: m.max_pool2d(x, 2),
        "avg_pool1d": lambda m, x: m.avg_pool1d(x[0], 2),
        "pixel_shuffle": lambda m, x: m.pixel_shuffle(m.ones(1, 4, 2, 2), 2),
        "cosine_similarity": lambda m, x: m.cosine_similarity(x, x + 1, 1),
        "pairwise_distance": lambda m, x: m.pairwise_distance(x, x + 1),
        "relu_": lambda m, x: m.relu_(x - 1),
        "zero_": lambda m, x: m.zero_(x.clone()),
        "detach": lambda m, x: m.detach(x),
    }
    mine = surface.Torch("torch")
    for name, call in calls.items():
        found, wanted = call(mine, plugrad.tensor(x.tolist())), call(torch, x)
        assert torch.allclose(torch.tensor(found.tolist()), wanted, atol=1e-6), name
