"""The networks that `python -m benchmarks training` trains, in torch's API.

Each function takes the library, torch or plugrad, and gives a `Task`. Data and weights
come from NumPy, so that every library starts from the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Library = Any
Tensor = Any


@dataclass
class Task:
    """A network, a batch, its loss, and the optimizer's name and options."""

    network: Any
    inputs: Any
    targets: Any
    loss: Callable[[Tensor, Tensor], Tensor]
    optimizer: str
    options: dict[str, Any]


def normal(*shape: int) -> Any:
    """Inputs: the same each time."""
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def classes(count: int, *shape: int) -> Any:
    """Targets: classes, the same each time."""
    return np.random.default_rng(2).integers(0, count, shape)


SGD = "SGD", {"lr": 0.01, "momentum": 0.9}
ADAM = "Adam", {"lr": 1e-4}


def mlp(t: Library, optimizer: tuple[str, dict[str, Any]]) -> Task:
    """784-512-512-10, a batch of 128."""
    nn = t.nn
    network = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
        nn.Linear(512, 10),
    )  # fmt: skip
    x, y = normal(128, 784), classes(10, 128)
    return Task(network, x, y, nn.functional.cross_entropy, *optimizer)


def lenet(t: Library) -> Task:
    """LeNet-5 on 28 x 28, a batch of 64."""
    nn = t.nn
    network = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip
    x, y = normal(64, 1, 28, 28), classes(10, 64)
    return Task(network, x, y, nn.functional.cross_entropy, *SGD)


def vgg(t: Library) -> Task:
    """Two blocks of VGG on 32 x 32, a batch of 32."""
    nn = t.nn
    layers: list[Any] = []
    for into, out in ((3, 64), (64, 64), (64, 128), (128, 128)):
        layers += [nn.Conv2d(into, out, 3, padding=1), nn.ReLU()]
        if into == out:
            layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(128 * 8 * 8, 256), nn.ReLU(), nn.Linear(256, 10)]
    x, y = normal(32, 3, 32, 32), classes(10, 32)
    return Task(nn.Sequential(*layers), x, y, nn.functional.cross_entropy, *SGD)


def resnet(t: Library) -> Task:
    """ResNet-18 as for CIFAR: on 32 x 32, a batch of 32."""
    nn = t.nn

    class Block(nn.Module):  # type: ignore[name-defined]
        """Two convolutions, and a way around them."""

        def __init__(self, into: int, out: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(out)
            self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(out)
            self.around = nn.Identity()
            if stride != 1 or into != out:
                self.around = nn.Sequential(
                    nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out)
                )

        def forward(self, x: Tensor) -> Tensor:
            y = nn.functional.relu(self.bn1(self.conv1(x)))
            return nn.functional.relu(self.bn2(self.conv2(y)) + self.around(x))

    layers: list[Any] = [
        nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()
    ]  # fmt: skip
    into = 64
    for out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(into, out, stride), Block(out, out, 1)]
        into = out
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)]
    x, y = normal(32, 3, 32, 32), classes(10, 32)
    return Task(nn.Sequential(*layers), x, y, nn.functional.cross_entropy, *SGD)


def lstm(t: Library) -> Task:
    """An LSTM of width 256 over 64 steps, a batch of 32."""
    nn = t.nn

    class Network(nn.Module):  # type: ignore[name-defined]
        """The last state, classified."""

        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(256, 256, batch_first=True)
            self.head = nn.Linear(256, 10)

        def forward(self, x: Tensor) -> Tensor:
            y, _ = self.lstm(x)
            return self.head(y[:, -1])

    x, y = normal(32, 64, 256), classes(10, 32)
    return Task(Network(), x, y, nn.functional.cross_entropy, *ADAM)


def gpt(t: Library) -> Task:
    """A block of GPT of width 256 over 128 tokens, a batch of 8."""
    nn, F = t.nn, t.nn.functional

    class Block(nn.Module):  # type: ignore[name-defined]
        """Attention to what came before, and a network for each token."""

        def __init__(self, width: int = 256, heads: int = 4) -> None:
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up = nn.Linear(width, 4 * width)
            self.down = nn.Linear(4 * width, width)

        def forward(self, x: Tensor) -> Tensor:
            n, length, width = x.shape
            q, k, v = (
                part.view(n, length, self.heads, width // self.heads).transpose(1, 2)
                for part in self.qkv(self.norm1(x)).split(width, dim=2)
            )
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(n, length, width))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    x = normal(8, 128, 256)
    return Task(Block(), x, np.roll(x, 1, 1), F.mse_loss, *ADAM)


def unet(t: Library) -> Task:
    """A small U-Net on 64 x 64, a batch of 8."""
    nn = t.nn

    def twice(into: int, out: int) -> Any:
        layers: list[Any] = []
        for each in (into, out):
            layers += [nn.Conv2d(each, out, 3, padding=1), nn.BatchNorm2d(out)]
            layers.append(nn.ReLU())
        return nn.Sequential(*layers)

    class Network(nn.Module):  # type: ignore[name-defined]
        """Down, up again, and what was seen on the way down beside it."""

        def __init__(self) -> None:
            super().__init__()
            self.down1, self.down2 = twice(3, 16), twice(16, 32)
            self.low = twice(32, 64)
            self.up2 = nn.ConvTranspose2d(64, 32, 2, 2)
            self.up1 = nn.ConvTranspose2d(32, 16, 2, 2)
            self.join2, self.join1 = twice(64, 32), twice(32, 16)
            self.head = nn.Conv2d(16, 4, 1)
            self.pool = nn.MaxPool2d(2)

        def forward(self, x: Tensor) -> Tensor:
            a = self.down1(x)
            b = self.down2(self.pool(a))
            c = self.low(self.pool(b))
            b = self.join2(t.cat([self.up2(c), b], 1))
            return self.head(self.join1(t.cat([self.up1(b), a], 1)))

    x, y = normal(8, 3, 64, 64), classes(4, 8, 64, 64)
    return Task(Network(), x, y, nn.functional.cross_entropy, *ADAM)


TASKS: dict[str, Callable[[Library], Task]] = {
    "MLP, SGD": lambda t: mlp(t, SGD),
    "MLP, Adam": lambda t: mlp(t, ADAM),
    "LeNet": lenet,
    "VGG blocks": vgg,
    "ResNet-18": resnet,
    "LSTM": lstm,
    "GPT block": gpt,
    "U-Net": unet,
}
