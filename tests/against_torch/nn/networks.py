"""Whole networks, each written once as a function of the library that makes it.

A `Network` makes the module, a batch of its data, and the loss of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Network:
    """How a network is made, and what it is trained on."""

    make: Callable[[Any], Any]  # of the library
    batch: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
    loss: Callable[[Any, Any, Any], Any]  # of the library, outputs and targets
    rates: tuple[float, float] = (1e-3, 0.02)  # of Adam and of SGD


def classes(m: Any, scores: Any, targets: Any) -> Any:
    """Cross entropy over the last dimension."""
    scores = scores.reshape(-1, scores.shape[-1])
    return m.nn.functional.cross_entropy(scores, targets.reshape(-1))


# --- A perceptron of several layers ---------------------------------------------------


def perceptron(m: Any) -> Any:
    nn = m.nn
    return nn.Sequential(
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )


def waves(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x = rng.standard_normal((16, 8))
    return x, np.sin(x).sum(1, keepdims=True)


def squares(m: Any, y: Any, target: Any) -> Any:
    return m.nn.functional.mse_loss(y, target)


# --- LeNet ----------------------------------------------------------------------------


def lenet(m: Any) -> Any:
    nn, F = m.nn, m.nn.functional

    class LeNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1 = nn.Linear(16 * 5 * 5, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:  # (N, 1, 28, 28)
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            x = m.flatten(x, 1)
            return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))

    return LeNet()


def pictures(n: int, *shape: int) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Pictures, each brighter at the place that its class says."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x, y = rng.standard_normal((n, *shape)), rng.integers(0, 10, n)
        for i, each in enumerate(y):
            x[i, :, 2 * each : 2 * each + 4] += 1.5
        return x, y

    return make


# --- ResNet-18, as for pictures of 32x32 ----------------------------------------------


def resnet18(m: Any, width: int = 64) -> Any:
    nn, F = m.nn, m.nn.functional

    class Block(nn.Module):
        def __init__(self, inside: int, outside: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outside)
            self.relu = nn.ReLU(inplace=True)
            self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outside)
            self.downsample = None
            if stride != 1 or inside != outside:
                self.downsample = nn.Sequential(
                    nn.Conv2d(inside, outside, 1, stride, bias=False),
                    nn.BatchNorm2d(outside),
                )

        def forward(self, x: Any) -> Any:
            y = self.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            y += x if self.downsample is None else self.downsample(x)
            return self.relu(y)

    class ResNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            sizes = [width, width, 2 * width, 4 * width, 8 * width]
            for i in range(4):
                first = Block(sizes[i], sizes[i + 1], 1 if i == 0 else 2)
                second = Block(sizes[i + 1], sizes[i + 1], 1)
                setattr(self, f"layer{i + 1}", nn.Sequential(first, second))
            self.fc = nn.Linear(8 * width, 10)

        def forward(self, x: Any) -> Any:  # (N, 3, 32, 32)
            x = F.relu(self.bn1(self.conv1(x)))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))

    return ResNet()


# --- Language models ------------------------------------------------------------------

WORDS = 17


def lstm(m: Any) -> Any:
    nn = m.nn

    class LanguageModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(WORDS, 12)
            self.lstm = nn.LSTM(12, 16, num_layers=2, batch_first=True)
            self.head = nn.Linear(16, WORDS)

        def forward(self, words: Any) -> Any:  # (N, T)
            states, (h, c) = self.lstm(self.embedding(words))
            return self.head(states)  # (N, T, WORDS)

    return LanguageModel()


def gpt(m: Any) -> Any:
    nn, F = m.nn, m.nn.functional

    class Attention(nn.Module):
        def __init__(self, size: int, heads: int, length: int) -> None:
            super().__init__()
            self.heads = heads
            self.qkv = nn.Linear(size, 3 * size)
            self.out = nn.Linear(size, size)
            self.register_buffer("mask", m.tril(m.ones(length, length)))

        def forward(self, x: Any) -> Any:
            n, t, c = x.size()
            q, k, v = self.qkv(x).split(c, dim=2)
            shape = n, t, self.heads, c // self.heads
            q, k, v = (each.view(*shape).transpose(1, 2) for each in (q, k, v))
            scores = q @ k.transpose(-2, -1) * (k.size(-1) ** -0.5)
            scores = scores.masked_fill(self.mask[:t, :t] == 0, float("-inf"))
            y = F.softmax(scores, dim=-1) @ v
            return self.out(y.transpose(1, 2).contiguous().view(n, t, c))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.places = nn.Embedding(WORDS, 16), nn.Embedding(9, 16)
            self.ln1, self.attention = nn.LayerNorm(16), Attention(16, 4, 9)
            self.ln2 = nn.LayerNorm(16)
            self.mlp = nn.Sequential(
                nn.Linear(16, 64), nn.GELU(approximate="tanh"), nn.Linear(64, 16)
            )
            self.ln = nn.LayerNorm(16)
            self.head = nn.Linear(16, WORDS, bias=False)
            self.head.weight = self.words.weight  # one matrix for both

        def forward(self, words: Any) -> Any:  # (N, T)
            places = m.arange(words.size(1))
            x = self.words(words) + self.places(places)
            x = x + self.attention(self.ln1(x))
            x = x + self.mlp(self.ln2(x))
            return self.head(self.ln(x))

    return GPT()


def counting(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Words in a row, and those that follow; some are wrong."""
    words = (rng.integers(0, WORDS, (4, 1)) + np.arange(8)) % WORDS
    wrong = rng.random(words.shape) < 0.1
    words = np.where(wrong, rng.integers(0, WORDS, words.shape), words)
    return words[:, :-1].copy(), words[:, 1:].copy()


NETWORKS = {
    "MLP": Network(perceptron, waves, squares),
    "LeNet": Network(lenet, pictures(4, 1, 28, 28), classes, (1e-3, 0.01)),
    "ResNet-18": Network(
        lambda m: resnet18(m, 8), pictures(4, 3, 32, 32), classes, (1e-3, 0.01)
    ),
    "LSTM": Network(lstm, counting, classes, (1e-2, 0.2)),
    "GPT": Network(gpt, counting, classes, (1e-3, 0.05)),
}
FULL = Network(resnet18, pictures(2, 3, 32, 32), classes)
