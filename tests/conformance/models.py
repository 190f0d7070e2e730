"""The models that are trained, each with its data: small, and of every usual kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plugrad
import plugrad.nn as nn
import plugrad.optim as optim
from plugrad.nn import functional as F


@dataclass(frozen=True)
class Model:
    """How a model is made, its data, and how it is trained."""

    make: Callable[[], Any]
    data: Callable[[Any], tuple[Any, ...]]  # of a `Make`: what `loss` takes
    loss: Callable[..., Any]  # of the model and its data
    optimizer: Callable[[Any], Any]
    steps: int


# --- A perceptron of several layers --------------------------------------------------


def perceptron() -> Any:
    return nn.Sequential(
        nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)
    )


def regression(make: Any) -> tuple[Any, ...]:
    x = make(32, 6, requires_grad=False)
    return x, (x * x).sum(1, keepdim=True)


# --- LeNet: convolutions, pooling, batch norm ----------------------------------------


class LeNet(nn.Module):
    """The network of two convolutions and three linear layers, on pictures of 28x28."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.norm = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Any) -> Any:  # (N, 1, 28, 28)
        x = F.max_pool2d(F.relu(self.norm(self.conv1(x))), 2)  # (N, 6, 14, 14)
        x = F.avg_pool2d(F.relu(self.conv2(x)), 2)  # (N, 16, 5, 5)
        x = x.flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def pictures(make: Any) -> tuple[Any, ...]:
    return make(4, 1, 28, 28, requires_grad=False), make.integers(4, high=10)


# --- A language model of an LSTM -----------------------------------------------------


class Tagger(nn.Module):
    """The next of eleven words, by an LSTM of two layers with dropout between."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.lstm = nn.LSTM(8, 12, 2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(12, 11)

    def forward(self, words: Any) -> Any:  # (N, T)
        return self.head(self.lstm(self.embedding(words))[0])  # (N, T, 11)


def sentences(make: Any) -> tuple[Any, ...]:
    words = make.integers(4, 7, high=11)
    return words[:, :-1], words[:, 1:]


def next_words(model: Any, words: Any, targets: Any) -> Any:
    scores = model(words)
    return F.cross_entropy(scores.flatten(0, 1), targets.flatten())


# --- A block of a transformer --------------------------------------------------------


class Block(nn.Module):
    """Words, one block of attention that looks back only, and the next word."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.places = nn.Parameter(plugrad.zeros(6, 8))
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.mix = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)
        self.mlp = nn.Sequential(
            nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 8), nn.Dropout(0.1)
        )
        self.head = nn.Linear(8, 11, bias=False)

    def attend(self, x: Any) -> Any:  # (N, T, 8), two heads of four
        n, t, _ = x.shape
        q, k, v = (
            each.view(n, t, 2, 4).transpose(1, 2) for each in self.mix(x).chunk(3, -1)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(n, t, 8))

    def forward(self, words: Any) -> Any:  # (N, T)
        x = self.embedding(words) + self.places
        x = x + self.attend(self.norm1(x))
        return self.head(x + self.mlp(self.norm2(x)))


MODELS = {
    "MLP": Model(
        perceptron,
        regression,
        lambda model, x, y: F.mse_loss(model(x), y),
        lambda model: optim.SGD(model.parameters(), lr=0.01, momentum=0.9),
        steps=40,
    ),
    "CNN": Model(
        LeNet,
        pictures,
        lambda model, x, y: F.cross_entropy(model(x), y),
        lambda model: optim.SGD(model.parameters(), lr=0.03, momentum=0.9),
        steps=8,
    ),
    "LanguageModel": Model(
        Tagger,
        sentences,
        next_words,
        lambda model: optim.Adam(model.parameters(), lr=0.03),
        steps=10,
    ),
    "TransformerBlock": Model(
        Block,
        sentences,
        next_words,
        lambda model: optim.AdamW(model.parameters(), lr=0.01),
        steps=15,
    ),
}
