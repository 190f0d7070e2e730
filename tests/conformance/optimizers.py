"""The optimizers and schedules that are tried.

A row's name is the class, and after a dash which of its options it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plugrad
import plugrad.optim as optim


@dataclass(frozen=True)
class Optimizer:
    """How an optimizer is made of parameters."""

    make: Callable[[list[Any]], Any]
    shapes: tuple[tuple[int, ...], ...] = ((3, 4), (4,), ())
    sparse: bool = False  # it takes gradients of rows


def groups(params: list[Any]) -> list[dict[str, Any]]:
    """The first parameter with a rate of its own, the others together."""
    return [{"params": params[:1], "lr": 0.01}, {"params": params[1:]}]


OPTIMIZERS = {
    "SGD": Optimizer(lambda p: optim.SGD(p, lr=0.1)),
    "SGD-momentum": Optimizer(
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)
    ),
    "SGD-nesterov": Optimizer(
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)
    ),
    "SGD-dampening": Optimizer(
        lambda p: optim.SGD(p, lr=0.1, momentum=0.5, dampening=0.3)
    ),
    "SGD-maximize": Optimizer(lambda p: optim.SGD(p, lr=0.001, maximize=True)),
    "SGD-groups": Optimizer(lambda p: optim.SGD(groups(p), lr=0.1)),
    "Adam": Optimizer(lambda p: optim.Adam(p, lr=0.05)),
    "Adam-amsgrad": Optimizer(
        lambda p: optim.Adam(p, lr=0.05, amsgrad=True, weight_decay=0.1)
    ),
    "Adam-tensor_rate": Optimizer(
        lambda p: optim.Adam(p, lr=plugrad.tensor(0.05, dtype=p[0].dtype))
    ),
    "AdamW": Optimizer(lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.1)),
    "Adamax": Optimizer(lambda p: optim.Adamax(p, lr=0.05)),
    "NAdam": Optimizer(lambda p: optim.NAdam(p, lr=0.05)),
    "RAdam": Optimizer(lambda p: optim.RAdam(p, lr=0.05)),
    "Adadelta": Optimizer(lambda p: optim.Adadelta(p, lr=0.9)),
    "Adagrad": Optimizer(lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1)),
    "RMSprop": Optimizer(lambda p: optim.RMSprop(p, lr=0.02)),
    "RMSprop-centered": Optimizer(
        lambda p: optim.RMSprop(p, lr=0.02, centered=True, momentum=0.5)
    ),
    "Rprop": Optimizer(lambda p: optim.Rprop(p, lr=0.02)),
    "ASGD": Optimizer(lambda p: optim.ASGD(p, lr=0.05, t0=4)),
    "Adafactor": Optimizer(lambda p: optim.Adafactor(p, lr=0.05)),
    "LBFGS": Optimizer(lambda p: optim.LBFGS(p, lr=0.3, max_iter=3)),
    "LBFGS-search": Optimizer(
        lambda p: optim.LBFGS(p, max_iter=4, line_search_fn="strong_wolfe")
    ),
    "Muon": Optimizer(lambda p: optim.Muon(p, lr=0.05), shapes=((3, 4), (4, 2))),
    "SparseAdam": Optimizer(
        lambda p: optim.SparseAdam(p, lr=0.05), shapes=((5, 3),), sparse=True
    ),
}


def two_schedules(o: Any) -> list[Any]:
    return [
        optim.lr_scheduler.ConstantLR(o, 0.5, 3),
        optim.lr_scheduler.ExponentialLR(o, 0.9),
    ]


SCHEDULES = {
    "LambdaLR": lambda o: optim.lr_scheduler.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
    "MultiplicativeLR": lambda o: optim.lr_scheduler.MultiplicativeLR(
        o, lambda epoch: 0.9
    ),
    "StepLR": lambda o: optim.lr_scheduler.StepLR(o, 3, gamma=0.5),
    "MultiStepLR": lambda o: optim.lr_scheduler.MultiStepLR(o, [2, 5, 6], gamma=0.5),
    "ConstantLR": lambda o: optim.lr_scheduler.ConstantLR(o, 0.5, 4),
    "LinearLR": lambda o: optim.lr_scheduler.LinearLR(o, 0.25, total_iters=5),
    "ExponentialLR": lambda o: optim.lr_scheduler.ExponentialLR(o, 0.8),
    "PolynomialLR": lambda o: optim.lr_scheduler.PolynomialLR(o, 6, 2.0),
    "CosineAnnealingLR": lambda o: optim.lr_scheduler.CosineAnnealingLR(
        o, 5, eta_min=0.01
    ),
    "CosineAnnealingWarmRestarts": lambda o: (
        optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 3, T_mult=2)
    ),
    "CyclicLR": lambda o: optim.lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=3),
    "OneCycleLR": lambda o: optim.lr_scheduler.OneCycleLR(o, 0.2, total_steps=12),
    "ReduceLROnPlateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(
        o, factor=0.5, patience=1
    ),
    "SequentialLR": lambda o: optim.lr_scheduler.SequentialLR(o, two_schedules(o), [4]),
    "ChainedScheduler": lambda o: optim.lr_scheduler.ChainedScheduler(two_schedules(o)),
    "SWALR": lambda o: optim.swa_utils.SWALR(o, swa_lr=0.01, anneal_epochs=4),
}
