"""Transforms that cut, mirror, pad and resize."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import Any
from warnings import warn

from plugrad.nn import Module

from .. import draws
from . import functional as F
from .chance import Sometimes
from .cropping import check_padding, pair
from .resizing import InterpolationMode, mode_of

__all__ = [
    "CenterCrop",
    "FiveCrop",
    "InterpolationMode",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
]

BILINEAR = InterpolationMode.BILINEAR
TRIALS = 10


class Resize(Module):
    """`functional.resize` as a transform.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import Resize
    >>> Resize(10)(plugrad.zeros(3, 20, 30)).shape
    plugrad.Size([3, 10, 15])
    """

    def __init__(
        self,
        size: Any,
        interpolation: Any = BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size = size
        self.max_size = max_size
        self.interpolation = mode_of(interpolation)
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        return F.resize(
            img, self.size, self.interpolation, self.max_size, self.antialias
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation="
            f"{self.interpolation.value}, max_size={self.max_size}, antialias="
            f"{self.antialias})"
        )


class CenterCrop(Module):
    """`functional.center_crop` as a transform.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import CenterCrop
    >>> CenterCrop(10)(plugrad.zeros(3, 20, 30)).shape
    plugrad.Size([3, 10, 10])
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        return F.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class FiveCrop(Module):
    """`functional.five_crop` as a transform: it gives a tuple of pictures.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import FiveCrop
    >>> len(FiveCrop(10)(plugrad.zeros(3, 20, 30)))
    5
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> tuple[Any, ...]:
        return F.five_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class TenCrop(Module):
    """`functional.ten_crop` as a transform: it gives a tuple of pictures.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import TenCrop
    >>> len(TenCrop(10)(plugrad.zeros(3, 20, 30)))
    10
    """

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = pair(size)
        self.vertical_flip = vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        return F.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(size={self.size}, vertical_flip={self.vertical_flip})"


class Pad(Module):
    """`functional.pad` as a transform.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import Pad
    >>> Pad(2)(plugrad.zeros(3, 20, 30)).shape
    plugrad.Size([3, 24, 34])
    """

    def __init__(
        self, padding: Any, fill: Any = 0, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        check_padding(padding, fill, padding_mode)
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, "
            f"padding_mode={self.padding_mode})"
        )


class RandomHorizontalFlip(Sometimes):
    """Exchange left and right with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomHorizontalFlip
    >>> RandomHorizontalFlip(p=1.0)(plugrad.tensor([[[1, 2]]]))
    tensor([[[2, 1]]])
    """

    def change(self, img: Any) -> Any:
        return F.hflip(img)


class RandomVerticalFlip(Sometimes):
    """Turn the picture upside down with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomVerticalFlip
    >>> RandomVerticalFlip(p=1.0)(plugrad.tensor([[[1], [2]]])).flatten()
    tensor([2, 1])
    """

    def change(self, img: Any) -> Any:
        return F.vflip(img)


class RandomCrop(Module):
    """A part of a given size, somewhere in the picture, after `padding`. With
    `pad_if_needed` a smaller picture is padded; else it is an error.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomCrop
    >>> RandomCrop(32, padding=4)(plugrad.zeros(3, 32, 32)).shape
    plugrad.Size([3, 32, 32])
    """

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = tuple(pair(size))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: Any) -> tuple[int, int, int, int]:
        """Top, left, height and width of the part."""
        _, h, w = F.get_dimensions(img)
        height, width = output_size
        if h < height or w < width:
            raise ValueError(
                f"Required crop size {(height, width)} is larger than input image size "
                f"{(h, w)}"
            )
        if (h, w) == (height, width):
            return 0, 0, h, w
        top = draws.integer(0, h - height + 1)
        return top, draws.integer(0, w - width + 1), height, width

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        if self.pad_if_needed:
            _, h, w = F.get_dimensions(img)
            for margins in ([self.size[1] - w, 0], [0, self.size[0] - h]):
                if max(margins) > 0:
                    img = F.pad(img, margins, self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


def check_ranges(scale: Any, ratio: Any) -> None:
    if not isinstance(scale, Sequence):
        raise TypeError("Scale should be a sequence")
    if not isinstance(ratio, Sequence):
        raise TypeError("Ratio should be a sequence")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warn("Scale and ratio should be of kind (min, max)", stacklevel=3)


def draw_sides(area: float, scale: Any, ratio: Any) -> tuple[float, float]:
    """Two lengths, whose product is a random part of an area within `scale` and whose
    quotient, the first by the second, is within `ratio`."""
    part = area * draws.between(scale[0], scale[1])
    quotient = exp(draws.between(log(ratio[0]), log(ratio[1])))
    return sqrt(part * quotient), sqrt(part / quotient)


class RandomResizedCrop(Module):
    """A part of random size and proportions, resized: its area is within `scale` of the
    picture's, and width by height within `ratio`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomResizedCrop
    >>> RandomResizedCrop(8)(plugrad.zeros(3, 20, 30)).shape
    plugrad.Size([3, 8, 8])
    """

    def __init__(
        self,
        size: Any,
        scale: Any = (0.08, 1.0),
        ratio: Any = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        check_ranges(scale, ratio)
        self.size = pair(size)
        self.interpolation = mode_of(interpolation)
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(img: Any, scale: Any, ratio: Any) -> tuple[int, int, int, int]:
        """Top, left, height and width of the part. After ten trials that do not fit,
        it is the middle, as large as the proportions allow."""
        _, h, w = F.get_dimensions(img)
        for _ in range(TRIALS):
            width, height = map(round, draw_sides(h * w, scale, ratio))
            if 0 < width <= w and 0 < height <= h:
                top = draws.integer(0, h - height + 1)
                return top, draws.integer(0, w - width + 1), height, width
        height, width = h, w
        if w / h < min(ratio):
            height = round(w / min(ratio))
        elif w / h > max(ratio):
            width = round(h * max(ratio))
        return (h - height) // 2, (w - width) // 2, height, width

    def forward(self, img: Any) -> Any:
        part = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(
            img, *part, self.size, self.interpolation, antialias=self.antialias
        )

    def __repr__(self) -> str:
        scale = tuple(round(each, 4) for each in self.scale)
        ratio = tuple(round(each, 4) for each in self.ratio)
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )
