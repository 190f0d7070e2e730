"""Transforms that turn, move, shear and bend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Tensor
from plugrad.nn import Module

from .. import draws
from . import functional as F
from .resizing import InterpolationMode, mode_of

__all__ = ["ElasticTransform", "RandomAffine", "RandomPerspective", "RandomRotation"]

NEAREST = InterpolationMode.NEAREST
BILINEAR = InterpolationMode.BILINEAR


def check_sequence(values: Any, name: str, lengths: tuple[int, ...] = (2,)) -> None:
    text = " or ".join(map(str, lengths))
    if not isinstance(values, Sequence):
        raise TypeError(f"{name} should be a sequence of length {text}.")
    if len(values) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {text}.")


def angles(values: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """A range of angles; a number x stands for -x to x."""
    if isinstance(values, (int, float)):
        if values < 0:
            raise ValueError(f"If {name} is a single number, it must be positive.")
        values = [-values, values]
    check_sequence(values, name, lengths)
    return [float(each) for each in values]


def checked_fill(fill: Any) -> Any:
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, int, float)):
        raise TypeError("Fill should be either a sequence or a number.")
    return fill


def filling(img: Any, fill: Any) -> Any:
    """What a tensor is filled with: a number for each channel."""
    if not isinstance(img, Tensor):
        return fill
    if isinstance(fill, (int, float)):
        return [float(fill)] * F.get_image_num_channels(img)
    return [float(each) for each in fill]


class RandomRotation(Module):
    """Rotate by a random angle within `degrees`, or from -degrees to degrees.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomRotation
    >>> RandomRotation(10)
    RandomRotation(degrees=[-10.0, 10.0], interpolation=nearest, expand=False, fill=0)
    """

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = angles(degrees, "degrees")
        if center is not None:
            check_sequence(center, "center")
        self.center = center
        self.interpolation = mode_of(interpolation)
        self.expand = expand
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(degrees: list[float]) -> float:
        """An angle."""
        return draws.between(float(degrees[0]), float(degrees[1]))

    def forward(self, img: Any) -> Any:
        fill = filling(img, self.fill)
        angle = self.get_params(self.degrees)
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}, interpolation="
            f"{self.interpolation.value}, expand={self.expand}{center}, fill="
            f"{self.fill})"
        )


class RandomAffine(Module):
    """Rotate, move, scale and shear at random.

    `degrees` and `shear` are ranges of angles; `translate` the most that a picture
    moves, as parts of its width and height; `scale` a range of factors.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomAffine
    >>> RandomAffine(10, translate=(0.1, 0.1))
    RandomAffine(degrees=[-10.0, 10.0], translate=(0.1, 0.1))
    """

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: Any = NEAREST,
        fill: Any = 0,
        center: Any = None,
    ) -> None:
        super().__init__()
        self.degrees = angles(degrees, "degrees")
        if translate is not None:
            check_sequence(translate, "translate")
            if not all(0.0 <= each <= 1.0 for each in translate):
                raise ValueError("translation values should be between 0 and 1")
        self.translate = translate
        if scale is not None:
            check_sequence(scale, "scale")
            if min(scale) <= 0:
                raise ValueError("scale values should be positive")
        self.scale = scale
        self.shear = None if shear is None else angles(shear, "shear", (2, 4))
        self.interpolation = mode_of(interpolation)
        self.fill = checked_fill(fill)
        if center is not None:
            check_sequence(center, "center")
        self.center = center

    @staticmethod
    def get_params(
        degrees: list[float],
        translate: Any,
        scale_ranges: Any,
        shears: Any,
        img_size: list[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Angle, translation, scale and shear, for a picture (width, height)."""
        angle = draws.between(float(degrees[0]), float(degrees[1]))
        x = y = 0
        if translate is not None:
            far_x, far_y = translate[0] * img_size[0], translate[1] * img_size[1]
            x, y = (
                round(draws.between(-far_x, far_x)),
                round(draws.between(-far_y, far_y)),
            )
        scale = 1.0
        if scale_ranges is not None:
            scale = draws.between(scale_ranges[0], scale_ranges[1])
        shear_x = shear_y = 0.0
        if shears is not None:
            shear_x = draws.between(shears[0], shears[1])
            if len(shears) == 4:
                shear_y = draws.between(shears[2], shears[3])
        return angle, (x, y), scale, (shear_x, shear_y)

    def forward(self, img: Any) -> Any:
        fill = filling(img, self.fill)
        _, height, width = F.get_dimensions(img)
        params = self.get_params(
            self.degrees, self.translate, self.scale, self.shear, [width, height]
        )
        return F.affine(
            img,
            *params,
            interpolation=self.interpolation,
            fill=fill,
            center=self.center,
        )

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        for name in ("translate", "scale", "shear"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{name}={value}")
        if self.interpolation is not NEAREST:
            parts.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            parts.append(f"fill={self.fill}")
        if self.center is not None:
            parts.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(parts)})"


class RandomPerspective(Module):
    """Move each corner inwards at random, by up to `distortion_scale` of half the
    picture, with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomPerspective
    >>> RandomPerspective(p=1.0)(plugrad.ones(3, 8, 8)).shape
    plugrad.Size([3, 8, 8])
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.p = p
        self.interpolation = mode_of(interpolation)
        self.distortion_scale = distortion_scale
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(
        width: int, height: int, distortion_scale: float
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The corners of the picture, and where they come to lie, clockwise from the
        upper left."""
        far_x = int(distortion_scale * (width // 2))
        far_y = int(distortion_scale * (height // 2))
        left, right = (0, far_x + 1), (width - far_x - 1, width)
        upper, lower = (0, far_y + 1), (height - far_y - 1, height)
        sides = (left, upper), (right, upper), (right, lower), (left, lower)
        ends = [[draws.integer(*x), draws.integer(*y)] for x, y in sides]
        x, y = width - 1, height - 1
        return [[0, 0], [x, 0], [x, y], [0, y]], ends

    def forward(self, img: Any) -> Any:
        fill = filling(img, self.fill)
        if draws.fraction() >= self.p:
            return img
        _, height, width = F.get_dimensions(img)
        points = self.get_params(width, height, self.distortion_scale)
        return F.perspective(img, *points, self.interpolation, fill)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class ElasticTransform(Module):
    """Displace each pixel at random, by numbers of size `alpha` that were smoothed by a
    Gaussian of standard deviation `sigma`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import ElasticTransform
    >>> ElasticTransform(alpha=10.0, sigma=2.0)(plugrad.ones(3, 24, 24)).shape
    plugrad.Size([3, 24, 24])
    """

    def __init__(
        self,
        alpha: Any = 50.0,
        sigma: Any = 5.0,
        interpolation: Any = BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.alpha = two_floats(alpha, "alpha")
        self.sigma = two_floats(sigma, "sigma")
        self.interpolation = mode_of(interpolation)
        if not isinstance(fill, (int, float, list, tuple)):
            raise TypeError(
                "fill should be int or float or a list or tuple of them. Got "
                f"{type(fill)}"
            )
        fill = [fill] if isinstance(fill, (int, float)) else fill
        self.fill = [float(each) for each in fill]

    @staticmethod
    def get_params(alpha: Any, sigma: Any, size: list[int]) -> Tensor:
        """Displacements (1, height, width, 2) for a picture (height, width)."""
        parts = []
        for amount, spread, extent in zip(alpha, sigma, size[::-1]):
            part = plugrad.rand([1, 1, *size]) * 2 - 1
            if spread > 0.0:
                width = int(8 * spread + 1) | 1
                part = F.gaussian_blur(part, [width, width], list(sigma))
            parts.append(part * amount / extent)
        return plugrad.cat(parts, 1).permute(0, 2, 3, 1)

    def forward(self, tensor: Any) -> Any:
        _, height, width = F.get_dimensions(tensor)
        moves = self.get_params(self.alpha, self.sigma, [height, width])
        return F.elastic_transform(tensor, moves, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )


def two_floats(values: Any, name: str) -> Any:
    """A number along x and along y, from one for both or a sequence."""
    if isinstance(values, float):
        return [values, values]
    if not isinstance(values, Sequence):
        raise TypeError(
            f"{name} should be float or a sequence of floats. Got {type(values)}"
        )
    if len(values) != 2:
        raise ValueError(
            f"If {name} is a sequence its length should be 2. Got {len(values)}"
        )
    for each in values:
        if not isinstance(each, float):
            raise TypeError(f"{name} should be a sequence of floats. Got {type(each)}")
    return values
