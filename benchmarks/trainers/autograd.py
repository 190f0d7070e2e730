"""Steps in HIPS/autograd, which has no layers and no optimizers: of MLPs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

from . import start
from .updates import OPTIMIZERS


def step(name: str) -> Callable[[], float]:
    begun = start(name)
    x, rows = begun.inputs, np.arange(len(begun.inputs))

    def loss(p: dict[str, Any]) -> Any:
        y = x
        for kind, layer, _ in begun.layers:
            if kind == "Linear":
                y = anp.dot(y, p[f"{layer}.weight"].T) + p[f"{layer}.bias"]
            else:
                y = anp.maximum(y, 0)
        y = y - y.max(1, keepdims=True)
        logarithms = anp.log(anp.exp(y).sum(1))
        return anp.mean(logarithms - y[rows, begun.targets])

    both = value_and_grad(loss)
    update = OPTIMIZERS[begun.optimizer](begun.weights, **begun.options)

    def one_step() -> float:
        value, g = both(begun.weights)
        update(g)
        return float(value)

    return one_step
