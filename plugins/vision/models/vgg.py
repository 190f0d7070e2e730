"""The networks of the Visual Geometry Group: 3 x 3 convolutions one upon the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plugrad.nn as nn
from plugrad import Tensor

from .untrained import refuse_weights

__all__ = ["VGG"]
__all__ += [f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")]

WIDTHS = (64, 128, 256, 512, 512)
# How many convolutions each of the five parts has.
COUNTS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


class VGG(nn.Module):
    """Convolutions, `features`, and three linear layers, for pictures of 224 x 224, of
    at least 32 x 32.

    >>> from plugrad import nn
    >>> from plugrad.plugins.vision import models
    >>> issubclass(models.VGG, nn.Module)
    True
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def initialise(module: nn.Module) -> None:
    """The weights that training starts from."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
    if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
        nn.init.zeros_(module.bias)


def convolutions(depth: int, batch_norm: bool) -> nn.Sequential:
    """The layers before the linear ones."""
    layers: list[nn.Module] = []
    before = 3
    for width, count in zip(WIDTHS, COUNTS[depth]):
        for _ in range(count):
            layers.append(nn.Conv2d(before, width, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            before = width
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def maker(depth: int, batch_norm: bool) -> Callable[..., VGG]:
    """The function that makes one of the networks."""
    name = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"

    def make(
        pretrained: bool = False,
        *,
        weights: Any = None,
        progress: bool = True,
        **kwargs: Any,
    ) -> VGG:
        refuse_weights(name, weights, pretrained)
        return VGG(convolutions(depth, batch_norm), **kwargs)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""A VGG with {depth} layers{
        " and batch normalisation" if batch_norm else ""
    }, untrained.

    >>> from plugrad.plugins.vision import models
    >>> try:
    ...     models.{name}(pretrained=True)
    ... except RuntimeError as error:
    ...     print(error)
    {name}: plugrad has no trained weights. Where torchvision is installed, ...
    """
    return make


vgg11, vgg11_bn = maker(11, False), maker(11, True)
vgg13, vgg13_bn = maker(13, False), maker(13, True)
vgg16, vgg16_bn = maker(16, False), maker(16, True)
vgg19, vgg19_bn = maker(19, False), maker(19, True)
