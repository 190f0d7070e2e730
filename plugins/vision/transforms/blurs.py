"""Transforms that smooth, sharpen and erase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Tensor
from plugrad.nn import Module

from .. import draws
from . import functional as F
from .chance import Sometimes
from .cropping import pair
from .crops import TRIALS, check_ranges, draw_sides

__all__ = ["GaussianBlur", "RandomAdjustSharpness", "RandomErasing"]


class GaussianBlur(Module):
    """`functional.gaussian_blur` with a random standard deviation within `sigma`, or a
    fixed one.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import GaussianBlur
    >>> GaussianBlur(3)
    GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))
    """

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size)
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError("Kernel size value should be an odd and positive number.")
        if isinstance(sigma, (int, float)):
            if sigma <= 0:
                raise ValueError("If sigma is a single number, it must be positive.")
            sigma = (sigma, sigma)
        elif not isinstance(sigma, Sequence) or len(sigma) != 2:
            raise ValueError(
                "sigma should be a single number or a list/tuple with length 2."
            )
        elif not 0.0 < sigma[0] <= sigma[1]:
            raise ValueError(
                "sigma values should be positive and of the form (min, max)."
            )
        self.sigma = sigma

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """A standard deviation."""
        return draws.between(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class RandomAdjustSharpness(Sometimes):
    """`functional.adjust_sharpness` with probability `p`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomAdjustSharpness
    >>> RandomAdjustSharpness(2.0, p=1.0)(plugrad.zeros(3, 4, 4)).shape
    plugrad.Size([3, 4, 4])
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def change(self, img: Any) -> Any:
        return F.adjust_sharpness(img, self.sharpness_factor)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(sharpness_factor={self.sharpness_factor},p={self.p})"


class RandomErasing(Module):
    """Fill a random part of a tensor, with probability `p`: its area is within `scale`
    of the picture's, and height by width within `ratio`. `value` is a number, one for
    each channel, or "random" for normal numbers.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import RandomErasing
    >>> erased = RandomErasing(p=1.0)(plugrad.ones(3, 20, 20))
    >>> 0 < erased.mean().item() < 1
    True
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Any = (0.02, 0.33),
        ratio: Any = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError(
                "Argument value should be either a number or str or a sequence"
            )
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        check_ranges(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if p < 0 or p > 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Any, ratio: Any, value: list[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Top, left, height and width of the part, and what fills it. After ten trials
        that do not fit, it is the picture itself."""
        channels, h, w = img.shape[-3:]
        for _ in range(TRIALS):
            height, width = map(round, draw_sides(h * w, scale, ratio))
            if height >= h or width >= w:
                continue
            if value is None:
                filling = plugrad.randn(channels, height, width)
            else:
                filling = plugrad.tensor(value)[:, None, None]
            top = draws.integer(0, h - height + 1)
            return top, draws.integer(0, w - width + 1), height, width, filling
        return 0, 0, h, w, img

    def forward(self, img: Tensor) -> Tensor:
        if draws.fraction() >= self.p:
            return img
        value = self.value
        if isinstance(value, (int, float)):
            value = [float(value)]
        elif isinstance(value, str):
            value = None
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(
                "If value is a sequence, it should have either a single value or "
                f"{img.shape[-3]} (number of input channels)"
            )
        part = self.get_params(img, self.scale, self.ratio, value)
        return F.erase(img, *part, self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio},"
            f" value={self.value}, inplace={self.inplace})"
        )
