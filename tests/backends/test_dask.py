"""Dask's arrays: the same values as NumPy's, and nothing computed before it is asked
for."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
import plugrad.nn
import plugrad.optim
from plugrad.interface import OPS
from tests.backends.pairs import NAMES, run_cell
from tests.expected import report

dask = pytest.importorskip("dask", reason="dask is no part of the test extra")
da = pytest.importorskip("dask.array", reason="dask is no part of the test extra")

DTYPES = (plugrad.float64, plugrad.int64)


@pytest.fixture
def k():
    return plugrad.get_backend("dask")


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


class Counted:
    """How often Dask computed."""

    def __init__(self):
        self.count = 0

    def __call__(self, dsk, keys, **options):
        self.count += 1
        return dask.get(dsk, keys, **options)


@pytest.fixture
def counted():
    scheduler = Counted()
    with dask.config.set(scheduler=scheduler):
        yield scheduler


def cut(*shape, dtype=plugrad.float64):
    """A tensor in chunks of two elements along each dimension."""
    values = np.arange(np.prod(shape), dtype=dtype.name).reshape(shape)
    return plugrad.as_tensor(da.from_array(values, chunks=2))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_op(name, k):
    for dtype in DTYPES:
        differences, _, wanted = run_cell("dask", name, dtype, most=5)
        if name in k.leaves_out:
            assert all("UnsupportedOpError" in each[2] for each in differences)
            assert differences or not wanted
        else:
            assert not differences, report([str(each) for each in differences])


def test_what_is_left_out_has_a_reason(k):
    assert {key.partition("[")[0] for key in k.leaves_out} <= OPS.keys()
    for call in ("x[x > 1]", "x.nonzero()", "x.unique()", "plugrad.argwhere(x)"):
        with pytest.raises(plugrad.UnsupportedOpError, match="dask.*depends on values"):
            eval(call, {"x": cut(4), "plugrad": plugrad})


def test_nothing_is_computed_until_values_are_asked_for(k, counted):
    assert k.lazy
    x = cut(4, 4).requires_grad_()
    y = (x @ x).relu().softmax(1) + x.sum(0)
    y.sum().backward()
    view = x.detach()[1:]
    view += 1
    loss = plugrad.linalg.solve(x.detach() + 20 * plugrad.eye(4).to(x), y.detach())
    assert not counted.count and isinstance(x.grad._a, da.Array)
    for times, ask in enumerate(
        (
            lambda: x.grad.tolist(),
            lambda: y.sum().item(),
            lambda: bool((y > 0).all()),
            lambda: loss.numpy(),
            lambda: repr(x.detach()),
        )
    ):
        before = counted.count
        ask()
        assert counted.count > before, times


def test_chunks_stay(k):
    x = cut(4, 6)
    assert (x * 2 + x).exp()._a.chunks == x._a.chunks
    assert x.sum(0)._a.chunks == (x._a.chunks[1],)


PROGRAMS = """
x.add_(1)
x[1:3] = 2
x[:, 1] += x[:, 0]
x.t()[1] = 7
x.view(-1)[5:] = 3
v = x[1]; v.mul_(3)
x.zero_()
x[::-1][0] = 4
x.copy_(x.flip(0))
""".split("\n")[1:-1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_writes_reach_views_as_on_numpy(program):
    found = []
    for x in (cut(4, 3), cut(4, 3).to(backend="numpy")):
        views = [x[1], x[:, 1], x.t(), x.detach()]
        exec(program, {"x": x})
        found.append([each.tolist() for each in (x, *views)])
    assert found[0] == found[1]


def test_what_was_given_may_change_afterwards():
    values = np.arange(3.0)
    with plugrad.backend("dask"):
        x = plugrad.tensor([1.0]) + plugrad.as_tensor(values).to(backend="dask")
    values[0] = 99
    assert x.tolist() == [1, 2, 3]


def test_linear_algebra_of_stacks_in_chunks():
    values = np.random.default_rng(0).standard_normal((4, 3, 3)) + 4 * np.eye(3)
    x = plugrad.as_tensor(da.from_array(values, chunks=(2, 2, 1)))
    y = plugrad.as_tensor(values)
    for name in ("inv", "det", "cholesky", "svdvals", "eigvalsh", "pinv", "slogdet"):
        given = [each @ each.mT for each in (x, y)]
        ours, numpys = (getattr(plugrad.linalg, name)(each) for each in given)
        for a, b in zip(
            *((r if isinstance(r, tuple) else (r,)) for r in (ours, numpys))
        ):
            np.testing.assert_allclose(a.tolist(), b.tolist(), rtol=1e-8)


def test_a_singular_matrix_is_found_when_values_are_asked_for():
    x = plugrad.linalg.inv(plugrad.zeros(2, 2).to(backend="dask"))
    with pytest.raises(np.linalg.LinAlgError):
        x.tolist()


def test_the_random_stream_is_numpys():
    found = []
    for backend in ("numpy", "dask"):
        with plugrad.backend(backend):
            plugrad.manual_seed(3)
            made = [plugrad.rand(9), plugrad.randint(0, 50, (5,)), plugrad.randn(4)]
            found.append([x.tolist() for x in made])
    assert found[0][:2] == found[1][:2]
    np.testing.assert_allclose(found[1][2], found[0][2], rtol=1e-6)


# ---- Ops of networks: few tasks, on chunks of the batch.


def layers():
    """A layer of each sort that has kernels here, with its input and where the batch
    is."""
    nn = plugrad.nn

    conv, pool = nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.MaxPool2d(2)
    turned = nn.ConvTranspose2d(4, 2, 3, stride=2, output_padding=1)
    images = (4, 4, 6, 6)
    yield nn.Sequential(conv, pool, nn.ReLU(), nn.AvgPool2d(3, 1, 1)), images, 0
    yield turned, images, 0
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        yield kind(3, 5, 2, bidirectional=True), (6, 4, 3), None


@pytest.mark.parametrize("i", range(5), ids="conv turned RNN LSTM GRU".split())
def test_networks_are_numpys_and_their_graphs_small(i, counted):
    found, sizes = [], []
    for backend in ("numpy", "dask"):
        with plugrad.backend(backend):
            plugrad.manual_seed(0)
            layer, shape, batch = list(layers())[i]
            layer.double()
        values = np.random.default_rng(0).standard_normal(shape)
        if backend == "dask":
            chunks = tuple(2 if d == batch else n for d, n in enumerate(shape))
            values = da.from_array(values, chunks=chunks)
        x = plugrad.as_tensor(values).requires_grad_()
        y = layer(x)
        y = y[0] if isinstance(y, tuple) else y
        (y * y).sum().backward()
        gradients = [x.grad, *(p.grad for p in layer.parameters())]
        if backend == "dask":
            assert not counted.count, "computed before values are asked for"
            sizes = [len(dict(g._a.dask)) for g in gradients]
            assert batch is None or y._a.chunks[0] == (2, 2)
        found.append([y.detach().numpy(), *(g.numpy() for g in gradients)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-12)
    assert max(sizes) < 1000, sizes


def test_graphs_grow_by_the_same_with_each_step_of_training():
    with plugrad.backend("dask"):
        lstm = plugrad.nn.LSTM(3, 4)
        x = plugrad.randn(5, 2, 3)
        steps = plugrad.optim.SGD(lstm.parameters(), lr=0.1)
        sizes = []
        for _ in range(4):
            steps.zero_grad()
            lstm(x)[0].square().sum().backward()
            steps.step()
            sizes.append(len(dict(lstm.weight_hh_l0._a.dask)))
    grown = np.diff(sizes)
    assert grown.max() <= 1.2 * grown.min(), sizes


def test_long_draws_are_in_chunks_and_one_stream(monkeypatch):
    from plugrad.backends.dask import networks

    monkeypatch.setattr(networks, "BLOCKS", 2)
    found = []
    for backend in ("numpy", "dask"):
        with plugrad.backend(backend):
            plugrad.manual_seed(1)
            made = [plugrad.rand(37), plugrad.rand(21, dtype=plugrad.float64)]
            made += [plugrad.randint(0, 9, (40,)), plugrad.randint(0, 2**40, (11,))]
            found.append([x.tolist() for x in made])
            chunks = [len(x._a.chunks[0]) for x in made if backend == "dask"]
    assert found[0] == found[1] and min(chunks) > 1


def test_a_reshape_that_dask_cannot_cut():
    x = cut(3, 4)
    y = x.reshape(2, 6)
    assert y.tolist() == x.to(backend="numpy").reshape(2, 6).tolist()


def test_a_product_that_sums_nothing():
    x, y = cut(3, 0), cut(0, 2)
    assert (x @ y).sum(0).tolist() == [0.0, 0.0]
    assert (cut(2, 3, 0) @ cut(0, 2)).sum(0).tolist() == [[0.0, 0.0]] * 3
