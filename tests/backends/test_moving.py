"""Tensors that move between backends, and what they answer in one that is not NumPy."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import plugrad
from tests.backends.strict import NAME, strict_backend


@pytest.fixture(autouse=True)
def strict():
    return strict_backend()


def ramp(**options):
    return plugrad.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], **options)


def test_to_a_backend_and_back():
    x = ramp()
    y = x.to(backend=NAME)
    assert y.backend == NAME and isinstance(y._a, strict_backend().array_type)
    assert y.to(backend=NAME) is y and y.to("cpu") is y
    assert y.tolist() == x.tolist() and y.dtype is x.dtype
    y += 1
    assert x.tolist() == ramp().tolist()
    back = y.to(x)
    assert back.backend == "numpy" and back.tolist() == (ramp() + 1).tolist()
    assert x.to(plugrad.float64, backend=NAME).dtype is plugrad.float64
    assert x.to(backend=NAME, dtype=plugrad.int64).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_gradients_travel_back():
    x = ramp(requires_grad=True)
    y = (x * 2).to(backend=NAME)
    assert y.requires_grad and not y.is_leaf
    (y * y).sum().backward()
    assert x.grad.backend == "numpy"
    assert x.grad.tolist() == (ramp() * 8).tolist()
    with plugrad.no_grad():
        assert not x.to(backend=NAME).requires_grad


def test_gradients_of_gradients_travel_back():
    x = ramp(requires_grad=True)
    y = x.to(backend=NAME)
    (g,) = plugrad.autograd.grad((y * y * y).sum(), x, create_graph=True)
    assert g.backend == "numpy" and g.tolist() == (ramp() ** 2 * 3).tolist()
    (h,) = plugrad.autograd.grad(g.sum(), x)
    assert h.tolist() == (ramp() * 6).tolist()


def test_a_move_and_a_cast():
    x = ramp(requires_grad=True)
    y = x.to(plugrad.float64, backend=NAME)
    y.sum().backward()
    assert x.grad.dtype is plugrad.float32 and x.grad.tolist() == [[1.0] * 3] * 2


def test_what_there_is_to_ask():
    x, y = ramp(), ramp().to(backend=NAME)
    for question in "size stride numel is_contiguous dim element_size".split():
        assert getattr(y, question)() == getattr(x, question)(), question
    assert (y.device, y.shape, y.nbytes) == (x.device, x.shape, x.nbytes)
    assert y.storage_offset() == 0 and y.untyped_storage().nbytes() == 24
    assert y.untyped_storage() == y.untyped_storage()
    assert y.untyped_storage() != x.untyped_storage()
    assert y.storage().tolist() == x.storage().tolist()
    assert np.asarray(y).tolist() == x.tolist() == y.numpy().tolist()
    assert float(y.sum()) == float(x.sum())
    assert [row.tolist() for row in y] == x.tolist()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, None])
def test_copies_stay_in_the_backend(again):
    x = ramp(requires_grad=True).to(backend=NAME).detach().requires_grad_()
    y = pickle.loads(pickle.dumps(x)) if again is None else again(x)
    assert y.backend == NAME and y.tolist() == x.tolist() and y.requires_grad
    (y * y).sum().backward()
    assert y.grad.backend == NAME and y.grad.tolist() == (ramp() * 2).tolist()
    parameter = plugrad.Parameter(x)
    assert parameter.backend == copy.deepcopy(parameter).backend == NAME


def test_data_may_come_from_another_backend():
    p = plugrad.Parameter(ramp())
    p.data = p.data.to(backend=NAME)
    (p * p).sum().backward()
    assert p.grad.backend == NAME and p.grad.tolist() == (ramp() * 2).tolist()


def test_backends_do_not_mix_by_themselves():
    with pytest.raises(plugrad.BackendError, match=NAME):
        ramp() + ramp().to(backend=NAME)
    with pytest.raises(plugrad.BackendError, match="nonesuch"):
        ramp().to(backend="nonesuch")
