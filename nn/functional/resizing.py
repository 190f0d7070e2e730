"""Images and signals in another size."""

from __future__ import annotations

import warnings
from math import floor
from typing import Any

import plugrad
from plugrad import Tensor

from . import adaptive, terms
from .pooling_ops import avg_pool_back
from .resampling import resample
from .windows import Ints

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

AREA = (
    adaptive.adaptive_avg_pool1d,
    adaptive.adaptive_avg_pool2d,
    adaptive.adaptive_avg_pool3d,
)
MODES = {  # and the numbers of dimensions that they resize
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "trilinear": (3,),
    "bicubic": (2,),
    "lanczos": (2,),
}
NO_CORNERS = ("nearest", "nearest-exact", "area")
SMOOTHED = ("bilinear", "bicubic", "lanczos")


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """A tensor (N, C, ...) with its last one to three dimensions in another size, which
    is `size` or `scale_factor` times the present one.

    The `mode` is "nearest", "nearest-exact", "area" (averages), "linear", "bilinear",
    "trilinear", "bicubic" or "lanczos". With `align_corners` the middles of the outer
    elements stay in place, else their edges. With `recompute_scale_factor` the factor
    is that of the sizes in whole elements. `antialias` smooths what gets smaller.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.tensor([[[0.0, 4.0]]])
    >>> F.interpolate(x, scale_factor=2)
    tensor([[[0., 0., 4., 4.]]])
    >>> F.interpolate(x, 3, mode="linear", align_corners=True)
    tensor([[[0., 2., 4.]]])
    """
    if mode in NO_CORNERS:
        if align_corners is not None:
            raise ValueError(
                f"interpolate: mode {mode!r} takes no align_corners; it is for modes "
                "that mix neighbours: 'linear', 'bilinear', 'trilinear', 'bicubic'"
            )
    dims = input.ndim - 2
    own = tuple(input.shape[2:])
    new, scales = wanted(own, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError(
            "interpolate: recompute_scale_factor says nothing where size is given"
        )
    if new is None:
        new = tuple([floor(float(n) * s) for n, s in zip(own, scales)])
        if recompute_scale_factor or mode == "area":
            scales = (None,) * dims
    if antialias and (mode not in SMOOTHED or dims != 2):
        raise ValueError(
            f"interpolate: antialias is for modes {', '.join(map(repr, SMOOTHED))} on "
            f"(N, C, H, W), but got mode {mode!r} on shape {list(input.shape)}"
        )
    check(input, mode, dims, new)
    corners = bool(align_corners)
    if mode == "lanczos" and (corners or not antialias):
        raise ValueError(
            "interpolate: mode 'lanczos' needs antialias=True, and no align_corners"
        )
    if mode == "area":
        return AREA[dims - 1](input, new)
    if mode in NO_CORNERS:
        return repeated(input, own, new, scales, mode == "nearest-exact")
    return mixed(input, own, new, scales, mode, corners, antialias)


def wanted(own: Ints, size: Any, factor: Any) -> tuple[Any, Any]:
    """The new sizes, or None; and the factor of each dimension, or None."""
    dims = len(own)
    if size is not None and factor is not None:
        raise ValueError("interpolate: give either size or scale_factor, not both")
    if size is not None:
        given = size if isinstance(size, (tuple, list)) else (size,) * dims
        if len(given) != dims:
            raise ValueError(
                f"interpolate: the input has {dims} dimensions to resize, {list(own)}, "
                f"but size is {size}"
            )
        try:
            return tuple([n.__index__() for n in given]), (None,) * dims
        except (AttributeError, TypeError):
            raise TypeError(f"interpolate: size must be ints, not {size!r}") from None
    if factor is None:
        raise ValueError("interpolate: give either size or scale_factor")
    given = factor if isinstance(factor, (tuple, list)) else (factor,) * dims
    if len(given) != dims:
        raise ValueError(
            f"interpolate: the input has {dims} dimensions to resize, {list(own)}, but "
            f"scale_factor is {factor}"
        )
    if any(isinstance(each, str) for each in given):
        raise TypeError(f"interpolate: scale_factor must be numbers, not {factor!r}")
    return None, tuple([float(each) for each in given])


def check(x: Tensor, mode: str, dims: int, new: Ints) -> None:
    """Raise unless the mode is known, and there is something to resize."""
    if mode not in MODES or dims not in MODES[mode]:
        raise NotImplementedError(
            f"interpolate: mode {mode!r} does not resize {dims} dimensions, those of "
            f"shape {list(x.shape)} after N and C; what there is: "
            + ", ".join(f"{name} ({MODES[name]})" for name in MODES)
        )
    if min(new) < 1 or 0 in x.shape[1:]:
        raise RuntimeError(
            f"interpolate: sizes must be above 0, but shape {list(x.shape)} was to get "
            f"the sizes {list(new)}"
        )
    if x.dtype.kind != "f" and (x.dtype != plugrad.uint8 or mode not in NO_CORNERS):
        raise NotImplementedError(
            f"interpolate: mode {mode!r} is not implemented for {x.dtype}; cast with "
            ".float()"
        )


def repeated(x: Tensor, own: Ints, new: Ints, scales: Any, exact: bool) -> Tensor:
    """Each new element is the nearest old one."""
    tables = [
        terms.nearest(n, count, scale, exact, len(own) == 2)
        for n, count, scale in zip(own, new, scales)
    ]
    times = tuple([count // n for n, count in zip(own, new)])
    if x.dtype.kind == "f" and all(
        count == n * s and table == [i // s for i in range(count)]
        for n, s, count, table in zip(own, times, new, tables)
    ):  # whole blocks of equal elements: a sum over windows, the other way round
        ones = (1,) * len(own)
        return avg_pool_back(x, new, (times, times, (0,) * len(own), ones, own), 1)
    for i, (n, table) in enumerate(zip(own, tables)):
        if table != list(range(n)):
            x = x.index_select(2 + i, adaptive.made_like(x, table))
    return x if any(a != b for a, b in zip(own, new)) else x.clone()


def mixed(
    x: Tensor,
    own: Ints,
    new: Ints,
    scales: Any,
    mode: str,
    corners: bool,
    antialias: bool,
) -> Tensor:
    """Each new element is a mixture of old ones, one dimension after the other; those
    that get smaller first."""
    y = x
    order = sorted(range(len(own)), key=lambda i: new[i] / own[i])
    for i in order:
        given = own[i], new[i], scales[i], corners
        if antialias and own[i] == new[i]:
            continue
        if antialias:
            indices, weights = terms.smoothed(mode, *given)
        else:
            indices, weights = terms.TABLES[mode](*given)
        if len(indices) > 1 or own[i] != new[i]:
            at = adaptive.made_like(x, indices)
            y = resample(y, at, adaptive.made_like(x, weights, x.dtype), 2 + i)
    return y.clone() if y is x else y


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate`, by the name it had before.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> import warnings
    >>> warnings.simplefilter('ignore')  # it is deprecated
    >>> F.upsample(plugrad.tensor([[[0.0, 4.0]]]), 4)
    tensor([[[0., 0., 4., 4.]]])
    """
    deprecated("upsample", "interpolate")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: Any = None, scale_factor: Any = None
) -> Tensor:
    """`interpolate` to the nearest elements.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> import warnings
    >>> warnings.simplefilter('ignore')  # it is deprecated
    >>> F.upsample_nearest(plugrad.tensor([[[0.0, 4.0]]]), 4)
    tensor([[[0., 0., 4., 4.]]])
    """
    deprecated("upsample_nearest", "interpolate")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor, size: Any = None, scale_factor: Any = None
) -> Tensor:
    """`interpolate` in the mode "bilinear", with the corners aligned.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> import warnings
    >>> warnings.simplefilter('ignore')  # it is deprecated
    >>> F.upsample_bilinear(plugrad.tensor([[[[0.0, 4.0]]]]), (1, 3))
    tensor([[[[0., 2., 4.]]]])
    """
    deprecated("upsample_bilinear", "interpolate")
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


def deprecated(name: str, better: str) -> None:
    """Warn as PyTorch does."""
    warnings.warn(
        f"nn.functional.{name} is deprecated; use nn.functional.{better}", stacklevel=3
    )
