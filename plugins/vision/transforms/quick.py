"""Small pictures on NumPy's arrays, quickly: what resizing and warping do to a tensor
takes mostly the time of calls, where a picture has a thousand pixels.

The results are those of `plugrad.nn.functional`, up to the last digit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from plugrad import from_numpy
from plugrad.nn.functional import interpolate

SMALL = 64  # the longest side for which matrices are kept: 16 kB each


# --- Resizing -----------------------------------------------------------------------


@lru_cache(maxsize=512)
def weights(before: int, after: int, mode: str, antialias: bool, wide: bool) -> Any:
    """What each new row is mixed of: resizing is linear, and the columns of its matrix
    are what it makes of the columns of the identity."""
    identity = from_numpy(np.eye(before, dtype=np.float64 if wide else np.float32))
    corners = {"align_corners": False} if mode.startswith("bi") else {}
    made = interpolate(
        identity[None, None],
        (after, before),
        mode=mode,
        antialias=antialias,
        **corners,
    )
    return made.numpy()[0, 0]


def resized(
    array: np.ndarray, size: tuple[int, int], mode: str, antialias: bool
) -> np.ndarray | None:
    """A picture (..., height, width) in another size; None if it is not small."""
    height, width = array.shape[-2:]
    if max(height, width, *size) > SMALL or min(height, width, *size) < 1:
        return None
    wide = array.dtype == np.float64
    real = array.astype(np.float64 if wide else np.float32, copy=False)
    rows = weights(height, size[0], mode, antialias, wide)
    columns = weights(width, size[1], mode, antialias, wide)
    made = rows @ (real @ columns.T)
    if mode == "bicubic" and array.dtype == np.uint8:
        made = made.clip(0, 255)
    return as_before(made, array.dtype)


def as_before(made: np.ndarray, dtype: Any) -> np.ndarray:
    """Numbers in the dtype of the picture, rounded where that has no fractions."""
    if made.dtype == dtype:
        return made
    return (made if dtype.kind == "f" else np.rint(made)).astype(dtype)


# --- Warping ------------------------------------------------------------------------


def positions(points: np.ndarray, size: int) -> np.ndarray:
    """Places from -1 to 1 as positions among so many pixels."""
    return ((points + 1) * size - 1) / 2


def warped(array: np.ndarray, grid: np.ndarray, nearest: bool, fill: Any) -> np.ndarray:
    """A picture (..., height, width) put together by a grid (1, h, w, 2) of places (x,
    y), with `fill` outside, where it is given."""
    height, width = array.shape[-2:]
    x, y = positions(grid[0, ..., 0], width), positions(grid[0, ..., 1], height)
    # A frame of zeros stands for all that is outside.
    framed = np.zeros((*array.shape[:-2], height + 2, width + 2), grid.dtype)
    framed[..., 1:-1, 1:-1] = array
    frame = np.zeros(framed.shape[-2:], grid.dtype)
    frame[1:-1, 1:-1] = 1
    take = taken_nearest if nearest else taken_linear
    made = take(framed, y, x)
    if fill is not None:
        inside = take(frame, y, x)
        colour = np.array(fill, grid.dtype).reshape(-1, 1, 1)
        if nearest:
            made = np.where(inside < 0.5, colour, made)
        else:
            made = made * inside + (1 - inside) * colour
    return as_before(made, array.dtype)


def place(position: np.ndarray, size: int) -> np.ndarray:
    """The index in the frame, which takes all that is further out."""
    return np.clip(position, -1, size).astype(np.intp) + 1


def taken_nearest(framed: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The pixels nearest to some positions."""
    height, width = framed.shape[-2:]
    flat = framed.reshape(*framed.shape[:-2], -1)
    rows, columns = place(np.rint(y), height - 2), place(np.rint(x), width - 2)
    return flat.take(rows * width + columns, axis=-1)


def taken_linear(framed: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Mixtures of the four pixels around some positions."""
    height, width = framed.shape[-2:]
    flat = framed.reshape(*framed.shape[:-2], -1)
    above, left = np.floor(y), np.floor(x)
    down, right = y - above, x - left
    rows = place(above, height - 2) * width, place(above + 1, height - 2) * width
    columns = place(left, width - 2), place(left + 1, width - 2)
    made = flat.take(rows[0] + columns[0], axis=-1) * ((1 - down) * (1 - right))
    made += flat.take(rows[0] + columns[1], axis=-1) * ((1 - down) * right)
    made += flat.take(rows[1] + columns[0], axis=-1) * (down * (1 - right))
    made += flat.take(rows[1] + columns[1], axis=-1) * (down * right)
    return made
