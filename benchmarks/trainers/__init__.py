"""Training steps of the networks in `networks.py`, by library: one module each.

`step(name)` of a module gives a function that does one training step of that network
and returns the loss. All start from the same numbers, given here, so that their losses
can be compared. Libraries with torch's API run one program (`torchlike`); the others
have programs of their own, each as its library is meant to be used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..networks import TASKS

MLPS = ("MLP, SGD", "MLP, Adam")
CHAINS = (*MLPS, "LeNet", "VGG blocks")  # layers one after the other

# contestant -> its module here, and its networks
PEERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "torch.compile": ("compiled", tuple(TASKS)),
    "jax.jit": ("jax", (*CHAINS, "LSTM", "GPT block")),
    "autograd": ("autograd", MLPS),
    "mygrad": ("mygrad", (*MLPS, "LeNet")),
    "tinygrad": ("tinygrad", CHAINS),
}


def weights(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Weights of a shape: small random ones; in one dimension, ones and zeros."""
    if len(shape) > 1:
        scale = math.sqrt(2 / math.prod(shape[1:]))
        return np.random.default_rng(len(name)).standard_normal(shape) * scale
    return np.full(shape, name.endswith(("weight", "var")))


@dataclass
class Start:
    """What training starts from, in NumPy; and the layers, where they are a chain.

    A layer is its kind, its weights' prefix, and plugrad's own, for its settings.
    """

    weights: dict[str, np.ndarray]
    layers: list[tuple[str, str, Any]]
    inputs: np.ndarray
    targets: np.ndarray
    optimizer: str
    options: dict[str, Any]


def start(name: str) -> Start:
    """The numbers of a network; its shapes are plugrad's."""
    import plugrad
    import plugrad.nn

    task = TASKS[name](plugrad)
    children = task.network.named_children()
    return Start(
        {
            key: weights(key, tuple(each.shape)).astype(np.float32)
            for key, each in task.network.state_dict().items()
        },
        [(type(layer).__name__, prefix, layer) for prefix, layer in children],
        task.inputs,
        task.targets,
        task.optimizer,
        task.options,
    )
