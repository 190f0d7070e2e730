"""Every scheduler for 200 steps beside torch's: rates, momenta, states and warnings."""

from __future__ import annotations

import copy
import inspect
import math
import warnings

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.optim.both import (
    LIBRARIES,
    arrays,
    assert_close,
    assert_same_error,
    tensors,
)
from tests.against_torch.same import cases


class Power:
    """A factor that remembers something; states keep that."""

    def __init__(self, base):
        self.base = base

    def __call__(self, n):
        return self.base ** (n / 10)


def falling(n):
    return 1 / (1 + n)


SCHEDULERS = [
    ("LambdaLR", {"lr_lambda": falling}),
    ("LambdaLR", {"lr_lambda": [Power(0.9), falling]}),
    ("MultiplicativeLR", {"lr_lambda": lambda n: 0.95}),
    ("MultiplicativeLR", {"lr_lambda": [Power(0.9), falling]}),
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 7, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [5, 80, 80, 120]}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 50}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 60}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 90, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 40}),
    ("CosineAnnealingLR", {"T_max": 13, "eta_min": 0.01}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 20}),
    (
        "CyclicLR",
        {
            "base_lr": [0.01, 0.02],
            "max_lr": [0.1, 0.3],
            "step_size_up": 15,
            "step_size_down": 4,
            "mode": "triangular2",
            "base_momentum": [0.5, 0.6],
        },
    ),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 20, "mode": "exp_range",
         "gamma": 0.99, "cycle_momentum": False},
    ),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 9, "scale_fn": Power(0.8),
         "scale_mode": "iterations"},
    ),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 2, "eta_min": 0.001}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 220}),
    (
        "OneCycleLR",
        {"max_lr": [0.5, 1.0], "epochs": 21, "steps_per_epoch": 10, "pct_start": 0.2,
         "anneal_strategy": "linear", "three_phase": True, "div_factor": 5.0,
         "final_div_factor": 100.0, "base_momentum": [0.7, 0.8]},
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 220, "cycle_momentum": False}),
    ("SWALR", {"swa_lr": 0.05}),
    (
        "SWALR",
        {"swa_lr": [0.01, 0.2], "anneal_epochs": 50, "anneal_strategy": "linear"},
    ),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
]  # fmt: skip
each_scheduler = pytest.mark.parametrize(
    ("name", "options"),
    SCHEDULERS,
    ids=lambda v: v if isinstance(v, str) else "-".join(v),
)


def optimizer_of(m, kind="SGD", tensor=False):
    def rate(value):
        return m.tensor(value, dtype=m.float64) if tensor else value

    p, q = (m.ones(1, requires_grad=True) for _ in range(2))
    groups = [{"params": [p]}, {"params": [q], "lr": rate(0.2)}]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(m.optim, kind)(groups, lr=rate(0.1), **options)


def scheduler_of(m, name, optimizer, options):
    module = m.optim.swa_utils if name == "SWALR" else m.optim.lr_scheduler
    return getattr(module, name)(optimizer, **copy.deepcopy(options))


class Run:
    """A scheduler and what it writes."""

    def __init__(self, m, name, options, **about):
        self.optimizer = optimizer_of(m, **about)
        self.scheduler = scheduler_of(m, name, self.optimizer, options)
        self.m, self.name, self.options, self.about = m, name, options, about

    def seen(self):
        return [
            [float(group["lr"]), group.get("momentum"), group.get("betas")]
            for group in self.optimizer.param_groups
        ] + arrays(self.scheduler.get_last_lr())

    def run(self, steps):
        found = [self.seen()]
        for _ in range(steps):
            self.optimizer.step()
            self.scheduler.step()
            found.append(self.seen())
        return found

    def state(self):
        return copy.deepcopy(arrays(self.scheduler.state_dict()))


@each_scheduler
def test_two_hundred_steps(name, options):
    ours, theirs = (Run(m, name, options) for m in LIBRARIES)
    assert_close(ours.run(200), theirs.run(200), 1e-12, 1e-14)
    assert ours.state().keys() == theirs.state().keys()
    assert_close(ours.state(), theirs.state(), 1e-12, 1e-14)


@pytest.mark.parametrize("about", [{"kind": "Adam"}, {"tensor": True}], ids=str)
@each_scheduler
def test_betas_and_tensors(name, options, about):
    """The first beta is cycled where there is no momentum; a rate that is a tensor
    stays the same one."""
    ours, theirs = (Run(m, name, options, **about) for m in LIBRARIES)
    before = [group["lr"] for group in ours.optimizer.param_groups]
    assert_close(ours.run(60), theirs.run(60), 1e-12, 1e-14)
    if "tensor" in about:
        after = [group["lr"] for group in ours.optimizer.param_groups]
        assert all(a is b for a, b in zip(before, after))


@each_scheduler
def test_states_are_exchanged_in_the_middle(name, options):
    ours, theirs = (Run(m, name, options) for m in LIBRARIES)
    ours.run(33), theirs.run(33)
    a, b = ours.state(), theirs.state()
    groups = [copy.deepcopy(r.optimizer.state_dict()) for r in (ours, theirs)]
    new = [Run(m, name, options) for m in LIBRARIES]
    new[0].optimizer.load_state_dict(tensors(plugrad, arrays(groups[1])))
    new[1].optimizer.load_state_dict(tensors(torch, arrays(groups[0])))
    new[0].scheduler.load_state_dict(b)
    new[1].scheduler.load_state_dict(a)
    expected = theirs.run(50)
    for each in new:
        assert_close(each.run(50), expected, 1e-12, 1e-14)


@pytest.mark.filterwarnings("ignore:The epoch parameter")
@each_scheduler
def test_any_step(name, options):
    """`step(epoch)` goes there by the closed form, where there is one."""

    def run(m):
        one = Run(m, name, options)
        found = []
        for epoch in (3, 10, 0, 41, 40, 100):
            one.optimizer.step()
            one.scheduler.step(epoch)
            found.append(one.seen())
        return found

    assert_close(run(plugrad), run(torch), 1e-12, 1e-14)


@each_scheduler
def test_resuming_by_number(name, options):
    """A new scheduler on a loaded optimizer, told where it is."""

    def run(m):
        first = Run(m, name, options)
        first.run(20)
        again = scheduler_of(m, name, first.optimizer, {**options, "last_epoch": 20})
        found = [copy.deepcopy(first.seen())]
        for _ in range(20):
            first.optimizer.step()
            again.step()
            found.append(first.seen()[:2])
        return found

    assert_close(run(plugrad), run(torch), 1e-12, 1e-14)


@pytest.mark.parametrize(
    "name",
    sorted({name for name, _ in SCHEDULERS})
    + ["SequentialLR", "ChainedScheduler", "ReduceLROnPlateau", "LRScheduler"],
)
def test_signatures(name):
    def parameters(m):
        module = m.optim.swa_utils if name == "SWALR" else m.optim.lr_scheduler
        found = inspect.signature(getattr(module, name)).parameters.values()
        return [(p.name, p.kind, p.default) for p in found]

    assert parameters(plugrad) == parameters(torch)


def test_all_names():
    theirs = set(torch.optim.lr_scheduler.__all__)
    assert set(plugrad.optim.lr_scheduler.__all__) == theirs
    assert set(plugrad.optim.swa_utils.__all__) == set(torch.optim.swa_utils.__all__)
    old = plugrad.optim.lr_scheduler._LRScheduler
    assert issubclass(old, plugrad.optim.lr_scheduler.LRScheduler)


# ---- Schedulers of schedulers


def sequence(m, optimizer):
    s = m.optim.lr_scheduler
    parts = [
        s.LinearLR(optimizer, 0.1, total_iters=10),
        s.CosineAnnealingLR(optimizer, 50),
        s.ExponentialLR(optimizer, 0.95),
    ]
    return s.SequentialLR(optimizer, parts, milestones=[10, 60])


def chain(m, optimizer):
    s = m.optim.lr_scheduler
    parts = [s.ConstantLR(optimizer, 0.1, 20), s.ExponentialLR(optimizer, 0.95)]
    return s.ChainedScheduler(parts, optimizer=optimizer)


def nested(m, optimizer):
    s = m.optim.lr_scheduler
    return s.SequentialLR(
        optimizer,
        [sequence(m, optimizer), s.StepLR(optimizer, 9)],
        [100],
    )


def chain_of_sequences(m, optimizer):
    s = m.optim.lr_scheduler
    return s.ChainedScheduler([sequence(m, optimizer), s.StepLR(optimizer, 70, 0.5)])


@pytest.mark.parametrize("make", [sequence, chain, nested, chain_of_sequences])
@pytest.mark.parametrize("tensor", [False, True])
def test_combined(make, tensor):
    def begin(m):
        optimizer = optimizer_of(m, tensor=tensor)
        run = Run.__new__(Run)
        run.optimizer, run.scheduler, run.m = optimizer, make(m, optimizer), m
        return run

    with warnings.catch_warnings():
        # torch warns of a sequence in a sequence; test_warnings compares that
        warnings.simplefilter("ignore" if make is nested else "error")
        ours, theirs = begin(plugrad), begin(torch)
        assert_close(ours.run(77), theirs.run(77), 1e-12, 1e-14)
        a, b = ours.state(), theirs.state()
        assert_close(a, b, 1e-12, 1e-14)
        new = [begin(m) for m in LIBRARIES]
        for each, from_, state in zip(new, (theirs, ours), (b, a)):
            saved = arrays(from_.optimizer.state_dict())
            each.optimizer.load_state_dict(tensors(each.m, copy.deepcopy(saved)))
            each.scheduler.load_state_dict(tensors(each.m, state))
        expected = theirs.run(123)
        for each in (ours, *new):
            assert_close(each.run(123), expected, 1e-12, 1e-14)


PLATEAU = [
    {"patience": 3},
    {"patience": 0, "factor": 0.5, "cooldown": 4, "min_lr": 1e-3},
    {"mode": "max", "patience": 2, "threshold": 0.05},
    {"mode": "max", "patience": 2, "threshold": 0.05, "threshold_mode": "abs"},
    {"patience": 2, "threshold": 0.3, "threshold_mode": "abs", "min_lr": [0.02, 0.0]},
    {"patience": 1, "factor": 0.9, "eps": 1e-2},
]


@pytest.mark.parametrize("options", PLATEAU, ids=str)
@pytest.mark.parametrize("tensor", [False, True])
def test_plateau(options, tensor):
    rng = np.random.default_rng(0)
    metrics = [2 / (1 + i) + 0.2 * rng.random() for i in range(200)]

    def run(run, metrics):
        found = []
        for i, metric in enumerate(metrics):
            run.optimizer.step()
            run.scheduler.step(run.m.tensor(metric) if i % 2 else metric)
            found.append((run.seen(), run.scheduler.in_cooldown))
        return found

    ours, theirs = (
        Run(m, "ReduceLROnPlateau", options, tensor=tensor) for m in LIBRARIES
    )
    assert_close(run(ours, metrics[:90]), run(theirs, metrics[:90]), 1e-12, 1e-14)
    a, b = ours.state(), theirs.state()
    assert_close(a, b, 1e-12, 1e-14)
    ours.scheduler.load_state_dict(tensors(plugrad, b))
    theirs.scheduler.load_state_dict(tensors(torch, a))
    assert_close(run(ours, metrics[90:]), run(theirs, metrics[90:]), 1e-12, 1e-14)


def test_plateau_after_a_new_group():
    def run(m, **options):
        run = Run(m, "ReduceLROnPlateau", {"patience": 0, **options})
        run.optimizer.add_param_group({"params": m.ones(1, requires_grad=True)})
        for _ in range(3):
            run.scheduler.step(1.0)
        return run.seen()

    assert_close(run(plugrad), run(torch), 1e-12)
    assert_same_error(lambda m: run(m, min_lr=[0.1, 0.1]))


# ---- Warnings and errors


def warnings_of(call, m):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(m)
    return [(each.category, each.message.args[0][:25]) for each in caught]


def stepped_too_early(m):
    run = Run(m, "ExponentialLR", {"gamma": 0.5})
    run.scheduler.step()
    run.scheduler.step()


def in_order(m):
    Run(m, "ExponentialLR", {"gamma": 0.5}).run(3)


def replaced(m):
    run = Run(m, "ExponentialLR", {"gamma": 0.5})
    original = run.optimizer.step
    run.optimizer.step = lambda: original()
    run.run(2)


def asked_outside(m):
    Run(m, "CyclicLR", {"base_lr": 0.1, "max_lr": 0.2}).scheduler.get_lr()
    Run(m, "StepLR", {"step_size": 2}).scheduler.get_lr()
    Run(m, "SWALR", {"swa_lr": 2}).scheduler.get_lr()


def given_an_epoch(m):
    run = Run(m, "StepLR", {"step_size": 2})
    run.optimizer.step()
    run.scheduler.step(3)


def in_another(m):
    optimizer = optimizer_of(m)
    scheduler = nested(m, optimizer)
    for _ in range(3):
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(
    "call",
    [stepped_too_early, in_order, replaced, asked_outside, given_an_epoch, in_another],
)
def test_warnings(call):
    ours, theirs = warnings_of(call, plugrad), warnings_of(call, torch)
    assert ours == theirs


def test_warnings_point_at_the_caller():
    with pytest.warns(UserWarning) as caught:
        stepped_too_early(plugrad)
        asked_outside(plugrad)
        given_an_epoch(plugrad)
    assert {each.filename for each in caught} == {__file__}


def made(name, **options):
    return lambda m: scheduler_of(m, name, optimizer_of(m), options)


def two(m):
    return [m.optim.lr_scheduler.StepLR(optimizer_of(m), 2) for _ in range(2)]


@cases(
    lambda m: m.optim.lr_scheduler.StepLR(object(), 2),
    lambda m: m.optim.lr_scheduler.OneCycleLR(object(), 2),
    lambda m: m.optim.lr_scheduler.ReduceLROnPlateau(object()),
    lambda m: m.optim.lr_scheduler.LRScheduler(optimizer_of(m)),
    made("StepLR", step_size=2, last_epoch=3),
    made("LambdaLR", lr_lambda=[falling]),
    made("MultiplicativeLR", lr_lambda=1.0),
    made("MultiplicativeLR", lr_lambda=[falling]),
    made("ConstantLR", factor=1.5),
    made("LinearLR", start_factor=0),
    made("LinearLR", end_factor=1.5),
    made("ReduceLROnPlateau", factor=1.0),
    made("ReduceLROnPlateau", mode="other"),
    made("ReduceLROnPlateau", threshold_mode="other"),
    made("ReduceLROnPlateau", min_lr=[0.1]),
    made("CyclicLR", base_lr=[0.1], max_lr=1),
    made("CyclicLR", base_lr=0.1, max_lr=1, mode="other"),
    lambda m: m.optim.lr_scheduler.CyclicLR(optimizer_of(m, "Adagrad"), 0.1, 1),
    lambda m: m.optim.lr_scheduler.OneCycleLR(optimizer_of(m, "Adagrad"), 1, 9),
    made("CosineAnnealingWarmRestarts", T_0=0),
    made("CosineAnnealingWarmRestarts", T_0=2, T_mult=1.5),
    made("CosineAnnealingWarmRestarts", T_0=2, eta_min="0"),
    lambda m: made("CosineAnnealingWarmRestarts", T_0=2)(m).step(-1),
    made("OneCycleLR", max_lr=1),
    made("OneCycleLR", max_lr=1, total_steps=0),
    made("OneCycleLR", max_lr=1, epochs=2.5, steps_per_epoch=2),
    made("OneCycleLR", max_lr=1, epochs=2, steps_per_epoch=0),
    made("OneCycleLR", max_lr=1, total_steps=9, pct_start=2.0),
    made("OneCycleLR", max_lr=1, total_steps=9, anneal_strategy="other"),
    lambda m: Run(m, "OneCycleLR", {"max_lr": 1, "total_steps": 3}).run(5),
    made("SWALR", swa_lr=[0.1]),
    made("SWALR", swa_lr=0.1, anneal_strategy="other"),
    made("SWALR", swa_lr=0.1, anneal_epochs=-1),
    lambda m: m.optim.lr_scheduler.ChainedScheduler([]),
    lambda m: m.optim.lr_scheduler.ChainedScheduler([object()]),
    lambda m: m.optim.lr_scheduler.ChainedScheduler(two(m)),
    lambda m: m.optim.lr_scheduler.SequentialLR(optimizer_of(m), [], []),
    lambda m: m.optim.lr_scheduler.SequentialLR(optimizer_of(m), [object()], []),
    lambda m: m.optim.lr_scheduler.SequentialLR(optimizer_of(m), two(m)[:1], []),
    lambda m: [
        m.optim.lr_scheduler.SequentialLR(s.optimizer, [s, s], [1, 2])
        for s in two(m)[:1]
    ],
    lambda m: [
        m.optim.lr_scheduler.ChainedScheduler(
            [m.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(m))]
        )
    ],
)
def test_errors(call):
    assert_same_error(call)


def test_the_rate_told_is_nobody_elses():
    """Writing to a tensor that `get_last_lr` gave changes no rate."""
    run = Run(plugrad, "ExponentialLR", {"gamma": 0.5}, tensor=True)
    run.scheduler.get_last_lr()[0].fill_(math.pi)
    assert run.seen()[0][0] == 0.1
