"""Optimizers' updates in one pass, by the kernels `numba`: results, and which of them.

What does not ask for compiled loops runs with an interpreter of programs, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import nullcontext

import numpy as np
import pytest

import plugrad
from plugrad import BackendError
from plugrad.optim import stepping
from plugrad.plugins.numba import loops
from plugrad.testing import TOLERANCES
from tests.core.fusing_engines import (
    assert_same_bits,
    each_engine,
    fusing,
    needs_numba,
    without_blas,
)

OPTIONS = {
    "SGD": [
        {},
        {"momentum": 0.9},
        {"weight_decay": 0.1},
        {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True, "maximize": True},
    ],
    "ASGD": [
        {},
        {"t0": 2, "lambd": 1e-2, "alpha": 0.6, "weight_decay": 0.1, "maximize": True},
    ],
    "Adam": [
        {},
        {"amsgrad": True, "weight_decay": 0.1},
        {"maximize": True, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "AdamW": [{}, {"amsgrad": True, "weight_decay": 0.2, "maximize": True}],
    "Adamax": [{}, {"weight_decay": 0.1, "betas": (0.5, 0.7), "maximize": True}],
    "NAdam": [
        {},
        {"momentum_decay": 0.1, "weight_decay": 0.1, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "RAdam": [
        {},
        {"betas": (0.8, 0.9), "weight_decay": 0.1, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "Adagrad": [
        {},
        {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
        {"maximize": True, "eps": 1e-2},
    ],
    "Adadelta": [{}, {"rho": 0.5, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}],
    "RMSprop": [
        {},
        {"centered": True, "momentum": 0.9, "weight_decay": 0.1},
        {"alpha": 0.5, "eps": 1e-3, "maximize": True},
    ],
    "Rprop": [{}, {"etas": (0.3, 1.5), "step_sizes": (1e-3, 0.1), "maximize": True}],
    "Adafactor": [{}, {"weight_decay": 0.1, "maximize": True}],
    "Muon": [{}],
}
WHOLE = {"Adafactor", "Muon"}  # which go by whole matrices
CASES = [(name, options) for name, each in OPTIONS.items() for options in each]
each_case = pytest.mark.parametrize(
    ("name", "options"), CASES, ids=lambda v: v if isinstance(v, str) else str(list(v))
)
SHAPE = 150, 250  # of a parameter that is large enough
SMALL = 10, 30
assert SMALL[0] * SMALL[1] < stepping.FEW < SHAPE[0] * SHAPE[1] < stepping.MANY // 4


@pytest.fixture
def asked(monkeypatch):
    """Whether each update that could be fused was."""
    found = []
    fuse = stepping.fuse

    def counted(function, tensors):
        made = fuse(function, tensors)
        found.append(made is not None)
        return made

    monkeypatch.setattr(stepping, "fuse", counted)
    return found


def parameter(values):
    return plugrad.tensor(values, requires_grad=True)


def normal(rng, shape, dtype):
    made = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        made = made + 1j * rng.standard_normal(shape)
    return made.astype(dtype)


def run(make, dtype="float32", shapes=(SHAPE, SMALL), steps=5, change=None):
    """Parameters and state after some steps of an optimizer, whose rate falls."""
    rng = np.random.default_rng(0)
    params = [parameter(normal(rng, shape, dtype)) for shape in shapes]
    optimizer = make(params)
    for i in range(steps):
        for p in params:
            p.grad = plugrad.tensor(normal(rng, tuple(p.shape), dtype))
            if change is not None:
                change(p, i)
        optimizer.param_groups[0]["lr"] *= 0.7
        optimizer.step()
    found = [p.detach() for p in params]
    for p in params:
        state = optimizer.state[p]
        found += [v for _, v in sorted(state.items()) if isinstance(v, plugrad.Tensor)]
    return [t.numpy().copy() for t in found]


def maker(name, options=()):
    return lambda params: getattr(plugrad.optim, name)(
        params, **{"lr": 0.03, **dict(options)}
    )


def compare(make, engine, same=assert_same_bits, **how):
    """Run with and without; the programs that were made."""
    expected = run(make, **how)
    with fusing(engine) as programs:
        found = run(make, **how)
    for mine, theirs in zip(found, expected, strict=True):
        same(mine, theirs)
    return programs


@each_engine
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_case
def test_steps_are_those_of_single_operations(
    name, options, dtype, engine, asked, monkeypatch
):
    """Bit for bit, state and all; every optimizer of elements is fused, in all of its
    steps, and for the large parameter alone."""
    without_blas(monkeypatch)
    programs = compare(maker(name, options), engine, dtype=dtype)
    if name in WHOLE:
        assert not programs and not asked
    else:
        assert asked == [False] * 5 + [True] * 5
        assert {each.dtype for each in programs} == {dtype} and len(programs) == 5


@needs_numba
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in WHOLE])
def test_steps_are_close_to_those_with_blas(name, dtype):
    """Where NumPy's backend uses its BLAS, which rounds less often."""
    rtol, atol = TOLERANCES[dtype]

    def close(mine, theirs):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=atol)

    compare(maker(name, OPTIONS[name][-1]), "numba", close, dtype=dtype)


def test_all_optimizers_are_here():
    classes = {
        name
        for name in plugrad.optim.__all__
        if isinstance(getattr(plugrad.optim, name), type)
    }
    assert classes - {*OPTIONS} == {"Optimizer", "LBFGS", "SparseAdam"}


@each_engine
@pytest.mark.parametrize("name", ["SGD", "Adam", "Rprop"])
def test_complex_parameters(name, engine, asked, monkeypatch):
    """As real numbers."""
    without_blas(monkeypatch)
    programs = compare(maker(name), engine, dtype="complex64", shapes=[SHAPE])
    assert asked[5:] == [True] * 5 and programs[0].dtype == "float32"


@each_engine
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-42, 1e38])
@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in WHOLE])
def test_unusual_gradients(name, value, engine, monkeypatch):
    without_blas(monkeypatch)

    def change(p, i):
        p.grad.view(-1)[i::3] = value

    def same(mine, theirs):  # of zeros either will do, after a maximum
        np.testing.assert_array_equal(mine, theirs)

    with np.errstate(all="ignore"):
        compare(maker(name), engine, same, shapes=[SHAPE], steps=3, change=change)


@each_engine
def test_large_parameters_are_shared_among_threads(engine, asked, monkeypatch):
    """In parts, of which none is left out or computed twice."""
    without_blas(monkeypatch)
    monkeypatch.setattr(stepping, "MANY", 1000)
    monkeypatch.setattr(stepping, "FUSED", (1 << 12, 1 << 10))
    shapes = [SHAPE, (stepping.FEW + 1,), SMALL]
    parts = []

    def shared(pieces):
        parts.append(len(pieces))
        share(pieces)

    share = plugrad.in_threads
    monkeypatch.setitem(vars(plugrad), "in_threads", shared)
    compare(maker("Adam", {"amsgrad": True}), engine, shapes=shapes)
    assert asked == [False] * 10 + [True] * 10
    assert min(parts[5:]) > 15


# --- What is not fused ----------------------------------------------------------------


def transposed(p, i):
    p.grad = p.grad.t().contiguous().t()


def own_gradient(p, i):
    p.grad = p.detach()


def other_dtype(p, i):
    p.grad = p.grad * 2
    if i == 1:
        p.grad = plugrad.zeros(1).expand(*p.shape)


@pytest.mark.parametrize("change", [transposed, own_gradient, other_dtype])
def test_gradients_that_cannot_be_fused(change, asked, monkeypatch):
    without_blas(monkeypatch)
    compare(maker("SGD", {"momentum": 0.9}), "interpreted", change=change)
    refused = [False, True] if change is other_dtype else [False]
    assert sorted(set(asked[5:])) == refused


def test_sparse_gradients(asked):
    def train():
        w = parameter(np.ones(SHAPE, "float32"))
        optimizer = plugrad.optim.SGD([w], lr=0.1)
        at = plugrad.tensor([1, 3, 1])
        plugrad.embedding(w, at, sparse=True).sum().backward()
        assert w.grad.is_sparse
        optimizer.step()
        return w.detach().numpy()

    expected = train()
    with fusing("interpreted") as programs:
        assert_same_bits(train(), expected)
    assert not programs and asked == [False, False]


def test_gradients_flow_through_a_differentiable_step(asked):
    def gradient():
        lr = plugrad.tensor(0.1, requires_grad=True)
        p = plugrad.ones(*SHAPE)
        p.grad = plugrad.full(SHAPE, 2.0)
        plugrad.optim.SGD([p], lr=lr, differentiable=True).step()
        p.sum().backward()
        return lr.grad.item()

    expected = gradient()
    with fusing("interpreted") as programs:
        assert gradient() == expected == -2 * SHAPE[0] * SHAPE[1]
    assert not programs and not asked


@needs_numba
def test_small_parameters_compile_nothing(monkeypatch):
    monkeypatch.setattr(loops, "compiled", None)
    monkeypatch.setattr(loops, "loops", {})
    with plugrad.use_kernels("numpy", "numba"):
        run(maker("Adam"), shapes=[(stepping.FEW,), SMALL])
        with pytest.raises(TypeError):
            run(maker("Adam"), shapes=[(stepping.FEW + 1,)], steps=1)


class Own(plugrad.optim.Optimizer):
    """An optimizer of a user's own."""

    def __init__(self, params, lr, change):
        super().__init__(params, {"lr": lr})
        self.change = change

    def start(self, p, group):
        state = {"m": plugrad.zeros_like(p), "n": plugrad.ones(())}
        if self.change is uses_others:
            state["more"] = plugrad.tensor([0.5, 2.0])
        return state

    def update(self, p, g, state, group):
        if not state["new"]:
            state["m"].lerp_(g, 0.1)
        self.change(p, g, state)
        p.sub_(state["m"], alpha=group["lr"])


def unknown(p, g, state):
    state["m"].add_(g.tanh())


def branches(p, g, state):
    if (g > 0).any():
        state["m"].add_(g)


def counts(p, g, state):
    state["n"].add_(1)
    state["m"].add_(g, alpha=state["n"].item())


def uses_others(p, g, state):
    state["m"].mul_(state["more"][0].item())


def fails_late(p, g, state):
    p.mul_(0.9)
    state["m"].add_(g)
    p.cos_()


@pytest.mark.parametrize("change", [unknown, branches, counts, uses_others, fails_late])
def test_updates_that_fall_back(change, asked, monkeypatch):
    """Nothing of them is done twice."""
    without_blas(monkeypatch)
    programs = compare(lambda params: Own(params, 0.1, change), "interpreted")
    assert asked == [False] * 10
    if change in (unknown, branches, fails_late):
        assert not programs


def test_an_update_of_elements_is_fused(asked, monkeypatch):
    without_blas(monkeypatch)

    def change(p, g, state):
        state["m"].addcmul_(g, g, value=state["n"].item())

    compare(lambda params: Own(params, 0.1, change), "interpreted")
    assert asked == [False] * 5 + [True] * 5


def test_an_error_of_an_update_is_its_own():
    def change(p, g, state):
        p.add_(plugrad.ones(7))

    with (
        fusing("interpreted"),
        pytest.raises(RuntimeError, match="must match the size"),
    ):
        run(lambda params: Own(params, 0.1, change))


# --- Compiled loops -------------------------------------------------------------------


@pytest.fixture
def compiled(monkeypatch):
    """The programs that are compiled, beginning with none."""
    found = []
    make = loops.compiled

    def counted(program):
        found.append(program)
        return make(program)

    monkeypatch.setattr(loops, "compiled", counted)
    monkeypatch.setattr(loops, "loops", {})
    return found


@needs_numba
def test_a_program_is_compiled_once(compiled):
    """Whatever the rate, the parameter, the step and the optimizer."""
    with plugrad.use_kernels("numpy", "numba"):
        run(maker("Adam"), steps=20, shapes=[SHAPE, (40_000,), (200, 200)])
        run(maker("AdamW", {"weight_decay": 0.0}), steps=2)
        assert len(compiled) == 1
        run(maker("Adam"), dtype="float64", steps=20)
        assert [each.dtype for each in compiled] == ["float32", "float64"]
        run(maker("SGD", {"momentum": 0.9}), steps=20)
    assert len(compiled) == 4  # its first step sets the momentum


@needs_numba
def test_threads_that_ask_at_once_compile_once(compiled, monkeypatch):
    without_blas(monkeypatch)
    make = maker("NAdam")
    expected = run(make)
    found = {}

    def work(i):
        found[i] = run(make)

    with plugrad.use_kernels("numpy", "numba"):
        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert len(compiled) == 1 and len(found) == 4
    for each in found.values():
        for mine, theirs in zip(each, expected, strict=True):
            assert_same_bits(mine, theirs)


@needs_numba
def test_memory_that_is_not_aligned():
    """Such arrays come from files; they have a loop of their own."""
    n = 1000
    buffer = np.zeros(8 * n + 1, np.uint8)
    x = plugrad.from_numpy(buffer[1 : 4 * n + 1].view("float32"))
    assert x.data_ptr() % 4
    with plugrad.use_kernels("numpy", "numba"):
        plugrad.fuse(lambda x, a: x.add_(a), [x, plugrad.ones(n)])()
    assert (x == 1).all()


@needs_numba
def test_memory_that_may_only_be_read():
    frozen = np.ones(1000, "float32")
    frozen.flags.writeable = False
    a, x = plugrad.asarray(frozen), plugrad.zeros(1000)
    with plugrad.use_kernels("numpy", "numba"):
        plugrad.fuse(lambda x, a: x.add_(a), [x, a])()
        assert (x == 1).all()
        fused = plugrad.fuse(lambda x, a: a.add_(x), [x, a])
        with pytest.raises(ValueError, match="read-only"):
            fused()
    with pytest.raises(Exception, match="read-only"):
        a.add_(x)
    assert (frozen == 1).all()


@needs_numba
def test_what_numba_does_not_serve():
    """Half precision goes to the backend, operation by operation."""
    x = plugrad.zeros(10, dtype=plugrad.float16)
    with plugrad.use_kernels("numpy", "numba"):
        assert plugrad.fuse(lambda x: x.add_(1), [x]) is None


@needs_numba
def test_fusing_ends_with_the_kernels(asked):
    run(maker("SGD"), steps=1)
    with plugrad.use_kernels("numpy", "numba"):
        run(maker("SGD"), steps=1)
    run(maker("SGD"), steps=1)
    assert asked == [False, True, False]


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(BackendError, match=r"pip install 'plugrad\[numba\]'"):
        plugrad.use_kernels("numpy", "numba")


PROGRAM = """
import sys, plugrad
p = plugrad.ones(200, 200, requires_grad=True)
p.grad = plugrad.ones(200, 200)
plugrad.optim.Adam([p]).step()
loops = sys.modules.get("plugrad.plugins.numba.loops")
print("numba" in sys.modules, len(loops.loops) if loops else 0)
"""


@pytest.mark.parametrize(
    "kernels", ["", pytest.param("numpy:numba", marks=needs_numba)]
)
def test_nothing_is_loaded_unless_it_is_asked_for(kernels):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "PLUGRAD_KERNELS": kernels},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == (["True", "1"] if kernels else ["False", "0"])


@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with dup")
@pytest.mark.parametrize(
    "kernels", ["", pytest.param("numpy:numba", marks=needs_numba)]
)
def test_a_parameter_that_is_listed_twice_is_updated_twice_in_turn(kernels):
    def trained(count):
        p = parameter(np.ones(count, np.float32))
        p.grad = plugrad.ones(count)
        optimizer = plugrad.optim.SGD([p, p], lr=0.1, momentum=0.9)
        for _ in range(3):
            optimizer.step()
        return {*p.tolist()}

    with plugrad.use_kernels(*kernels.split(":")) if kernels else nullcontext():
        (expected,), (found,) = trained(4), trained(stepping.MANY)
    assert found == pytest.approx(expected, rel=1e-6)
