"""Smoother and sharper pictures, and pictures with a hole."""

from __future__ import annotations

from typing import Any

import numpy as np

import plugrad
from plugrad import Tensor
from plugrad.nn.functional import conv2d
from plugrad.nn.functional import pad as pad_tensor

from .. import pillow
from .colouring import blend, check_channels, check_factor
from .convert import pil_to_tensor, to_pil_image
from .cropping import is_tensor
from .resizing import as_batch

__all__ = ["adjust_sharpness", "erase", "gaussian_blur"]

MIDDLE = 5  # the weight of a pixel, where each of its eight neighbours has 1


def like(array: np.ndarray, img: Tensor) -> Tensor:
    """Numbers that were computed on the host, as a tensor that goes with a picture."""
    made = plugrad.as_tensor(array).to(backend=img.backend)
    return made.to(img.device)


def filtered(batch: Tensor, weights: np.ndarray) -> Tensor:
    """Each channel of (N, C, H, W) with the same weights (height, width)."""
    kernel = like(weights, batch).to(batch.dtype)
    channels = batch.shape[1]
    return conv2d(batch, kernel.expand(channels, 1, *weights.shape), groups=channels)


def bell(size: int, sigma: float, dtype: Any) -> np.ndarray:
    """The weights of a Gaussian in one direction."""
    half = (size - 1) * 0.5
    x = np.linspace(-half, half, size, dtype=dtype)
    weights = np.exp(-0.5 * (x / dtype(sigma)) ** 2)
    return weights / weights.sum()


def two(values: Any, name: str) -> list[Any]:
    """A number for each direction, from one for both or a sequence."""
    if isinstance(values, (int, float)):
        return [values, values]
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"{name} should be a number or a sequence. Got {type(values)}")
    values = list(values) * 2 if len(values) == 1 else list(values)
    if len(values) != 2:
        raise ValueError(
            f"If {name} is a sequence its length should be 2. Got {len(values)}"
        )
    return values


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """A picture smoothed by a Gaussian; sizes and standard deviations are given as one
    number or as (along a row, along a column).

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.gaussian_blur(plugrad.rand(3, 20, 30), kernel_size=5).shape
    plugrad.Size([3, 20, 30])
    """
    sizes = two(kernel_size, "kernel_size")
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise ValueError(
            f"kernel_size should have odd and positive integers. Got {kernel_size}"
        )
    sigmas = [size * 0.15 + 0.35 for size in sizes]
    if sigma is not None:
        sigmas = two(sigma, "sigma")
    if min(sigmas) <= 0:
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    if not is_tensor(img):
        made = gaussian_blur(pil_to_tensor(img), sizes, sigmas)
        return to_pil_image(made, mode=img.mode)
    dtype = img.dtype if img.is_floating_point() else plugrad.float32
    batch, undo = as_batch(img, (dtype,))
    wide = np.float64 if dtype is plugrad.float64 else np.float32
    rows, columns = (bell(size, s, wide) for size, s in zip(sizes, sigmas))
    margins = [sizes[0] // 2, sizes[0] // 2, sizes[1] // 2, sizes[1] // 2]
    padded = pad_tensor(batch, margins, mode="reflect")
    return undo(filtered(padded, np.outer(columns, rows)))


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """A picture sharpened (by a factor above 1) or smoothed (below 1).

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.adjust_sharpness(plugrad.full((1, 3, 3), 0.5), 2.0).max()
    tensor(0.5000)
    """
    if not is_tensor(img):
        enhance = pillow.submodule("ImageEnhance", "adjust_sharpness()")
        return enhance.Sharpness(img).enhance(sharpness_factor)
    check_factor("sharpness", sharpness_factor)
    check_channels(img)
    if min(img.shape[-2:]) <= 2:
        return img
    dtype = img.dtype if img.is_floating_point() else plugrad.float32
    batch, undo = as_batch(img, (dtype,))
    weights = np.ones((3, 3), np.float32)
    weights[1, 1] = MIDDLE
    inner = undo(filtered(batch, weights / weights.sum()))
    smooth = img.clone()
    smooth[..., 1:-1, 1:-1] = inner
    return blend(img, smooth, sharpness_factor)


def erase(
    img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False
) -> Tensor:
    """A picture whose part of height `h` and width `w` at (`i`, `j`) is `v`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.erase(plugrad.ones(1, 2, 2), 0, 0, 1, 2, plugrad.tensor(5.0))
    tensor([[[5., 5.],
             [1., 1.]]])
    """
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    made = img if inplace else img.clone()
    made[..., i : i + h, j : j + w] = v
    return made
