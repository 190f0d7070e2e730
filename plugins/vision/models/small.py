"""Networks for small grey pictures of ten classes."""

from __future__ import annotations

import plugrad.nn as nn
from plugrad import Tensor

__all__ = ["DigitsNet", "LeNet", "MLP"]


class LeNet(nn.Module):
    """LeNet-5 for pictures of 28 x 28, with rectifiers and the largest of each 2 x 2.

    >>> import plugrad
    >>> from plugrad.plugins.vision import models
    >>> net = models.LeNet()
    >>> net(plugrad.zeros(2, 1, 28, 28)).shape
    plugrad.Size([2, 10])
    >>> sum(p.numel() for p in net.parameters())
    61706
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (N, 6, 14, 14)
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (N, 16, 5, 5)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


class MLP(nn.Sequential):
    """Linear layers with rectifiers between them; pictures are flattened first.

    >>> import plugrad
    >>> from plugrad.plugins.vision import models
    >>> models.MLP()(plugrad.zeros(2, 1, 28, 28)).shape
    plugrad.Size([2, 10])
    >>> models.MLP(64, 32, 10)
    MLP(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): Linear(in_features=64, out_features=32, bias=True)
      (2): ReLU()
      (3): Linear(in_features=32, out_features=10, bias=True)
    )
    """

    def __init__(self, *sizes: int) -> None:
        sizes = sizes or (28 * 28, 400, 200, 100, 10)
        if len(sizes) < 2:
            raise ValueError(f"MLP needs two sizes or more, not {sizes}")
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in zip(sizes, sizes[1:]):
            layers += [nn.Linear(before, after), nn.ReLU()]
        super().__init__(*layers[:-1])


class DigitsNet(nn.Module):
    """Two convolutions and two linear layers, for pictures of 8 x 8.

    >>> import plugrad
    >>> from plugrad.plugins.vision import models
    >>> net = models.DigitsNet()
    >>> net(plugrad.zeros(2, 1, 8, 8)).shape
    plugrad.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (N, 32, 4, 4)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 64),
            nn.ReLU(),
            nn.Linear(64, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))
