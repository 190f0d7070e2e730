"""Windows: weights by which a piece of a signal fades in and out.

All are symmetric. A `periodic` one, the default, is the symmetric one of one element
more without its last, so that copies of it in a row fit together. The few numbers of a
window are computed by Python, in double precision.
"""

from __future__ import annotations

from math import cos, pi, sqrt

from .. import dtypes
from ..devices import place
from ..layouts import check_options
from .data import finish
from .filled import dtype_argument
from .ranges import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..tensor import Tensor

__all__ = [
    "bartlett_window",
    "blackman_window",
    "hamming_window",
    "hann_window",
    "kaiser_window",
]


def window(
    name: str,
    length: Any,
    periodic: bool,
    weight: Callable[[float], float],
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The tensor of the weights at `length` places, which go from -1 to 1."""
    check_options(name, layout, pin_memory)
    dtype = dtype_argument(name, dtype) or dtypes.get_default_dtype()
    if dtype.kind != "f":
        raise RuntimeError(f"{name}() expects floating point dtypes, got {dtype}")
    length = integer(name, "window_length", length)
    if length < 0:
        raise RuntimeError(
            f"{name}() requires non-negative window_length, got {length}"
        )
    last = length if periodic else length - 1
    if length == 1:
        numbers = [1.0]
    else:
        numbers = [weight(2 * i / last - 1) for i in range(length)]
    k, target = place(device)
    return finish(k, k.from_data(numbers, k.native(dtype)), target, requires_grad)


def bartlett_window(
    window_length: int, periodic: bool = True, **options: Any
) -> Tensor:
    """A triangle: 0 at the ends, 1 in the middle.

    >>> import plugrad
    >>> plugrad.bartlett_window(5, periodic=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """

    def weight(t: float) -> float:
        return 1 - abs(t)

    return window("bartlett_window", window_length, periodic, weight, **options)


def blackman_window(
    window_length: int, periodic: bool = True, **options: Any
) -> Tensor:
    """A sum of two cosines, flat at the ends.

    >>> import plugrad
    >>> plugrad.blackman_window(4)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """

    def weight(t: float) -> float:
        return 0.42 + 0.5 * cos(pi * t) + 0.08 * cos(2 * pi * t)

    return window("blackman_window", window_length, periodic, weight, **options)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    **options: Any,
) -> Tensor:
    """A raised cosine: `alpha` in the mean, and `beta` above and below that.

    >>> import plugrad
    >>> plugrad.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """

    def weight(t: float) -> float:
        return alpha + beta * cos(pi * t)

    return window("hamming_window", window_length, periodic, weight, **options)


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A raised cosine that begins and ends with 0.

    >>> import plugrad
    >>> plugrad.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """

    def weight(t: float) -> float:
        return 0.5 + 0.5 * cos(pi * t)

    return window("hann_window", window_length, periodic, weight, **options)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any
) -> Tensor:
    """Kaiser's window, by the Bessel function of order 0; the larger `beta`, the
    narrower.

    >>> import plugrad
    >>> plugrad.kaiser_window(5, periodic=False, beta=5.0)
    tensor([0.0367, 0.5529, 1.0000, 0.5529, 0.0367])
    """
    top = bessel(beta)

    def weight(t: float) -> float:
        return bessel(beta * sqrt(max(0.0, 1 - t * t))) / top

    return window("kaiser_window", window_length, periodic, weight, **options)


def bessel(x: float) -> float:
    """The modified Bessel function of the first kind, of order 0, by its series."""
    total = term = 1.0
    n = 0
    while term > total * 1e-17:
        n += 1
        term *= (x / 2 / n) ** 2
        total += term
    return total
