"""The networks that `plugrad train` knows by name, for pictures of a shape."""

from __future__ import annotations

from collections.abc import Callable

import plugrad.nn as nn

from .. import models

Shape = tuple[int, int, int]  # channels, height, width


def cnn(shape: Shape, classes: int) -> nn.Module:
    """Two convolutions, and more of them for larger pictures, until pooling has left
    4 x 4 pixels or so; then two linear layers."""
    channels, height, width = shape
    features: list[nn.Module] = [nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU()]
    before = 16
    while True:
        after = min(2 * before, 64)
        features += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        features.append(nn.MaxPool2d(2))
        before, height, width = after, height // 2, width // 2
        if max(height, width) <= 4:
            break
    size = before * height * width
    return nn.Sequential(
        *features, nn.Flatten(), nn.Linear(size, 64), nn.ReLU(), nn.Linear(64, classes)
    )


def lenet(shape: Shape, classes: int) -> nn.Module:
    """LeNet-5."""
    if shape != (1, 28, 28):
        raise ValueError("lenet takes grey pictures of 28 x 28")
    return models.LeNet(classes)


def mlp(shape: Shape, classes: int) -> nn.Module:
    """Linear layers of 400, 200 and 100."""
    channels, height, width = shape
    return models.MLP(channels * height * width, 400, 200, 100, classes)


def resnet18(shape: Shape, classes: int) -> nn.Module:
    """ResNet-18; for pictures that have no three channels, with another first layer."""
    network = models.resnet18(num_classes=classes)
    if shape[0] != 3:
        network.conv1 = nn.Conv2d(shape[0], 64, 7, 2, 3, bias=False)
    return network


NETWORKS: dict[str, Callable[[Shape, int], nn.Module]] = {
    "cnn": cnn,
    "lenet": lenet,
    "mlp": mlp,
    "resnet18": resnet18,
}


def described(shape: Shape) -> str:
    """A shape in words."""
    channels, height, width = shape
    kind = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
    return f"{kind} pictures of {height} x {width}"


def build(name: str, shape: Shape, classes: int) -> nn.Module:
    """The network of that name. One that cannot take the pictures is a ValueError."""
    channels, height, width = shape
    if min(height, width) < 4:
        raise ValueError(f"{described(shape)} are too small for any network here")
    try:
        return NETWORKS[name](shape, classes)
    except ValueError as error:
        others = ", ".join(each for each in NETWORKS if each not in (name, "lenet"))
        raise ValueError(
            f"{error}, but these are {described(shape)}: use one of {others}"
        ) from error
