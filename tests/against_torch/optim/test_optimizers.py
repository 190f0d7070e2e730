"""Every optimizer with each of its options, step by step beside torch's."""

from __future__ import annotations

import copy
import inspect
import pickle
import tracemalloc

import numpy as np
import pytest
import torch

import plugrad
from plugrad.backends.numpy.kernels import blas
from plugrad.optim.stepping import cuts
from tests.against_torch.optim.both import (
    LIBRARIES,
    Side,
    arrays,
    assert_close,
    assert_same_error,
    exchange,
    in_library,
    raised,
)

LR = np.array(0.03)  # in float64: torch computes the rate in the tensor's dtype
OPTIONS = {
    "SGD": [
        {},
        {"lr": LR},
        {"momentum": 0.9, "weight_decay": 0.1},
        {"momentum": 0.9, "dampening": 0.3},
        {"weight_decay": 0.1},
        {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True, "maximize": True},
    ],
    "ASGD": [
        {},
        {"t0": 10, "lambd": 1e-2, "alpha": 0.6, "weight_decay": 0.1, "maximize": True},
    ],
    "Adam": [
        {},
        {"lr": LR, "betas": (np.array(0.8), np.array(0.95)), "eps": 1e-3},
        {"amsgrad": True, "weight_decay": 0.1},
        {"maximize": True, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"foreach": True, "betas": (0.5, 0.6)},
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
        {"betas": (0.8, 0.7), "weight_decay": 0.1, "maximize": True},
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
    "Rprop": [
        {},
        {"etas": (0.3, 1.5), "step_sizes": (1e-3, 0.1), "maximize": True},
    ],
    "Adafactor": [
        {},
        {"lr": 0.5, "beta2_decay": -0.3, "eps": (1e-4, 1e-2), "d": 2.0},
        {"weight_decay": 0.1, "maximize": True},
    ],
    "Muon": [
        {},
        {"nesterov": False, "momentum": 0.5, "weight_decay": 0.0, "ns_steps": 3},
        {"adjust_lr_fn": "match_rms_adamw", "ns_coefficients": (3.0, -3.2, 1.2)},
    ],
}
CASES = [(name, options) for name, each in OPTIONS.items() for options in each]
PLAIN = [name for name in OPTIONS if name not in ("Adafactor", "Muon")]
each_case = pytest.mark.parametrize(
    ("name", "options"), CASES, ids=lambda v: v if isinstance(v, str) else str(list(v))
)
each_plain = pytest.mark.parametrize("name", PLAIN)


@pytest.fixture(autouse=True)
def exactly(monkeypatch):
    """torch's Muon rounds to two digits; here it is not to."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda x: x.clone())


def shapes_for(name):
    if name == "Muon":
        return (3, 4), (4, 2), (3, 3)
    if name == "Adafactor":  # divides by the number of elements
        return (3, 4), (5,), (), (2, 1, 3)
    return (3, 4), (5,), (), (0, 2), (2, 1, 3)


def sides(name, options, dtype="float64"):
    return [Side(lib, name, options, dtype, shapes_for(name)) for lib in LIBRARIES]


def states(side):
    return arrays(side.optimizer.state_dict())


@each_case
def test_fifty_steps(name, options):
    """Parameters, states and printed forms; afterwards each goes on from the state of
    the other."""
    ours, theirs = sides(name, options)
    for side in (ours, theirs):
        side.run(50)
    assert_close(ours.arrays(), theirs.arrays())
    assert_close(states(ours), states(theirs), rtol=1e-6)  # counts are in float32
    exchange(ours, theirs)
    for side in (ours, theirs):
        side.run(10)
    assert_close(ours.arrays(), theirs.arrays())
    mine = str(ours.optimizer).replace("plugrad.", "torch.")
    assert mine == str(theirs.optimizer)


@each_case
def test_dtypes_of_the_state(name, options):
    """Of all its parts, as they are made and after they were loaded."""

    def run(lib):
        side, found = Side(lib, name, options, shapes=shapes_for(name)), []
        for _ in range(2):
            side.run(2)
            state = side.optimizer.state_dict()
            found.append({k: dtypes(v) for k, v in state["state"].items()})
            side.optimizer.load_state_dict(copy.deepcopy(state))
        return found

    assert run(plugrad) == run(torch)


def dtypes(state):
    """The dtypes of a parameter's state, by name."""
    return {
        k: str(getattr(v, "dtype", "")).rpartition(".")[2] for k, v in state.items()
    }


@each_plain
def test_complex_parameters(name):
    """Real and imaginary parts are parameters of their own."""
    ours, theirs = sides(name, OPTIONS[name][-1], "complex128")
    for side in (ours, theirs):
        side.run(50)
    assert_close(ours.arrays(), theirs.arrays())


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@each_plain
def test_short_dtypes(name, dtype):
    """To the dtype's precision: 5 steps of about one rounding each."""
    options = {"lr": 0.05} if name in ("SGD", "ASGD", "Rprop") else {"eps": 1e-3}
    ours, theirs = sides(name, options, dtype)
    for side in (ours, theirs):
        side.run(5)
        assert {p.dtype for p in side.params} == {side.dtype}
    tolerance = {"float32": 1e-5, "float16": 2e-2, "bfloat16": 1e-1}[dtype]
    assert_close(ours.arrays(), theirs.arrays(), tolerance, tolerance)


@pytest.mark.parametrize("name", OPTIONS)
def test_signatures(name):
    """The same arguments in the same order, with the same defaults."""

    def parameters(lib):
        found = inspect.signature(getattr(lib.optim, name)).parameters.values()
        return [(p.name, p.kind, p.default) for p in found]

    assert parameters(plugrad) == parameters(torch)


@each_plain
def test_large_parameters_go_in_blocks(name):
    """Blocks and threads change nothing: 1.2 million elements, and the same in parts;
    not in small ones, which other kernels compute, without FMA."""
    n, some, options = 1_200_000, 40_000, OPTIONS[name][-1]
    whole = Side(plugrad, name, options, "float32", [(n,)])
    parts = Side(plugrad, name, options, "float32", [(n,)])
    cut = parts.params[0].detach().split(some)
    parts.params = [each.clone().requires_grad_() for each in (*cut[:3], cut[-1])]
    parts.optimizer = getattr(plugrad.optim, name)(parts.params, **options)
    for _ in range(3):
        g = whole.draw((n,), whole.grads)
        whole.params[0].grad = g
        pieces = g.split(some)
        for p, each in zip(parts.params, (*pieces[:3], pieces[-1])):
            p.grad = each
        whole.optimizer.step()
        parts.optimizer.step()
    pieces = whole.params[0].detach().split(some)
    for p, each in zip(parts.params, (*pieces[:3], pieces[-1])):
        assert plugrad.equal(p.detach(), each)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_the_number_of_threads_changes_nothing(name, monkeypatch):
    options = {"momentum": 0.9, "weight_decay": 0.1} if name == "SGD" else {}
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr("plugrad.sharing.get_num_threads", lambda n=number: n)
        side = Side(plugrad, name, options, "float32", [(1_100_003,), (700, 900)])
        side.run(3)
        found.append([p.detach() for p in side.params])
    for others in found[1:]:
        assert all(map(plugrad.equal, found[0], others))


@pytest.mark.parametrize("block", [3 << 14, 1 << 20])
@pytest.mark.parametrize("n", [1, 40_000, 60_000, 300_000, 1_100_003, 10_000_000])
def test_blocks_are_all_of_a_parameter_and_none_is_small(n, block):
    found = cuts(n, block)
    ends = [0, *(each.stop for each in found)]
    assert ends == [*(each.start for each in found), n]
    sizes = [each.stop - each.start for each in found]
    assert max(sizes) <= block and min(sizes) > min(n - 1, blas.WORTH)


def test_an_error_in_a_block_is_raised(monkeypatch):
    monkeypatch.setattr("plugrad.sharing.get_num_threads", lambda: 2)

    class Halts(plugrad.optim.Optimizer):
        def update(self, p, g, state, group):
            raise ArithmeticError("no more")

    p = plugrad.zeros(1 << 21, requires_grad=True)
    p.grad = plugrad.ones(1 << 21)
    with pytest.raises(ArithmeticError, match="no more"):
        Halts([p], {}).step()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_temporaries_are_blocks(name, monkeypatch):
    """A step of 8 MiB of parameters, on one thread, takes half of one more MiB."""
    monkeypatch.setattr("plugrad.sharing.get_num_threads", lambda: 1)
    options = {"momentum": 0.9} if name == "SGD" else {}
    side = Side(plugrad, name, options, "float32", [(1 << 21,)])
    side.run(1)
    tracemalloc.start()
    try:
        side.optimizer.step()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 2**19


def test_scattered_parameters():
    """A transposed parameter, and gradients in another order."""

    def run(lib):
        x = (
            lib.arange(600.0)
            .reshape(20, 30)
            .div(600)
            .t()
            .clone(memory_format=lib.preserve_format)
        )
        p = x.requires_grad_()
        optimizer = lib.optim.Adam([p], lr=0.1)
        for _ in range(5):
            p.grad = lib.sin(p.detach() * 3).contiguous()
            optimizer.step()
        return p.detach().numpy()

    np.testing.assert_allclose(run(plugrad), run(torch), rtol=1e-5, atol=1e-6)


# ---- Gradients through the step

DIFFERENTIABLE = [name for name in PLAIN if name not in ("Adamax", "Rprop")]


def through_steps(lib, name, **options):
    """The gradient of what ten steps made, to the start and to learnable options."""
    default = lib.get_default_dtype()
    lib.set_default_dtype(lib.float64)  # counts of steps, too
    try:
        rng = np.random.default_rng(0)
        leaf = lib.tensor(rng.standard_normal(5), requires_grad=True)
        learned = {k: lib.tensor(v, requires_grad=True) for k, v in options.items()}
        p = leaf.clone()
        kind = getattr(lib.optim, name)
        optimizer = kind([p], differentiable=True, **learned)
        for _ in range(10):
            p.grad = lib.tensor(rng.standard_normal(5)) * leaf
            optimizer.step()
        (p * p).sum().backward()
        return [leaf.grad.numpy()] + [v.grad.numpy() for v in learned.values()]
    finally:
        lib.set_default_dtype(default)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_differentiable(name):
    ours, theirs = (through_steps(lib, name) for lib in LIBRARIES)
    assert_close(ours, theirs)


@pytest.mark.parametrize("name", ["Adamax", "Rprop"])
def test_differentiable_where_torch_fails(name):
    """torch writes over what it saved; numeric gradients tell."""
    (found,) = through_steps(plugrad, name)
    assert raised(lambda lib: through_steps(lib, name), torch) is not None

    def loss(start):
        p = plugrad.tensor(start, requires_grad=True)
        optimizer = getattr(plugrad.optim, name)([p])
        draws = np.random.default_rng(0)
        draws.standard_normal(5)
        for _ in range(10):
            p.grad = plugrad.tensor(draws.standard_normal(5) * start)
            optimizer.step()
        return (p.detach() ** 2).sum().item()

    start = np.random.default_rng(0).standard_normal(5)
    numeric = np.array(
        [(loss(start + e) - loss(start - e)) / 2e-6 for e in 1e-6 * np.eye(5)]
    )
    np.testing.assert_allclose(found, numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "RMSprop"])
def test_a_rate_that_learns(name):
    """Beside numeric gradients: torch lets a gradient flow to `lr` in some only."""

    def loss(lr):
        rng = np.random.default_rng(0)
        p = plugrad.tensor(rng.standard_normal(5))
        optimizer = getattr(plugrad.optim, name)([p], lr=lr, differentiable=True)
        for _ in range(4):
            p.grad = plugrad.tensor(rng.standard_normal(5))
            optimizer.step()
        return (p * p).sum()

    lr = plugrad.tensor(0.1, dtype=plugrad.float64, requires_grad=True)
    assert plugrad.autograd.gradcheck(loss, (lr,))


def test_what_does_not_learn_says_so():
    p = plugrad.ones(2)
    p.grad = plugrad.ones(2)
    lr = plugrad.tensor(0.1, requires_grad=True)
    optimizer = plugrad.optim.Rprop([p], lr=lr, differentiable=True)
    with pytest.raises(plugrad.UnsupportedOpError, match="Rprop.*lr"):
        optimizer.step()


# ---- Sparse gradients


def sparse_steps(lib, name, options, steps=10):
    rng = np.random.default_rng(0)
    w = lib.tensor(rng.standard_normal((6, 3)), requires_grad=True)
    optimizer = getattr(lib.optim, name)([w], **options)
    for _ in range(steps):
        at = lib.tensor(rng.integers(0, 6, (1, 4)))  # some repeat
        g = lib.tensor(rng.standard_normal((4, 3)))
        w.grad = lib.sparse_coo_tensor(at, g, (6, 3))
        optimizer.step()
    return w.detach().numpy(), arrays(optimizer.state_dict())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "maximize": True}),
        ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
        ("Adagrad", {"maximize": True}),
        ("SparseAdam", {}),
        ("SparseAdam", {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3}),
        ("SparseAdam", {"maximize": True}),
    ],
    ids=str,
)
def test_sparse_gradients(name, options):
    ours, theirs = (sparse_steps(lib, name, options) for lib in LIBRARIES)
    assert_close(ours, theirs)


@pytest.mark.parametrize("name", [n for n in OPTIONS if n not in ("SGD", "Adagrad")])
def test_sparse_gradients_refused(name):
    assert_same_error(lambda lib: sparse_steps(lib, name, {}, 1))


def test_sparse_gradients_that_would_fill():
    for options in ({"momentum": 0.9}, {"weight_decay": 0.1}):
        with pytest.raises(plugrad.UnsupportedOpError, match="SparseAdam"):
            sparse_steps(plugrad, "SGD", options)


# ---- Errors


def one(lib, **options):
    return lib.ones(2, requires_grad=True, **options)


WRONG = [
    ("SGD", {"lr": -1}),
    ("SGD", {"momentum": -1}),
    ("SGD", {"weight_decay": -1}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "dampening": 0.1}),
    ("SGD", {"lr": np.ones(2)}),
    ("SGD", {"fused": True, "differentiable": True}),
    ("SGD", {"fused": True, "foreach": True}),
    ("ASGD", {"lr": -1}),
    ("ASGD", {"weight_decay": -1}),
    ("Adam", {"lr": float("nan")}),
    ("Adam", {"betas": (1.0, 0.9)}),
    ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"betas": (0.9, LR)}),
    ("Adam", {"eps": -1}),
    ("Adam", {"weight_decay": -1}),
    ("AdamW", {"lr": -1}),
    ("Adamax", {"betas": (1.0, 0.9)}),
    ("Adamax", {"eps": -1}),
    ("NAdam", {"momentum_decay": -1}),
    ("RAdam", {"lr": -1}),
    ("Adagrad", {"lr_decay": -1}),
    ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adadelta", {"rho": 1.5}),
    ("RMSprop", {"alpha": -1}),
    ("RMSprop", {"momentum": -1}),
    ("Rprop", {"etas": (1.1, 1.2)}),
    ("SparseAdam", {"lr": 0}),
    ("SparseAdam", {"eps": 0}),
    ("Adafactor", {"beta2_decay": 0.1}),
    ("Adafactor", {"d": 0.5}),
    ("Adafactor", {"eps": (-1.0, 1e-3)}),
    ("Adafactor", {"eps": (None, -1.0)}),
    ("Muon", {"adjust_lr_fn": "none"}),
    ("Muon", {"lr": 0.1}),  # its parameters are matrices
    ("LBFGS", {"lr": -1}),
]


@pytest.mark.parametrize(("name", "options"), WRONG, ids=str)
def test_wrong_options(name, options):
    assert_same_error(
        lambda lib: getattr(lib.optim, name)([one(lib)], **in_library(lib, options))
    )


@pytest.mark.parametrize("name", ["Adafactor", "Muon", "SparseAdam"])
def test_complex_refused(name):
    def call(lib):
        p = lib.ones(2, 2, dtype=lib.complex64, requires_grad=True)
        p.grad = lib.ones(2, 2, dtype=lib.complex64)
        getattr(lib.optim, name)([p]).step()

    assert_same_error(call)


# ---- Copies


@pytest.mark.parametrize("name", OPTIONS)
def test_copies_go_on(name):
    """A deep copy and a pickle hold parameters of their own, and the state."""
    side = Side(plugrad, name, OPTIONS[name][-1], shapes=shapes_for(name))
    side.run(5)
    before, original = side.arrays(), (side.optimizer, side.params)
    results = []
    for make in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)), lambda x: x):
        side.optimizer, side.params = make(original)
        assert_close(arrays(original[1]), before, 0, 0)
        assert type(side.optimizer.state) is type(original[0].state)
        side.grads = np.random.default_rng(2)
        side.run(5)
        results.append(side.arrays())
    assert_close(results[0], results[2], 0, 0)
    assert_close(results[1], results[2], 0, 0)
