"""Pictures turned, moved, sheared and bent.

For tensors, a grid says for each pixel of the new picture where it comes from in the
old one. The numbers of a transformation go from new to old, as Pillow has them.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, cos, floor, radians, sin, tan
from typing import Any

import numpy as np

import plugrad
from plugrad import Tensor, from_numpy
from plugrad.nn.functional import grid_sample

from .. import pillow
from .convert import pil_to_tensor, plain, to_pil_image
from .cropping import filling, get_dimensions, is_tensor
from .quick import SMALL, warped
from .resizing import NUMBERS, InterpolationMode, as_batch, mode_of

__all__ = ["affine", "elastic_transform", "perspective", "rotate"]

NEAREST = InterpolationMode.NEAREST
BILINEAR = InterpolationMode.BILINEAR
Coefficients = list[float]


# --- From a grid to a picture -------------------------------------------------------


def real_type(img: Tensor) -> Any:
    """NumPy's dtype for the grid of a picture."""
    return np.float64 if img.dtype is plugrad.float64 else np.float32


def sampled(img: Tensor, grid: Any, mode: InterpolationMode, fill: Any) -> Tensor:
    """A picture put together by a grid (1, height, width, 2) of places (x, y), which go
    from -1 to 1 over the picture; outside of it is `fill`."""
    if mode not in (NEAREST, BILINEAR):
        raise ValueError(
            f"Interpolation mode '{mode.value}' is unsupported with Tensor input"
        )
    channels = get_dimensions(img)[0]
    if isinstance(fill, (tuple, list)) and len(fill) not in (1, channels):
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of "
            f"channels of the image ({len(fill)} != {channels})"
        )
    array = plain(img)
    if array is not None and isinstance(grid, np.ndarray):
        return from_numpy(warped(array, grid, mode is NEAREST, fill))
    grid = plugrad.as_tensor(grid).to(backend=img.backend).to(img.device)
    batch, undo = as_batch(img, (grid.dtype,))
    grid = grid.expand(batch.shape[0], -1, -1, -1)
    if fill is None:
        return undo(on_grid(batch, grid, mode))
    # One more channel of ones comes out as the part of a pixel that is inside.
    inside = plugrad.ones_like(batch[:, :1])
    made = on_grid(plugrad.cat([batch, inside], 1), grid, mode)
    made, inside = made[:, :-1], made[:, -1:]
    colour = list(fill) if isinstance(fill, (tuple, list)) else [fill]
    colour = plugrad.as_tensor(np.array(colour, np.float64)).to(backend=img.backend)
    colour = colour.to(batch.device).to(batch.dtype).view(1, -1, 1, 1)
    if mode is NEAREST:
        return undo(plugrad.where(inside < 0.5, colour, made))
    return undo(made * inside + (1.0 - inside) * colour)


def on_grid(batch: Tensor, grid: Tensor, mode: InterpolationMode) -> Tensor:
    return grid_sample(
        batch, grid, mode=mode.value, padding_mode="zeros", align_corners=False
    )


@lru_cache(maxsize=64)
def middles(height: int, width: int, wide: bool) -> np.ndarray:
    """`places` around the middle of a small picture."""
    real = np.float64 if wide else np.float32
    return places(height, width, 0.5 - height * 0.5, 0.5 - width * 0.5, real)


def places(height: int, width: int, y: float, x: float, real: Any) -> np.ndarray:
    """The places (x, y, 1) of the middles of all pixels, one in a row, if the first has
    (`x`, `y`)."""
    rows = np.linspace(y, y + height - 1, height, dtype=real)
    columns = np.linspace(x, x + width - 1, width, dtype=real)
    made = np.ones((height, width, 3), real)
    made[..., 0] = columns
    made[..., 1] = rows[:, None]
    return made.reshape(-1, 3)


def affine_grid(
    matrix: Coefficients, old: tuple[int, int], new: tuple[int, int], real: Any
) -> np.ndarray:
    """The grid of a transformation around the middle of the picture."""
    make = middles if max(new) <= SMALL else middles.__wrapped__
    points = make(*new, real is np.float64)
    half = np.array([0.5 * old[1], 0.5 * old[0]], real)
    columns = np.array(matrix, real).reshape(2, 3).T / half
    return (points @ columns).reshape(1, *new, 2)


# --- Rotation and its kind ----------------------------------------------------------


def inverse_matrix(
    center: Any, angle: float, translate: Any, scale: float, shear: Any
) -> Coefficients:
    """From new to old places, where old ones are scaled, sheared and rotated around
    `center`, then moved: (a, b, c, d, e, f) for x' = ax + by + c, y' = dx + ey + f."""
    turn, shear_x, shear_y = radians(angle), radians(shear[0]), radians(shear[1])
    # Rotation times shears, whose determinant is 1.
    a = cos(turn - shear_y) / cos(shear_y)
    b = -cos(turn - shear_y) * tan(shear_x) / cos(shear_y) - sin(turn)
    c = sin(turn - shear_y) / cos(shear_y)
    d = -sin(turn - shear_y) * tan(shear_x) / cos(shear_y) + cos(turn)
    back = d / scale, -b / scale, -c / scale, a / scale
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    return [
        back[0],
        back[1],
        back[0] * x + back[1] * y + center[0],
        back[2],
        back[3],
        back[2] * x + back[3] * y + center[1],
    ]


def check_angle(angle: Any, center: Any) -> None:
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")


def from_middle(img: Any, center: Any) -> list[float]:
    """A place (x, y) as seen from the middle of a picture, which is the default."""
    if center is None:
        return [0.0, 0.0]
    _, height, width = get_dimensions(img)
    return [1.0 * (center[0] - width * 0.5), 1.0 * (center[1] - height * 0.5)]


def expanded(matrix: Coefficients, height: int, width: int) -> tuple[int, int]:
    """The size that holds all of a rotated picture."""
    corners = np.array([(x, y, 1) for x in (-0.5, 0.5) for y in (-0.5, 0.5)], "f4")
    corners *= np.array([width, height, 1], np.float32)
    turned = corners @ np.array(matrix, np.float32).reshape(2, 3).T
    turned += np.array([width * 0.5, height * 0.5], np.float32)
    # Digits beyond the fourth are rounding errors, not another row of pixels.
    shorter = np.trunc(turned / np.float32(1e-4)) * np.float32(1e-4)
    most, least = shorter.max(0), shorter.min(0)
    size = [ceil(high) - floor(low) for high, low in zip(most, least)]
    return size[1], size[0]


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Any:
    """A picture rotated by an angle in degrees, counter-clockwise, around `center`, (x,
    y) or its middle. With `expand` the new picture is as large as it takes.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.rotate(plugrad.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 90)
    tensor([[[2., 4.],
             [1., 3.]]])
    """
    mode = mode_of(interpolation)
    check_angle(angle, center)
    if not is_tensor(img):
        colour = filling(img, fill)
        return img.rotate(angle, NUMBERS[mode], expand, center, fillcolor=colour)
    middle = from_middle(img, center)
    matrix = inverse_matrix(middle, -angle, (0.0, 0.0), 1.0, (0.0, 0.0))
    old = img.shape[-2], img.shape[-1]
    new = expanded(matrix, *old) if expand else old
    return sampled(img, affine_grid(matrix, old, new, real_type(img)), mode, fill)


def affine(
    img: Any,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    interpolation: Any = NEAREST,
    fill: Any = None,
    center: Any = None,
) -> Any:
    """A picture scaled, sheared and rotated clockwise around `center` (x, y) or its
    middle, and moved by `translate` (x, y); angles are in degrees.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.affine(plugrad.tensor([[[1.0, 2.0, 3.0]]]), 0, [1, 0], 1.0, 0)
    tensor([[[0., 1., 2.]]])
    """
    mode = mode_of(interpolation)
    check_angle(angle, center)
    if not isinstance(translate, (list, tuple)):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    shear = two_shears(shear)
    if not is_tensor(img):
        _, height, width = get_dimensions(img)
        middle = [width * 0.5, height * 0.5] if center is None else center
        matrix = inverse_matrix(middle, angle, translate, scale, shear)
        return transformed(img, "AFFINE", matrix, mode, fill)
    matrix = inverse_matrix(from_middle(img, center), angle, translate, scale, shear)
    size = img.shape[-2], img.shape[-1]
    return sampled(img, affine_grid(matrix, size, size, real_type(img)), mode, fill)


def two_shears(shear: Any) -> list[float]:
    """The shears along x and y. One number is for x, a list of one for both."""
    if isinstance(shear, (int, float)):
        return [shear, 0.0]
    if not isinstance(shear, (list, tuple)):
        raise TypeError(
            "Shear should be either a single value or a sequence of two values"
        )
    if len(shear) == 1:
        return [shear[0], shear[0]]
    if len(shear) != 2:
        raise ValueError(
            f"Shear should be a sequence containing two values. Got {shear}"
        )
    return list(shear)


def transformed(
    img: Any, how: str, numbers: Coefficients, mode: InterpolationMode, fill: Any
) -> Any:
    """What Pillow makes of an image by one of its transformations."""
    way = getattr(pillow.find("a transformation").Transform, how)
    colour = filling(img, fill)
    return img.transform(img.size, way, numbers, NUMBERS[mode], fillcolor=colour)


# --- Perspective --------------------------------------------------------------------


def perspective_numbers(startpoints: Any, endpoints: Any) -> Coefficients:
    """Numbers (a, ..., h) that bring end points back to start points: x' = (ax + by +
    c) / (gx + hy + 1), y' = (dx + ey + f) / (gx + hy + 1)."""
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints "
            f"and {len(endpoints)} endpoints."
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    target = np.array(startpoints, np.float64).reshape(8)
    found = np.linalg.lstsq(np.array(rows, np.float64), target, rcond=None)[0]
    return found.astype(np.float32).tolist()


def perspective(
    img: Any,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = BILINEAR,
    fill: Any = None,
) -> Any:
    """A picture seen from another place: four points (x, y) of it come to lie at four
    others.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> corners = [[0, 0], [3, 0], [3, 3], [0, 3]]
    >>> x = plugrad.rand(1, 4, 4)
    >>> plugrad.allclose(F.perspective(x, corners, corners), x, atol=1e-4)
    True
    """
    mode = mode_of(interpolation)
    numbers = perspective_numbers(startpoints, endpoints)
    if not is_tensor(img):
        return transformed(img, "PERSPECTIVE", numbers, mode, fill)
    real = real_type(img)
    height, width = img.shape[-2:]
    points = places(height, width, 0.5, 0.5, real)
    half = np.array([0.5 * width, 0.5 * height], real)
    above = points @ (np.array(numbers[:6], real).reshape(2, 3).T / half)
    below = points @ np.array([*numbers[6:], 1.0], real)
    grid = (above / below[:, None] - 1).reshape(1, height, width, 2)
    return sampled(img, grid, mode, fill)


# --- Rubber -------------------------------------------------------------------------


def elastic_transform(
    img: Any, displacement: Tensor, interpolation: Any = BILINEAR, fill: Any = None
) -> Any:
    """A picture each pixel of which comes from another place, displaced by (1, height,
    width, 2) numbers (x, y), where a picture has width and height 2.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> x = plugrad.rand(1, 4, 4)
    >>> plugrad.allclose(F.elastic_transform(x, plugrad.zeros(1, 4, 4, 2)), x)
    True
    """
    mode = mode_of(interpolation)
    if not isinstance(displacement, Tensor):
        raise TypeError("Argument displacement should be a Tensor")
    _, height, width = get_dimensions(img)
    if displacement.shape != (1, height, width, 2):
        raise ValueError(
            f"Argument displacement shape should be {(1, height, width, 2)}, but given "
            f"{tuple(displacement.shape)}"
        )
    if not is_tensor(img):
        made = elastic_transform(pil_to_tensor(img), displacement, mode, fill)
        return to_pil_image(made, mode=img.mode)
    grid = np.empty((1, height, width, 2), np.float32)
    grid[..., 0] = np.linspace((1 - width) / width, (width - 1) / width, width)
    rows = np.linspace((1 - height) / height, (height - 1) / height, height)
    grid[..., 1] = rows[:, None]
    whole = plugrad.as_tensor(grid).to(backend=displacement.backend)
    return sampled(img, whole.to(displacement.device) + displacement, mode, fill)
