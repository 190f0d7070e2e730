"""Runs of an optimizer with random options, groups and a schedule, in both libraries.

On the way gradients are missing, options are changed, groups come, and a new optimizer
and schedule go on from the states of the old ones.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from tests.against_torch.optim.both import LIBRARIES, arrays, assert_close

STEPS = 12
SHAPES = ((2, 3), (3,), ())
Options = dict[str, Any]


def adam(r: Random) -> Options:
    return {
        "betas": r.choice([(0.9, 0.999), (0.5, 0.9)]),
        "eps": r.choice([1e-8, 1e-3]),
        "amsgrad": r.random() < 0.5,
    }


def sgd(r: Random) -> Options:
    momentum = r.choice([0, 0.9])
    nesterov = bool(momentum) and r.random() < 0.5
    return {"momentum": momentum, "nesterov": nesterov}


def decoupled(r: Random) -> Options:
    return {"decoupled_weight_decay": r.random() < 0.5}


def rmsprop(r: Random) -> Options:
    return {"momentum": r.choice([0, 0.9]), "centered": r.random() < 0.5}


def adagrad(r: Random) -> Options:
    start = r.choice([0, 0.3])
    return {"lr_decay": r.choice([0, 0.1]), "initial_accumulator_value": start}


def none(r: Random) -> Options:
    return {}


KINDS: dict[str, Callable[[Random], Options]] = {
    "SGD": sgd,
    "Adam": adam,
    "AdamW": adam,
    "NAdam": decoupled,
    "RAdam": decoupled,
    "Adamax": none,
    "RMSprop": rmsprop,
    "Adagrad": adagrad,
    "Adadelta": lambda r: {"rho": r.choice([0.5, 0.9])},
    "ASGD": lambda r: {"t0": r.choice([1e6, 3])},
    "Rprop": none,
    "Adafactor": none,
}
CHANGED = "betas", "eps", "weight_decay", "maximize"  # what may change on the way


def options(name: str, r: Random) -> Options:
    """Those that all have, and those of one."""
    found = KINDS[name](r) | {"lr": r.choice([0.1, 0.01]), "maximize": r.random() < 0.3}
    return found if name == "Rprop" else found | {"weight_decay": r.choice([0, 0.1])}


SCHEDULES: list[Callable[[Any, Any, int], Any]] = [
    lambda s, o, n: s.StepLR(o, n, gamma=0.5),
    lambda s, o, n: s.MultiStepLR(o, [2, 4, 4, 7]),
    lambda s, o, n: s.ExponentialLR(o, 0.8),
    lambda s, o, n: s.CosineAnnealingLR(o, n + 1, eta_min=0.001),
    lambda s, o, n: s.CosineAnnealingWarmRestarts(o, n, 2),
    lambda s, o, n: s.LinearLR(o, 0.3, total_iters=n),
    lambda s, o, n: s.PolynomialLR(o, n + 3, 2.0),
    lambda s, o, n: s.OneCycleLR(
        o, 0.2, total_steps=60, three_phase=n > 2, cycle_momentum=False
    ),
    lambda s, o, n: s.CyclicLR(o, 0.01, 0.1, step_size_up=n, cycle_momentum=False),
    lambda s, o, n: s.ChainedScheduler([s.ConstantLR(o, 0.3, n), s.StepLR(o, 2)]),
    lambda s, o, n: s.SequentialLR(
        o, [s.LinearLR(o, 0.3, total_iters=2), s.StepLR(o, 2)], [n]
    ),
]


class Plan:
    """What happens in a run."""

    def __init__(self, r: Random) -> None:
        self.name = r.choice(list(KINDS))
        self.first, self.second = options(self.name, r), options(self.name, r)
        self.schedule = r.randrange(len(SCHEDULES)) if r.random() < 0.7 else None
        self.n = r.randint(1, 4)
        self.tensor = r.random() < 0.2  # the rate is one
        self.changes, self.saves = r.random() < 0.3, r.random() < 0.4
        self.grows = self.schedule is None and not self.saves and r.random() < 0.3
        self.missing = {(r.randrange(STEPS), r.randrange(3)) for _ in range(4)}

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in vars(self).items())

    def build(self, m: Any, params: list[Any]) -> tuple[Any, Any]:
        """An optimizer and its schedule."""
        given = dict(self.first)
        own = {k: v for k, v in self.second.items() if k in ("lr", "weight_decay")}
        if self.tensor:
            given["lr"], own = m.tensor(given["lr"], dtype=m.float64), {}
        groups = [{"params": params[:1], **own}, {"params": params[1:]}]
        optimizer = getattr(m.optim, self.name)(groups, **given)
        if self.schedule is None:
            return optimizer, None
        make = SCHEDULES[self.schedule]
        return optimizer, make(m.optim.lr_scheduler, optimizer, self.n)

    def run(self, m: Any) -> Any:
        """The rates of all steps, the parameters and the state at the end."""
        rng = np.random.default_rng(0)
        params = [m.tensor(rng.standard_normal(s)).requires_grad_() for s in SHAPES]
        optimizer, schedule = self.build(m, params)
        rates = []
        for i in range(STEPS):
            for j, p in enumerate(params):
                g = m.tensor(rng.standard_normal(tuple(p.shape)))
                p.grad = None if (i, j) in self.missing else g
            optimizer.step()
            if schedule is not None:
                schedule.step()
            rates.append([float(group["lr"]) for group in optimizer.param_groups])
            if self.changes and i == 5:
                new = {k: v for k, v in self.second.items() if k in CHANGED}
                for group in optimizer.param_groups:
                    group.update(new)
            if self.grows and i == 3:
                params.append(m.ones(2, 2, dtype=m.float64, requires_grad=True))
                optimizer.add_param_group({"params": params[-1:]})
            if self.saves and i == 7:
                states = [copy.deepcopy(optimizer.state_dict())]
                if schedule is not None:
                    states.append(copy.deepcopy(schedule.state_dict()))
                params = [p.detach().clone().requires_grad_() for p in params]
                optimizer, schedule = self.build(m, params)
                for each, state in zip((optimizer, schedule), states):
                    each.load_state_dict(state)
        return rates, arrays([p.detach() for p in params]), state_of(optimizer)


def state_of(optimizer: Any) -> Any:
    """The state as arrays, in the order of its names."""
    found = arrays(optimizer.state_dict()["state"])
    return {key: dict(sorted(each.items())) for key, each in sorted(found.items())}


def compare(plan: Plan) -> None:
    """Fail where a plan ends otherwise than in torch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (plan.run(m) for m in LIBRARIES)
    assert_close(ours, theirs, 1e-6, 1e-9)  # rates in tensors are rounded
