"""oneDNN's kernels compute what the NumPy backend's own do, gradients included."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Thread

import numpy as np
import pytest

import plugrad
import plugrad.nn.functional as F
from plugrad.testing import Make, samples_of
from tests.plugins.onednn_cases import NAMES, OPS, WITH, count_runs, eager, random, same

from plugrad.plugins.onednn import convolution, library, products, programs  # isort: skip

__all__ = ["eager"]  # a fixture


# --- Values and gradients -------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_samples(name, dtype, eager):
    op, compared = OPS[name], 0
    make = Make(getattr(plugrad, dtype), requires_grad=True)
    for sample in samples_of(op, make):

        def call(*args, kwargs=sample.kwargs):
            return op.function(*args, **kwargs)

        try:
            call(*sample.args)
        except RuntimeError as error:
            with plugrad.use_kernels(*WITH), pytest.raises(type(error)):
                call(*sample.args)
            continue
        same(call, *sample.args)
        compared += 1
    assert compared > 3


@pytest.mark.parametrize("seed", range(40))
def test_convolutions_of_random_sizes(seed, eager):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    groups = int(rng.choice([1, 1, 2, 3]))
    into, out = (groups * int(rng.integers(1, 20)) for _ in range(2))
    kernel, stride, dilation = (
        tuple(map(int, rng.integers(1, 4, n))) for _ in range(3)
    )
    padding = tuple(map(int, rng.integers(0, 3, n)))
    sizes = [int(rng.integers(7, 14)) for _ in range(n)]
    x = random(int(rng.integers(1, 4)), into, *sizes, seed=seed)
    transposed = bool(rng.integers(2))
    tolerance = {"rtol": 1e-3, "atol": 1e-3}  # sums of a few thousand
    if transposed:
        weight = random(into, out // groups, *kernel, seed=seed)
        extra = tuple(int(rng.integers(0, max(s, d))) for s, d in zip(stride, dilation))
        function = getattr(F, f"conv_transpose{n}d")
        rest = stride, padding, extra, groups, dilation
    else:
        weight = random(out, into // groups, *kernel, seed=seed)
        function = getattr(F, f"conv{n}d")
        rest = stride, padding, dilation, groups
    bias = random(out, seed=seed) if rng.integers(2) else None
    try:
        function(x, weight, bias, *rest)
    except RuntimeError:
        pytest.skip("these sizes leave no room for a result")
    same(lambda *t: function(*t, *rest), x, weight, bias, **tolerance)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_many_images_are_computed_some_after_the_other(
    bias, transposed, eager, monkeypatch
):
    monkeypatch.setattr(convolution, "CACHED", 1300)
    function = F.conv_transpose2d if transposed else F.conv2d
    tensors = random(7, 4, 9, 9), random(4, 4, 3, 3), random(4) if bias else None
    sizes = tensors[0].shape, tensors[1].shape, (4,) if bias else None
    rest = (1,), (0,), (1,), transposed, (0,), 1

    def cuts(many):
        return [slice(i, min(i + many, 7)) for i in range(0, 7, many)]

    how = convolution.kind(*sizes, *rest)
    many = 2 if transposed else 3  # of 808 or of 520 numbers each
    assert [cut for cut, _ in how.parts] == cuts(many)
    assert [cut for cut, _ in how.parts_back] == [...]
    same(lambda *t: function(*t), *tensors)
    programs.forget()
    monkeypatch.setattr(convolution, "LARGE", 1)
    how = convolution.kind(*sizes, *rest)
    many = 1 if transposed else 2  # of 1132 or of 844
    assert [cut for cut, _ in how.parts_back] == cuts(many)
    assert all(part is not how for _, part in (*how.parts, *how.parts_back))
    same(lambda *t: function(*t), *tensors)
    for wanted in ((1, 0), (0, 1)):
        for t, each in zip(tensors, wanted):
            t.requires_grad_(bool(each))
        same(lambda *t: function(*t), *tensors)


def test_some_gradients_alone(eager):
    for wanted in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1)):
        tensors = random(2, 3, 8, 8), random(4, 3, 3, 3), random(4)
        for t, each in zip(tensors, wanted):
            t.requires_grad_(bool(each))
        same(lambda x, w, b: F.conv2d(x, w, b, padding=1), *tensors)
        tensors[1].requires_grad_(False)
        tensors = (
            tensors[0],
            random(3, 4, 3, 3).requires_grad_(bool(wanted[1])),
            tensors[2],
        )
        if any(t.requires_grad for t in tensors):
            same(lambda x, w, b: F.conv_transpose2d(x, w, b, 2), *tensors)


def test_arrays_in_any_order(eager):
    x = random(8, 9, 2, 16).permute(2, 3, 0, 1)
    weight = random(3, 3, 16, 4).permute(3, 2, 0, 1)
    same(lambda x, w: F.conv2d(x, w), x, weight)
    same(lambda x: F.max_pool2d(x, 2), x)
    same(lambda x: F.batch_norm(x, None, None, None, None, True), x)
    same(lambda x, w: F.linear(x, w), random(5, 4).T, random(5, 7).T)
    same(lambda a, b: a @ b, random(6, 8)[:, ::2], random(8, 6)[::2, 1:4])
    same(lambda a, b: a @ b, random(1, 6).expand(3, 6), random(6, 1).expand(6, 4))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_products_of_float64_are_shared_by_rows(threads, eager, monkeypatch):
    before = plugrad.get_num_threads()
    plugrad.set_num_threads(threads)
    parts = []

    def share(functions):
        parts.append(len(functions))
        plugrad.in_threads(functions)

    monkeypatch.setattr(products, "in_threads", share)
    a, b = random(2, 5, 8).double(), random(8, 6).double()
    bias = random(6).double()
    try:
        same(lambda a, b: a @ b, a, b, rtol=1e-12, atol=1e-12)
        assert parts.pop(0) == min(threads, 10)
        same(lambda a, b, c: F.linear(a, b.T, c), a, b, bias, rtol=1e-12, atol=1e-12)
    finally:
        plugrad.set_num_threads(before)
    assert len(parts) > 3 and {*parts} <= {1, threads}


def test_second_derivatives(eager):
    def second(x, w):
        y = F.conv2d(x, w, padding=1).relu().square().sum()
        (g,) = plugrad.autograd.grad(y, x, create_graph=True)
        return g * g

    same(second, random(1, 2, 5, 5), random(3, 2, 3, 3), rtol=1e-3, atol=1e-2)


def test_an_output_written_to_afterwards(eager):
    def function(x, w):
        y = F.conv2d(x, w)
        y.relu_()
        return y * 2

    same(function, random(2, 3, 8, 8), random(4, 3, 3, 3))


def test_what_is_not_finite(eager):
    x = random(2, 16, 8, 8).detach().numpy().copy()
    x[0, 0, :3, :3] = np.nan
    x[0, 1] = -np.inf
    for values in (x, np.where(np.isnan(x), np.inf, x)):
        t = plugrad.tensor(values, requires_grad=True)
        same(lambda t: F.max_pool2d(t, 2), t)
        for function in (plugrad.relu, F.silu, plugrad.sigmoid):
            same(function, t)
        with plugrad.use_kernels(*WITH):  # as in PyTorch, which calls the same library
            y = F.gelu(t)
        assert y.isnan()[t.isnan()].all()


def test_a_gradient_that_is_not_finite_ends_where_relu_is_off(eager):
    x = random(20, 30)
    y = x.detach().relu()
    for arriving in (np.inf, np.nan, 1e30):
        with plugrad.use_kernels(*WITH):
            z = F.relu(x)
        (g,) = plugrad.autograd.grad(z, x, plugrad.full_like(z, arriving))
        assert (g[y == 0] == 0).all()
        expected = [np.float32(arriving)] * int((y > 0).sum())
        np.testing.assert_equal(g[y > 0].tolist(), expected)


def test_ties_go_where_numpys_go(eager):
    x = random(2, 3, 12, 12).detach().numpy().round()
    t = plugrad.tensor(x, requires_grad=True)
    same(lambda t: F.max_pool2d(t, 2), t)
    same(lambda t: F.max_pool2d(t, 3, 2), t)
    same(lambda t: F.max_pool2d(t, 3, 1, 1), t)


# --- What is served -------------------------------------------------------------------


def test_large_calls_are_the_librarys_and_small_ones_are_not(monkeypatch):
    runs = count_runs(monkeypatch)
    with plugrad.use_kernels(*WITH):
        F.conv2d(random(1, 1, 4, 4), random(1, 1, 2, 2)).sum().backward()
        F.conv2d(random(8, 16, 32, 32).double(), random(16, 16, 3, 3).double())
        F.batch_norm(random(256, 15, 4, 4), None, None, None, None, True)
        assert not runs
        F.conv2d(random(8, 16, 32, 32), random(16, 16, 3, 3)).sum().backward()
        assert len(runs) == 2  # forward, and both gradients in one
        F.batch_norm(random(64, 16, 32, 32), None, None, None, None, True)
        assert len(runs) == 4  # the statistics, and what is made with them
        F.max_pool2d(random(64, 16, 32, 32), 2)
        assert len(runs) == 5


def test_programs_are_kept_up_to_a_number(eager, monkeypatch):
    made = []
    program = convolution.Kind.program
    monkeypatch.setattr(
        convolution.Kind, "program", lambda *a: made.append(a) or program(*a)
    )
    x, weight = random(1, 2, 40, 40), random(2, 2, 3, 3)
    with plugrad.use_kernels(*WITH), plugrad.no_grad():
        for _ in range(3):
            F.conv2d(x, weight)
        assert len(made) == 1
    assert convolution.kind.cache_info().maxsize == programs.MOST


def test_threads_have_programs_of_their_own(eager):
    x, weight = random(4, 8, 16, 16).detach(), random(8, 8, 3, 3).detach()
    expected = F.conv2d(x, weight)
    wrong = []

    def work():
        for _ in range(10):
            y = F.conv2d(x, weight)
            wrong.append(float((y - expected).abs().max()))

    with plugrad.use_kernels(*WITH):
        threads = [Thread(target=work) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert len(wrong) == 40 and max(wrong) < 1e-4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_computes():
    program = """
import os, signal, plugrad, plugrad.nn.functional as F
plugrad.set_num_threads(2)
x, w = plugrad.ones(8, 16, 16, 16, requires_grad=True), plugrad.ones(16, 16, 3, 3)
def run():
    F.conv2d(x, w).sum().backward()
    return (plugrad.ones(128, 256) @ plugrad.ones(256, 128)).sum().item()
expected = run()
child = os.fork()
if not child:
    signal.alarm(50)
    os._exit(0 if run() == expected else 1)
_, status = os.waitpid(child, 0)
print(status, run() == expected)
"""
    env = {**os.environ, "PLUGRAD_KERNELS": ":".join(WITH)}
    run = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(run, capture_output=True, text=True, env=env, timeout=100)
    assert done.stdout.split() == ["0", "True"], done.stderr


def test_the_number_of_threads_is_asked_of_the_library():
    found, before = programs.library(), plugrad.get_num_threads()
    try:
        for number in (1, 2):
            plugrad.set_num_threads(number)
            found.ready()
            assert found.c.omp_get_max_threads() == number
    finally:
        plugrad.set_num_threads(before)


def test_a_program_that_knows_nothing_of_it():
    program = """
import plugrad
from plugrad import nn, optim
plugrad.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(16 * 13 * 13, 10),
)
x, y = plugrad.randn(32, 1, 28, 28), plugrad.arange(32) % 10
step = optim.SGD(net.parameters(), lr=0.01)
for _ in range(4):
    step.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    step.step()
    print(loss.item())
"""
    losses = []
    for chosen in ("", ":".join(WITH)):
        env = {**os.environ, "PLUGRAD_KERNELS": chosen}
        run = [sys.executable, "-c", program]
        done = subprocess.run(run, capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0, done.stderr
        losses.append([float(each) for each in done.stdout.split()])
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(library, "places", lambda: iter(["/nowhere/libdnnl.so.3"]))
    with pytest.raises(plugrad.BackendError, match=r"pip install 'plugrad\[onednn\]'"):
        library.load(1)
