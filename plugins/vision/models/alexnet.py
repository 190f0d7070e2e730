"""AlexNet, in the version with one column."""

from __future__ import annotations

from typing import Any

import plugrad.nn as nn
from plugrad import Tensor

from .untrained import refuse_weights

__all__ = ["AlexNet", "alexnet"]


class AlexNet(nn.Module):
    """AlexNet for pictures of 224 x 224, of at least 63 x 63.

    >>> from plugrad import nn
    >>> from plugrad.plugins.vision import models
    >>> issubclass(models.AlexNet, nn.Module)
    True
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def alexnet(
    pretrained: bool = False,
    *,
    weights: Any = None,
    progress: bool = True,
    **kwargs: Any,
) -> AlexNet:
    """An AlexNet, untrained.

    >>> from plugrad.plugins.vision import models
    >>> try:
    ...     models.alexnet(pretrained=True)
    ... except RuntimeError as error:
    ...     print(error)
    alexnet: plugrad has no trained weights. Where torchvision is installed, ...
    """
    refuse_weights("alexnet", weights, pretrained)
    return AlexNet(**kwargs)
