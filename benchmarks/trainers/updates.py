"""Optimizers by hand in NumPy, for libraries that have none; they write weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Weights = dict[str, np.ndarray]
Update = Callable[[Weights], None]


def sgd(p: Weights, lr: float, momentum: float = 0.0) -> Update:
    moved = {name: np.zeros_like(each) for name, each in p.items()}

    def update(g: Weights) -> None:
        for name, each in p.items():
            m = moved[name]
            m *= momentum
            m += g[name]
            each -= lr * m

    return update


def adam(
    p: Weights, lr: float, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8
) -> Update:
    state = {
        name: (np.zeros_like(each), np.zeros_like(each)) for name, each in p.items()
    }
    number = 0

    def update(g: Weights) -> None:
        nonlocal number
        number += 1
        by_m, by_v = 1 - b1**number, 1 - b2**number
        for name, each in p.items():
            m, v = state[name]
            m += (1 - b1) * (g[name] - m)
            v += (1 - b2) * (g[name] * g[name] - v)
            each -= lr / by_m * m / (np.sqrt(v / by_v) + eps)

    return update


OPTIMIZERS: dict[str, Callable[..., Update]] = {"SGD": sgd, "Adam": adam}
