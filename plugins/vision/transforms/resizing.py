"""Pictures in other sizes."""

from __future__ import annotations

from enum import Enum
from typing import Any
from warnings import warn

import plugrad
from plugrad import Tensor, from_numpy
from plugrad.nn.functional import interpolate

from .convert import plain
from .cropping import crop, get_dimensions, is_tensor
from .quick import resized

__all__ = ["InterpolationMode", "resize", "resized_crop"]


class InterpolationMode(Enum):
    """How a pixel of the new picture comes from those of the old one. Tensors have
    NEAREST, NEAREST_EXACT, BILINEAR and BICUBIC; Pillow has all, NEAREST_EXACT as
    NEAREST.

    >>> from plugrad.plugins.vision.transforms import InterpolationMode
    >>> InterpolationMode.BILINEAR.value
    'bilinear'
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


# Pillow's numbers, which are taken for a mode as well.
NUMBERS = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
    InterpolationMode.NEAREST_EXACT: 0,
}
BY_NUMBER = {number: mode for mode, number in list(NUMBERS.items())[:-1]}
FLOATS = (plugrad.float32, plugrad.float64)


def mode_of(interpolation: Any) -> InterpolationMode:
    """A mode, given as such or by Pillow's number."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int) and int(interpolation) in BY_NUMBER:
        return BY_NUMBER[int(interpolation)]
    raise TypeError(
        "Argument interpolation should be a InterpolationMode or a corresponding "
        "Pillow integer constant"
    )


def new_size(height: int, width: int, size: Any, max_size: Any) -> tuple[int, int]:
    """Height and width of the new picture. One number is for its shorter side, and
    `max_size` then the most for its longer one."""
    if isinstance(size, (tuple, list)) and len(size) not in (1, 2):
        raise ValueError(
            "Size must be an int or a 1 or 2 element tuple/list, not a "
            f"{len(size)} element tuple/list"
        )
    given = [size] if isinstance(size, int) else list(size)
    if len(given) == 2:
        if max_size is not None:
            raise ValueError(
                "max_size should only be passed if size specifies the length of the "
                "smaller edge"
            )
        return given[0], given[1]
    short, long = sorted((height, width))
    new_short, new_long = given[0], int(given[0] * long / short)
    if max_size is not None:
        if max_size <= new_short:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested "
                f"size for the smaller edge size = {size}"
            )
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if width <= height else (new_short, new_long)


def resize(
    img: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """A picture in another size, (height, width), or a number for its shorter side.

    A number keeps the proportions; `max_size` is then the most for the longer side.
    `antialias` averages what a smaller picture has no room for; Pillow always does.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.resize(plugrad.zeros(3, 20, 30), 10).shape
    plugrad.Size([3, 10, 15])
    """
    mode = mode_of(interpolation)
    _, height, width = get_dimensions(img)
    new = new_size(height, width, size, max_size)
    if new == (height, width):
        return img
    if is_tensor(img):
        return resize_tensor(img, new, mode.value, bool(antialias))
    if antialias is False:
        warn(
            "Anti-alias option is always applied for PIL Image input. Argument "
            "antialias is ignored.",
            stacklevel=2,
        )
    return img.resize(new[::-1], NUMBERS[mode])


def resize_tensor(
    img: Tensor, size: tuple[int, int], mode: str, antialias: bool
) -> Tensor:
    """A tensor of a picture in another size."""
    smooth = mode in ("bilinear", "bicubic")
    array = plain(img)
    if array is not None:
        made = resized(array, size, mode, antialias and smooth)
        if made is not None:
            return from_numpy(made)
    batch, undo = as_batch(img)
    made = interpolate(
        batch,
        size=size,
        mode=mode,
        align_corners=False if smooth else None,
        antialias=antialias and smooth,
    )
    if mode == "bicubic" and img.dtype is plugrad.uint8:
        made = made.clamp(min=0, max=255)
    return undo(made)


def as_batch(img: Tensor, floats: Any = FLOATS) -> Any:
    """A picture as (N, C, H, W) in a floating-point dtype, and the function that brings
    a result back to the picture's dimensions and dtype."""
    dtype, shape = img.dtype, img.shape[:-3]
    flat = img.reshape(-1, *((1,) * (3 - img.ndim)), *img.shape[-3:])
    batch = flat if dtype in floats else flat.to(floats[0])

    def undo(made: Tensor) -> Tensor:
        made = made.reshape(*shape, *made.shape[4 - min(img.ndim, 3) :])
        if made.dtype is dtype:
            return made
        return (made if dtype.is_floating_point else made.round()).to(dtype)

    return batch, undo


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """A part of a picture, as `crop` takes it, in another size.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.resized_crop(plugrad.zeros(3, 20, 30), 5, 5, 10, 10, 4).shape
    plugrad.Size([3, 4, 4])
    """
    part = crop(img, top, left, height, width)
    return resize(part, size, interpolation, antialias=antialias)
