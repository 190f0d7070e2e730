"""Steps in MyGrad, which has layers and losses as functions, and no optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mygrad
from mygrad.nnet import relu
from mygrad.nnet.layers import conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

from . import start
from .updates import OPTIMIZERS


def step(name: str) -> Callable[[], float]:
    begun = start(name)
    # Tensors of these very arrays, which the optimizer writes between two steps.
    p = {key: mygrad.tensor(each, copy=False) for key, each in begun.weights.items()}

    def forward(x: Any) -> Any:
        for kind, layer, given in begun.layers:
            match kind:
                case "Linear":
                    x = x @ p[f"{layer}.weight"].T + p[f"{layer}.bias"]
                case "Conv2d":
                    w, b = p[f"{layer}.weight"], p[f"{layer}.bias"]
                    x = conv_nd(x, w, stride=given.stride, padding=given.padding)
                    x = x + b.reshape(-1, 1, 1)
                case "MaxPool2d":
                    size = given.kernel_size
                    x = max_pool(x, (size, size), size)
                case "ReLU":
                    x = relu(x)
                case "Flatten":
                    x = x.reshape(len(x), -1)
        return x

    update = OPTIMIZERS[begun.optimizer](begun.weights, **begun.options)

    def one_step() -> float:
        loss = softmax_crossentropy(forward(begun.inputs), begun.targets)
        loss.backward()
        g = {key: each.grad for key, each in p.items()}
        for each in p.values():
            each.null_grad()
        update(g)
        return loss.item()

    return one_step
