"""Images seen through a grid of points, and grids of points.

A grid has the points (x, y) or (x, y, z) of the elements to be made; from -1 to 1 they
go over the image. Everything here is made of differentiable ops, so that gradients of
any order flow to the image and to the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import plugrad
from plugrad import Tensor

from .terms import A, cubic_far, cubic_near

__all__ = ["affine_grid", "grid_sample"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The elements of `input` (N, C, H, W) or (N, C, D, H, W) at the points of `grid`
    (N, H', W', 2) or (N, D', H', W', 3): "nearest", or mixed of neighbours ("bilinear",
    "bicubic"). Beyond the image lie "zeros", its "border" or its "reflection". With
    `align_corners`, -1 and 1 are the middles of the outer elements, else their edges.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.tensor([[[[1.0, 3.0]]]])
    >>> grid = plugrad.tensor([[[[0.0, 0.0], [-1.0, 0.0], [9.0, 0.0]]]])
    >>> F.grid_sample(x, grid, align_corners=True)
    tensor([[[[2., 1., 0.]]]])
    """
    if mode not in MODES:
        raise ValueError(f"grid_sample: mode must be one of {MODES}, not {mode!r}")
    if padding_mode not in PADDINGS:
        raise ValueError(
            f"grid_sample: padding_mode must be one of {PADDINGS}, not {padding_mode!r}"
        )
    check(input, grid, mode)
    sizes = tuple(input.shape[2:])
    corners = bool(align_corners)
    # the grid names the last dimension first
    points = [unscaled(grid[..., -1 - i], n, corners) for i, n in enumerate(sizes)]
    if mode == "bicubic":
        found = cubic_terms(points)
    else:
        points = [inside(p, n, padding_mode, corners) for p, n in zip(points, sizes)]
        found = nearest_terms(points) if mode == "nearest" else linear_terms(points)
    return summed(input, found, padding_mode, corners, mode == "bicubic")


def check(x: Tensor, grid: Tensor, mode: str) -> None:
    """Raise unless the image and the grid go together."""
    dims = x.ndim - 2
    shapes = f"input of shape {list(x.shape)} and grid of shape {list(grid.shape)}"
    if dims not in (2, 3) or grid.ndim != x.ndim:
        raise RuntimeError(
            "grid_sample: expected an input (N, C, H, W) and a grid (N, H', W', 2), or "
            f"an input (N, C, D, H, W) and a grid (N, D', H', W', 3), but got {shapes}"
        )
    if grid.shape[0] != x.shape[0] or grid.shape[-1] != dims:
        raise RuntimeError(
            f"grid_sample: expected a grid of {x.shape[0]} times points of {dims} "
            f"numbers, but got {shapes}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(f"grid_sample: there is no element to see in {shapes}")
    if x.dtype != grid.dtype:
        raise RuntimeError(
            f"grid_sample: input is {x.dtype}, grid {grid.dtype}; cast one with .to()"
        )
    if mode == "bicubic" and dims != 2:
        raise RuntimeError(
            f"grid_sample: mode 'bicubic' needs (N, C, H, W), not {shapes}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"grid_sample: not implemented for {x.dtype}")


def unscaled(p: Tensor, n: int, corners: bool) -> Tensor:
    """Points from -1 to 1 as positions among `n` elements."""
    return (p + 1) * ((n - 1) / 2) if corners else ((p + 1) * n - 1) / 2


# --- Beyond the edges ---------------------------------------------------------------


def inside(p: Tensor, n: int, padding: str, corners: bool) -> Tensor:
    """Positions brought to within the image, where the padding mode says so."""
    if padding == "zeros":
        return p
    return clipped(reflected(p, n, corners) if padding == "reflection" else p, n)


def clipped(p: Tensor, n: int) -> Tensor:
    """Positions not beyond the outer elements. On those no gradient flows any more,
    which it would through `clamp`."""
    free = (p > 0) & (p < n - 1)
    return plugrad.where(free, p, p.detach().clamp(0, n - 1))


def reflected(p: Tensor, n: int, corners: bool) -> Tensor:
    """Positions mirrored at the outer elements, or at their edges."""
    low, span = (0.0, n - 1) if corners else (-0.5, n)
    if not span:
        return p * 0
    p = (p - low).abs()
    turns = (p.detach() / span).floor()
    rest = p - turns * span
    odd = turns.remainder(2) == 1
    return plugrad.where(odd, span - rest, rest) + low


# --- Which elements -----------------------------------------------------------------

# for each dimension, what may be chosen: (position as a whole number, weight or None)
Choices = list[list[tuple[Tensor, Any]]]


def nearest_terms(points: list[Tensor]) -> Choices:
    """The nearest element; from the middle of two, the even one. The gradient of the
    grid is 0, and not missing."""
    found: Choices = []
    for p in points:
        weight = plugrad.where(p < p, p, p.new_ones(())) if p.requires_grad else None
        found.append([(p.detach().round(), weight)])
    return found


def linear_terms(points: list[Tensor]) -> Choices:
    """The two neighbours."""
    found: Choices = []
    for p in points:
        low = p.detach().floor()
        part = p - low
        found.append([(low, 1 - part), (low + 1, part)])
    return found


def cubic_terms(points: list[Tensor]) -> Choices:
    """Four neighbours."""
    found: Choices = []
    for p in points:
        low = p.detach().floor()
        t: Any = p - low
        weights = cubic_far(t + 1, A), cubic_near(t, A), cubic_near(1 - t, A)
        weights = (*weights, cubic_far(2 - t, A))
        found.append([(low + (j - 1), w) for j, w in enumerate(weights)])
    return found


def summed(
    x: Tensor, choices: Choices, padding: str, corners: bool, again: bool
) -> Tensor:
    """The sum of all combinations of what the dimensions choose, weighted. With
    `again`, the padding mode holds for each chosen element."""
    sizes = x.shape[2:]
    n, c = x.shape[:2]
    flat = x.reshape(n, c, prod(sizes))
    shape = tuple(choices[0][0][0].shape[1:])
    total: Any = None
    for combination in product(*choices):
        index: Any = None
        weight: Any = None
        seen: Any = None
        for (place, w), size in zip(combination, sizes):
            if padding == "zeros":
                ok = (place >= 0) & (place < size)
                seen = ok if seen is None else seen & ok
            elif again:
                place = inside(place, size, padding, corners)
            place = place.clamp(0, size - 1).to(plugrad.int64)
            index = place if index is None else index * size + place
            if w is not None:
                weight = w if weight is None else weight * w
        index = index.reshape(n, 1, prod(shape)).expand(n, c, prod(shape))
        term = flat.gather(2, index).reshape(n, c, *shape)
        if weight is not None:
            term = term * weight.unsqueeze(1)
        if seen is not None:
            term = plugrad.where(seen.unsqueeze(1), term, term.new_zeros(()))
        total = term if total is None else total + term
    return total


# --- Grids --------------------------------------------------------------------------


def affine_grid(
    theta: Tensor, size: Sequence[int], align_corners: bool | None = None
) -> Tensor:
    """A grid for `grid_sample`: the points of an image of `size` (N, C, H, W) or
    (N, C, D, H, W), each mapped by the matrices `theta` (N, 2, 3) or (N, 3, 4).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> theta = plugrad.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    >>> F.affine_grid(theta, (1, 1, 1, 2), align_corners=True)
    tensor([[[[-0.5000,  0.0000],
              [ 1.5000,  0.0000]]]])
    """
    if theta.dtype.kind != "f":
        raise ValueError(f"affine_grid: theta must be floating, not {theta.dtype}")
    size = tuple(size)
    dims = len(size) - 2
    if dims not in (2, 3):
        raise NotImplementedError(
            f"affine_grid: size must be (N, C, H, W) or (N, C, D, H, W), not {size}"
        )
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"affine_grid: theta must be N times {dims} x {dims + 1} for the size "
            f"{size}, but has shape {list(theta.shape)}"
        )
    if min(size) <= 0:
        raise ValueError(f"affine_grid: sizes must be above 0, not {size}")
    if theta.shape[0] != size[0]:
        raise RuntimeError(
            f"affine_grid: theta has {theta.shape[0]} matrices for a size of {size[0]}"
        )
    lines = []
    for i, n in enumerate(size[2:]):
        step = 0.0 if n == 1 else 2 / (n - 1 if align_corners else n)
        line = theta.new_tensor([step * (j - (n - 1) / 2) for j in range(n)])
        line = line.reshape((1,) * i + (n,) + (1,) * (dims - 1 - i))
        lines.insert(0, line.expand(*size[2:]))
    ones = theta.new_ones(size[2:])
    points = plugrad.stack([*lines, ones], -1).reshape(1, -1, dims + 1)
    return (points @ theta.transpose(1, 2)).reshape(size[0], *size[2:], dims)
