"""Residual networks: each block adds to its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plugrad.nn as nn
from plugrad import Tensor

from .untrained import refuse_weights

__all__ = ["ResNet", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]

Norm = Callable[[int], nn.Module]


def conv(
    before: int, after: int, size: int, stride: int = 1, **kwargs: Any
) -> nn.Conv2d:
    """A convolution that keeps the size of the picture, but for the stride."""
    padding = size // 2 * kwargs.get("dilation", 1)
    return nn.Conv2d(before, after, size, stride, padding, bias=False, **kwargs)


class Block(nn.Module):
    """What the blocks have in common: their own layers are a branch, to which the input
    is added."""

    expansion: int

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        self.build(inplanes, planes, stride, groups, base_width, dilation, norm)
        self.downsample = downsample
        self.stride = stride

    def build(
        self,
        inplanes: int,
        planes: int,
        stride: int,
        groups: int,
        base_width: int,
        dilation: int,
        norm: Norm,
    ) -> None:
        """Make the layers of the branch, and `relu`."""
        raise NotImplementedError(f"{type(self).__name__} has no build()")

    def branch(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no branch()")

    def forward(self, x: Tensor) -> Tensor:
        y = self.branch(x)
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class BasicBlock(Block):
    """Two convolutions of 3 x 3."""

    expansion = 1

    def build(self, inplanes, planes, stride, groups, base_width, dilation, norm):
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise NotImplementedError("Dilation > 1 not supported in BasicBlock")
        self.conv1 = conv(inplanes, planes, 3, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv(planes, planes, 3)
        self.bn2 = norm(planes)

    def branch(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(y))


class Bottleneck(Block):
    """A convolution of 3 x 3 on fewer channels, between two of 1 x 1."""

    expansion = 4

    def build(self, inplanes, planes, stride, groups, base_width, dilation, norm):
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv(inplanes, width, 1)
        self.bn1 = norm(width)
        self.conv2 = conv(width, width, 3, stride, groups=groups, dilation=dilation)
        self.bn2 = norm(width)
        self.conv3 = conv(width, planes * self.expansion, 1)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)

    def branch(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.bn3(self.conv3(y))


class ResNet(nn.Module):
    """Four parts, of as many blocks as `layers` says, and a linear layer.

    >>> import plugrad
    >>> from plugrad.plugins.vision import models
    >>> net = models.resnet18(num_classes=10).eval()
    >>> net(plugrad.zeros(1, 3, 32, 32)).shape
    plugrad.Size([1, 10])
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        dilate = list(replace_stride_with_dilation or [False] * 3)
        if len(dilate) != 3:
            raise ValueError(
                "replace_stride_with_dilation should be None or a 3-element tuple, got "
                f"{replace_stride_with_dilation}"
            )
        self.norm = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = conv(3, self.inplanes, 7, 2)
        self.bn1 = self.norm(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self.part(block, 64, layers[0], 1, False)
        self.layer2 = self.part(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self.part(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self.part(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self.initialise(zero_init_residual)

    def part(
        self, block: Any, planes: int, count: int, stride: int, dilate: bool
    ) -> nn.Sequential:
        """Blocks of one width; the first may make the picture smaller."""
        after = planes * block.expansion
        dilation = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        downsample = None
        if stride != 1 or self.inplanes != after:
            downsample = nn.Sequential(
                conv(self.inplanes, after, 1, stride), self.norm(after)
            )
        same = self.groups, self.base_width
        first = block(
            self.inplanes, planes, stride, downsample, *same, dilation, self.norm
        )
        self.inplanes = after
        others = [
            block(after, planes, 1, None, *same, self.dilation, self.norm)
            for _ in range(count - 1)
        ]
        return nn.Sequential(first, *others)

    def initialise(self, zero_init_residual: bool) -> None:
        """The weights that training starts from. With `zero_init_residual` each block
        starts as the identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
        for module in self.modules() if zero_init_residual else ():
            last = {Bottleneck: "bn3", BasicBlock: "bn2"}.get(type(module))
            if last is not None:
                nn.init.zeros_(getattr(module, last).weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def maker(depth: int, block: Any, layers: Sequence[int]) -> Callable[..., ResNet]:
    """The function that makes one of the networks."""
    name = f"resnet{depth}"

    def make(
        pretrained: bool = False,
        *,
        weights: Any = None,
        progress: bool = True,
        **kwargs: Any,
    ) -> ResNet:
        refuse_weights(name, weights, pretrained)
        return ResNet(block, layers, **kwargs)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""A ResNet with {depth} layers, untrained.

    >>> from plugrad.plugins.vision import models
    >>> try:
    ...     models.{name}(pretrained=True)
    ... except RuntimeError as error:
    ...     print(error)
    {name}: plugrad has no trained weights. Where torchvision is installed, ...
    """
    return make


resnet18 = maker(18, BasicBlock, (2, 2, 2, 2))
resnet34 = maker(34, BasicBlock, (3, 4, 6, 3))
resnet50 = maker(50, Bottleneck, (3, 4, 6, 3))
resnet101 = maker(101, Bottleneck, (3, 4, 23, 3))
resnet152 = maker(152, Bottleneck, (3, 8, 36, 3))
