"""Transforms of the colours."""

from __future__ import annotations

from math import inf
from typing import Any

from plugrad.nn import Module

from .. import draws
from . import functional as F
from .chance import Sometimes

__all__ = [
    "ColorJitter",
    "Grayscale",
    "RandomAutocontrast",
    "RandomEqualize",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
]


class ColorJitter(Module):
    """Change brightness, contrast, saturation and hue at random, in random order.

    A number x stands for factors from 1 - x to 1 + x, for hue from -x to x; a pair is
    the range itself.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import ColorJitter
    >>> ColorJitter(brightness=0.5, hue=(-0.1, 0.1))
    ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=(-0.1, 0.1))
    """

    def __init__(
        self,
        brightness: Any = 0,
        contrast: Any = 0,
        saturation: Any = 0,
        hue: Any = 0,
    ) -> None:
        super().__init__()
        self.brightness = factors("brightness", brightness)
        self.contrast = factors("contrast", contrast)
        self.saturation = factors("saturation", saturation)
        self.hue = factors("hue", hue, 0, (-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Any, contrast: Any, saturation: Any, hue: Any
    ) -> tuple[list[int], Any, Any, Any, Any]:
        """The order of the four changes, and the factor of each, None for no change."""
        order = draws.permutation(4)
        given = brightness, contrast, saturation, hue
        b, c, s, h = (None if each is None else draws.between(*each) for each in given)
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        order, *amounts = self.get_params(
            self.brightness, self.contrast, self.saturation, self.hue
        )
        changes = (
            F.adjust_brightness,
            F.adjust_contrast,
            F.adjust_saturation,
            F.adjust_hue,
        )
        for number in order:
            if amounts[number] is not None:
                img = changes[number](img, amounts[number])
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast="
            f"{self.contrast}, saturation={self.saturation}, hue={self.hue})"
        )


def factors(
    name: str, value: Any, center: float = 1, bounds: Any = (0, inf)
) -> tuple[float, float] | None:
    """The range of a factor; None if it can only be the one that changes nothing."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be non negative.")
        low, high = center - float(value), center + float(value)
        low = max(low, 0.0) if center else low
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
    else:
        raise TypeError(
            f"{name} should be a single number or a list/tuple with length 2."
        )
    if not bounds[0] <= low <= high <= bounds[1]:
        raise ValueError(
            f"{name} values should be between {bounds}, but got {[low, high]}."
        )
    return None if low == high == center else (low, high)


class Grayscale(Module):
    """`functional.rgb_to_grayscale` as a transform.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import Grayscale
    >>> Grayscale(3)(plugrad.ones(3, 4, 4)).shape
    plugrad.Size([3, 4, 4])
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomGrayscale(Sometimes):
    """Make a picture grey, with as many channels as it has, with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomGrayscale
    >>> grey = RandomGrayscale(p=1.0)(plugrad.rand(3, 4, 4))
    >>> grey[0].equal(grey[2])
    True
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def change(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, F.get_image_num_channels(img))


class RandomInvert(Sometimes):
    """`functional.invert` with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomInvert
    >>> RandomInvert(p=1.0)(plugrad.tensor([[[0.25]]]))
    tensor([[[0.7500]]])
    """

    def change(self, img: Any) -> Any:
        return F.invert(img)


class RandomPosterize(Sometimes):
    """`functional.posterize` with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomPosterize
    >>> RandomPosterize(1, p=1.0)(plugrad.tensor([[[200]]], dtype=plugrad.uint8)).item()
    128
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def change(self, img: Any) -> Any:
        return F.posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(Sometimes):
    """`functional.solarize` with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomSolarize
    >>> RandomSolarize(0.5, p=1.0)(plugrad.tensor([[[0.25, 0.75]]]))
    tensor([[[0.2500, 0.2500]]])
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def change(self, img: Any) -> Any:
        return F.solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomAutocontrast(Sometimes):
    """`functional.autocontrast` with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomAutocontrast
    >>> RandomAutocontrast(p=1.0)(plugrad.tensor([[[0.25, 0.75]]]))
    tensor([[[0., 1.]]])
    """

    def change(self, img: Any) -> Any:
        return F.autocontrast(img)


class RandomEqualize(Sometimes):
    """`functional.equalize` with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomEqualize
    >>> RandomEqualize(p=1.0)(plugrad.tensor([[[200]]], dtype=plugrad.uint8)).item()
    200
    """

    def change(self, img: Any) -> Any:
        return F.equalize(img)
