"""Copies, pickles, Parameter and Variable beside PyTorch's."""

from __future__ import annotations

import copy
import pickle

import pytest

import plugrad
from tests.against_torch.same import DTYPES, SHAPES, cases, grown, noted, plain, same, x

# Functions made in a loop are called in its same turn.
# ruff: noqa: B023


# --- Copies


WIDE = ("uint1", "uint3", "uint6")
SAVED = [
    # PyTorch cannot pickle uint16, uint32 and uint64
    *[lambda m, d=d: x(m, 2, 2, dtype=d) for d in DTYPES if d[:5] not in WIDE],
    *[lambda m, s=s: m.ones(s) for s in SHAPES],
    lambda m: x(m, 2, 3, requires_grad=True),
    lambda m: grown(m),
    lambda m: x(m, 2, 3).t(),
    lambda m: x(m, 2, 3)[:, 1],
    lambda m: x(m, 2, 3, requires_grad=True).detach(),
    lambda m: m.nn.Parameter(x(m, 2)),
    lambda m: m.nn.Parameter(x(m, 2, dtype="int64"), requires_grad=False),
    lambda m: m.tensor(1.5, requires_grad=True),
]


@pytest.mark.parametrize("make", SAVED, ids=range(len(SAVED)))
def test_copies_and_pickles(make):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        same(lambda m: pickle.loads(pickle.dumps(make(m), protocol)))
    same(lambda m: pickle.loads(pickle.dumps(make(m))).is_leaf)
    same(lambda m: copy.copy(make(m)))
    same(lambda m: copy.copy(make(m)).is_leaf)
    same(lambda m: (t := make(m)).data_ptr() == copy.copy(t).data_ptr())
    same(lambda m: copy.deepcopy(make(m)))


def test_what_goes_with_a_copy():
    for copier in (copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))):
        same(lambda m: copier(noted(m)).note)
        same(lambda m: copier(noted(m)).grad)
        same(lambda m: copier(noted(m, lambda m, t: m.nn.Parameter(t))).grad)
        t = noted(plugrad, lambda m, t: m.nn.Parameter(t))
        assert copier(t).note == [1]
    t = noted(plugrad)
    assert copy.copy(t).note is t.note
    assert copy.deepcopy(t).note is not t.note


@cases(
    lambda m: (c := copy.deepcopy([t := x(m, 3), t]))[0] is c[1],
    lambda m: (c := copy.deepcopy([t := x(m, 4), t[1:]]))[0].add_(1) is c or c,
    lambda m: (c := copy.deepcopy([t := x(m, 2, 3), t.t()]))[1].add_(1) is c or c,
    lambda m: (c := copy.deepcopy([(t := x(m, 4))[1:], t]))[1].add_(1) is c or c,
    lambda m: (t := x(m, 3), copy.deepcopy(t).add_(1)),
    lambda m: (t := x(m, 3), copy.copy(t).add_(1)),
)
def test_views_in_a_copy(call):
    same(call)


class Meters(plugrad.Tensor):
    """A subclass, here at the top so that pickle finds it."""


class Weight(plugrad.nn.Parameter):
    """A parameter of its own class."""


def test_subclasses_keep_their_class():
    for t in (Meters([1.0, 2.0]), Weight(plugrad.ones(2))):
        assert t.tolist() and type(t) in (Meters, Weight)
        for again in (copy.copy(t), copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
            assert type(again) is type(t)
            assert plain(again) == plain(t)
    assert repr(Meters([1.0, 2.0])) == "Meters([1., 2.])"


def test_a_pickle_is_as_small_as_its_elements():
    t = plugrad.ones(10_000)
    assert len(pickle.dumps(t[:10])) < 1000
    buffers = []
    data = pickle.dumps(t, 5, buffer_callback=buffers.append)
    assert len(data) < 1000 and len(buffers) == 1
    frozen = [bytes(buffer) for buffer in buffers]
    assert pickle.loads(data, buffers=frozen).add_(1).sum().item() == 20_000


# --- Parameter and Variable


@cases(
    lambda m: m.nn.Parameter(m.ones(2)),
    lambda m: m.nn.Parameter(),
    lambda m: m.nn.Parameter(None),
    lambda m: m.nn.Parameter(m.tensor(1.0)),
    lambda m: m.nn.Parameter(data=m.ones(1), requires_grad=False),
    lambda m: m.nn.Parameter(x(m, 2, dtype="int64")),
    lambda m: m.nn.Parameter(grown(m)),
    lambda m: m.nn.Parameter(grown(m)).is_leaf,
    lambda m: m.nn.Parameter(m.nn.Parameter(m.ones(2))),
    lambda m: m.nn.Parameter(t := m.ones(2)).data_ptr() == t.data_ptr(),
    lambda m: m.nn.Parameter(m.ones(2)) * 2,
    lambda m: m.nn.Parameter(m.ones(2)).data,
    lambda m: m.nn.Parameter(m.ones(2)).detach(),
    lambda m: m.nn.Parameter(m.ones(2)).clone(),
    lambda m: m.nn.Parameter(m.ones(2))[0],
    lambda m: m.nn.Parameter(m.ones(2)).requires_grad_(False),
    lambda m: (p := m.nn.Parameter(m.ones(2))).to(m.float32) is p,
    lambda m: m.nn.Parameter(m.ones(2)).double(),
    lambda m: isinstance(m.ones(2), m.nn.Parameter),
    lambda m: isinstance(m.nn.Parameter(m.ones(2)), m.Tensor),
    lambda m: repr(m.nn.Parameter(m.ones(2))),
    lambda m: repr(m.nn.Parameter(m.ones(2, 2), requires_grad=False)),
    lambda m: repr(m.nn.Parameter(m.ones(20, 2, dtype=m.float64))),
    lambda m: f"{m.nn.Parameter(m.tensor(1.5))}",
    lambda m: m.autograd.Variable(x(m, 2)),
    lambda m: m.autograd.Variable(),
    lambda m: m.autograd.Variable(x(m, 2), True),
    lambda m: m.autograd.Variable(data=x(m, 2), requires_grad=True).is_leaf,
    lambda m: m.autograd.Variable(x(m, 2), volatile=True),
    lambda m: m.autograd.Variable(grown(m)),
    lambda m: m.autograd.Variable([1.0]),
    lambda m: m.autograd.Variable(m.nn.Parameter(m.ones(2))),
    lambda m: m.autograd.Variable(t := x(m, 2)).data_ptr() == t.data_ptr(),
    lambda m: m.autograd.Variable(t := x(m, 2)) is t,
    lambda m: isinstance(x(m, 2), m.autograd.Variable),
    lambda m: isinstance(m.nn.Parameter(x(m, 2)), m.autograd.Variable),
    lambda m: isinstance(3, m.autograd.Variable),
)
def test_parameter_and_variable(call):
    same(call)


def test_a_parameter_takes_tensors_only():
    with pytest.raises(TypeError, match="list"):  # an AttributeError in PyTorch
        plugrad.nn.Parameter([1.0, 2.0])
