"""Batches divided among devices, which here are threads of the CPU.

torch needs GPUs for that; a divided call is compared with the module's own.
"""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from threading import Barrier, get_ident

import numpy as np
import pytest
import torch

import plugrad
from plugrad import nn
from plugrad.nn import parallel
from tests.backends.strict import strict_backend

Pair = namedtuple("Pair", ["a", "b"])
TWO, THREE = ["cpu"] * 2, ["cpu"] * 3


def network():
    return nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)
    ).double()


@pytest.mark.skipif(torch.cuda.is_available(), reason="compares a machine without GPU")
@pytest.mark.parametrize("device_ids", [None, [0], [0, 1]])
def test_without_a_gpu_the_module_is_called_as_it_is(device_ids):
    for library in (plugrad, torch):
        layer = library.nn.Linear(2, 1)
        net = library.nn.DataParallel(layer, device_ids)
        assert net.device_ids == [] and net.module is layer
        assert list(net.state_dict()) == ["module.weight", "module.bias"]
        x = library.ones(3, 2)
        assert bool((net(x) == layer(x)).all())


@pytest.mark.skipif(torch.cuda.is_available(), reason="compares a machine without GPU")
def test_what_needs_devices_raises():
    for library in (plugrad, torch):
        with pytest.raises(RuntimeError):
            library.nn.parallel.data_parallel(
                library.nn.Linear(2, 1), library.ones(1, 2)
            )
        with pytest.raises(ValueError):
            library.nn.parallel.DistributedDataParallel(library.nn.Linear(2, 1))


@pytest.mark.parametrize("rows", [1, 2, 5, 8])
@pytest.mark.parametrize("devices", [["cpu"], TWO, THREE])
def test_outputs_and_gradients(devices, rows):
    net = network().eval()
    x = plugrad.randn(rows, 3, dtype=plugrad.float64, requires_grad=True)
    found = []
    for call in (net, nn.DataParallel(net, devices)):
        net.zero_grad()
        x.grad = None
        y = call(x)
        (y * y).sum().backward()
        found.append([y, x.grad, *(p.grad for p in net.parameters())])
    for whole, divided in zip(*found, strict=True):
        assert plugrad.allclose(whole, divided)


def test_each_part_has_its_thread_and_batch():
    seen = []
    together = Barrier(2, timeout=10)

    class Note(nn.Module):
        def forward(self, x, *, scale, name):
            together.wait()
            seen.append((get_ident(), tuple(x.shape), float(scale.sum()), name))
            return x * scale

    x, scale = plugrad.arange(5.0), plugrad.ones(5)
    y = nn.DataParallel(Note(), TWO)(x, scale=scale, name="n")
    assert plugrad.equal(y, x)
    assert sorted(each[1:] for each in seen) == [((2,), 2.0, "n"), ((3,), 3.0, "n")]
    assert len({each[0] for each in seen}) == 2 and get_ident() not in seen[0]


def test_training_statistics_are_those_of_the_first_part():
    net = network()
    twin = network()
    twin.load_state_dict(net.state_dict())
    x = plugrad.randn(6, 3, dtype=plugrad.float64)
    nn.DataParallel(net, THREE)(x)
    twin(x[:2])
    for ours, alone in zip(net.buffers(), twin.buffers(), strict=True):
        assert plugrad.allclose(ours, alone)


def test_nothing_is_recorded_without_gradients():
    net = network().eval()
    with plugrad.no_grad():
        y = nn.DataParallel(net, TWO)(plugrad.ones(4, 3).double())
    assert not y.requires_grad


def test_threads_see_the_backend_that_is_chosen_here():
    class Names(nn.Module):
        def forward(self, x):
            return [plugrad.default_backend().name]

    name = strict_backend().name
    assert name != plugrad.default_backend().name
    with plugrad.backend(name):
        found = parallel.parallel_apply([Names(), Names()], [plugrad.ones(1)] * 2)
    assert found == [[name]] * 2


def test_another_dimension():
    class Rows(nn.Module):
        def forward(self, x):
            return x.sum(0, keepdim=True)

    x = plugrad.randn(3, 4)
    y = nn.DataParallel(Rows(), TWO, dim=1)(x)
    assert plugrad.allclose(y, x.sum(0, keepdim=True))


def test_calls_without_inputs():
    class Constant(nn.Module):
        def forward(self):
            return plugrad.ones(2)

    assert plugrad.equal(nn.DataParallel(Constant(), TWO)(), plugrad.ones(2))


def test_data_parallel():
    net = network().eval()
    x = plugrad.randn(5, 3, dtype=plugrad.float64)
    for inputs in (x, (x,)):
        assert plugrad.allclose(parallel.data_parallel(net, inputs, TWO), net(x))


# --- Replicas -------------------------------------------------------------------------


def test_replicas():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net.again = net[0]  # shared
    first, second = parallel.replicate(net, TWO)
    assert list(second.parameters()) == [] and list(net.parameters())
    assert second.again is second[0] and second[0] is not net[0]
    second(plugrad.ones(1, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    (detached,) = parallel.replicate(net, ["cpu"], detach=True)
    assert not detached(plugrad.ones(1, 2)).requires_grad
    assert parallel.replicate(net, []) == []
    assert second.training and not parallel.replicate(net.eval(), TWO)[0].training


def test_replicas_of_all_kinds_of_layers():
    x = plugrad.randn(4, 5, 6)
    for layer in (
        nn.LSTM(6, 3, batch_first=True),
        nn.GRU(6, 3, 2, batch_first=True),
        nn.Conv1d(5, 2, 3),
        nn.MultiheadAttention(6, 2, batch_first=True),
        nn.utils.parametrizations.weight_norm(nn.Linear(6, 2)),
    ):
        args = (x, x, x) if isinstance(layer, nn.MultiheadAttention) else (x,)
        whole = layer(*args)
        if isinstance(layer, (nn.LSTM, nn.GRU)):
            # states have the batch in dimension 1
            divided = nn.DataParallel(First(layer), TWO)(x)
            whole = whole[0]
        else:
            divided = nn.DataParallel(layer, TWO)(*args)
        whole = whole[0] if isinstance(whole, tuple) else whole
        divided = divided[0] if isinstance(divided, tuple) else divided
        assert plugrad.allclose(whole, divided, atol=1e-6), layer


class First(nn.Module):
    """The first output of a module."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, *args):
        return self.module(*args)[0]


# --- Scatter and gather ---------------------------------------------------------------


def test_scatter_goes_through_everything():
    x = plugrad.arange(4)
    value = {"a": [x, (x, 1)], "b": Pair(x, None), "c": OrderedDict(d=x), "e": ()}
    first, second = parallel.scatter(value, TWO)
    low, high = x[:2], x[2:]
    for found, part in ((first, low), (second, high)):
        assert plugrad.equal(found["a"][0], part)
        assert plugrad.equal(found["a"][1][0], part) and found["a"][1][1] == 1
        assert isinstance(found["b"], Pair) and plugrad.equal(found["b"].a, part)
        assert isinstance(found["c"], OrderedDict) and found["e"] == ()
    for part in (first, second):
        part["a"] = part["a"][:1]  # numbers cannot be joined
    joined = parallel.gather([first, second], "cpu")
    assert plugrad.equal(joined["a"][0], x) and plugrad.equal(joined["c"]["d"], x)


def test_gather():
    rows = [Pair(plugrad.ones(1, 2), None), Pair(plugrad.zeros(2, 2), None)]
    joined = parallel.gather(rows, "cpu")
    assert joined.a.shape == (3, 2) and joined.b is None
    with pytest.warns(UserWarning, match="scalars"):
        y = parallel.gather([plugrad.tensor(1.0), plugrad.tensor(2.0)], "cpu")
    assert plugrad.equal(y, plugrad.tensor([1.0, 2.0]))
    with pytest.raises(ValueError):
        parallel.gather([{"a": 1}, {}], "cpu")


# --- Errors ---------------------------------------------------------------------------


def test_errors_of_threads_arrive():
    class Fails(nn.Module):
        def forward(self, x):
            if float(x[0]) > 0:
                raise KeyError("too large")
            return x

    with pytest.raises(KeyError, match="too large") as caught:
        nn.DataParallel(Fails(), TWO)(plugrad.arange(4.0))
    assert "replica 1" in "".join(caught.value.__notes__)


def test_counts_have_to_match():
    layer = nn.Linear(1, 1)
    for args in (
        ([layer], []),
        ([layer], [plugrad.ones(1)], [{}, {}]),
        ([layer], [plugrad.ones(1)], None, TWO),
    ):
        with pytest.raises(AssertionError):
            parallel.parallel_apply(*args)


def test_the_module_has_to_be_on_the_first_device(monkeypatch):
    net = nn.DataParallel(nn.Linear(2, 1), TWO)
    monkeypatch.setattr(
        "plugrad.nn.parallel.wrappers.device_of", lambda each: plugrad.device("cuda", 1)
    )
    with pytest.raises(RuntimeError, match="cuda:1"):
        net(plugrad.ones(2, 2))


def test_indices_are_gpus(monkeypatch):
    """With two GPUs, all are taken if none is named, and an index means a GPU."""
    monkeypatch.setattr("plugrad.cuda.device_count", lambda: 2)
    net = nn.DataParallel(nn.Linear(2, 1), output_device=1)
    assert net.device_ids == [0, 1] and net.output_device == 1
    assert net.src_device_obj == plugrad.device("cuda", 0)
    with pytest.raises(RuntimeError, match="found one of them on device: cpu"):
        net(plugrad.ones(2, 2))
    assert np.array_equal(nn.DataParallel(nn.Linear(2, 1), [1, 0]).device_ids, [1, 0])
