"""Checkpoints: all that a training needs to go on, and a prediction to be made.

A checkpoint is a dictionary that `plugrad.load` and `torch.load` read: the network's
name, shape, classes and scale, its `state_dict`, those of optimizer and schedule, the
state of the random stream, the settings, and the history. Its tensors are NumPy's,
wherever the training ran.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from os import PathLike, fspath
from typing import Any

import plugrad
import plugrad.nn as nn
from plugrad import Tensor

from ..transforms import functional as F
from .networks import NETWORKS, Shape, build

KIND = "plugrad train"
VERSION = 1
MOST_PIXELS = 1 << 22  # of a picture; a damaged file may claim any number
TYPES = {
    "model": str,
    "data": str,
    "shape": (list, tuple),
    "classes": (list, tuple),
    "mean": (list, tuple),
    "std": (list, tuple),
    "network": dict,
    "epoch": int,
    "settings": dict,
    "history": dict,
}


def on_host(value: Any) -> Any:
    """A state with all its tensors on the NumPy backend."""
    if isinstance(value, Tensor):
        return value.detach().cpu().to(backend="numpy")
    if isinstance(value, dict):
        return {key: on_host(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(on_host(each) for each in value)
    return value


@dataclass
class Trained:
    """A network with what belongs to it, from a checkpoint of `plugrad train`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.train import Trained
    >>> network = plugrad.nn.Sequential(plugrad.nn.Flatten(), plugrad.nn.Linear(64, 2))
    >>> trained = Trained(network, "mlp", (1, 8, 8), ["no", "yes"], [0.5], [0.25])
    >>> picture = plugrad.zeros(1, 8, 8, dtype=plugrad.uint8)
    >>> trained.probabilities([picture]).shape
    plugrad.Size([1, 2])
    """

    network: nn.Module
    model: str
    shape: Shape
    classes: list[str]
    mean: list[float]
    std: list[float]

    def prepared(self, picture: Tensor) -> Tensor:
        """A picture of bytes in the size and on the scale of the training."""
        _, height, width = self.shape
        scaled = picture.to(plugrad.float32) / 255
        scaled = F.resize(scaled, [height, width])
        return F.normalize(scaled, self.mean, self.std)

    def probabilities(self, pictures: list[Tensor]) -> Tensor:
        """What the network gives each class, (pictures, classes), for pictures of
        bytes, each (channels, height, width)."""
        self.network.eval()
        with plugrad.no_grad():
            batch = plugrad.stack([self.prepared(each) for each in pictures])
            return self.network(batch).softmax(1)


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """The dictionary in a checkpoint, if it is one of `plugrad train`. A file that is
    none is a CheckpointError, which names it."""
    name = fspath(path)
    state = plugrad.load(name, map_location="cpu")
    if not isinstance(state, dict) or state.get("kind") != KIND:
        raise plugrad.CheckpointError(
            f"{name}: a checkpoint, but not one that plugrad train has written"
        )
    if state.get("version") != VERSION:
        raise plugrad.CheckpointError(
            f"{name}: a checkpoint of version {state.get('version')!r}; this plugrad "
            f"reads version {VERSION}"
        )
    for key, kind in TYPES.items():
        if not isinstance(state.get(key), kind):
            raise plugrad.CheckpointError(
                f"{name}: its {key!r} is missing or damaged; it cannot be used"
            )
    return state


def load_trained(path: str | PathLike[str]) -> Trained:
    """The network in a checkpoint of `plugrad train`, ready to be asked.

    >>> from plugrad.plugins.vision.train import load_trained
    >>> try:
    ...     load_trained("nowhere.pt")
    ... except FileNotFoundError as error:
    ...     print(error)
    [Errno 2] No such file or directory: 'nowhere.pt'
    """
    state = read(path)
    return trained_of(state, fspath(path))


def trained_of(state: dict[str, Any], name: str) -> Trained:
    """The network that a checkpoint describes, with its weights."""
    shape, classes = tuple(state["shape"]), [str(each) for each in state["classes"]]
    sizes = len(shape) == 3 and all(type(n) is int and n > 0 for n in shape)
    if sizes:
        sizes = shape[0] in (1, 3) and shape[0] * shape[1] * shape[2] <= MOST_PIXELS
    if not sizes or not classes:
        raise plugrad.CheckpointError(f"{name}: its 'shape' {shape} is damaged")
    if state["model"] not in NETWORKS:
        raise plugrad.CheckpointError(
            f"{name}: its network {state['model']!r} is not known; there are "
            f"{', '.join(NETWORKS)}"
        )
    try:
        network = build(state["model"], shape, len(classes))
        network.load_state_dict(state["network"])
    except (MemoryError, RuntimeError, TypeError, ValueError) as error:
        raise plugrad.CheckpointError(f"{name}: {error}") from error
    mean, std = list(state["mean"]), list(state["std"])
    numbers = all(type(each) is float and isfinite(each) for each in mean + std)
    if not (len(mean) == len(std) == shape[0] and numbers and all(std)):
        raise plugrad.CheckpointError(f"{name}: its 'mean' and 'std' are damaged")
    return Trained(network, state["model"], shape, classes, mean, std)
