"""The limits of number formats, computed from how many bits they spend on what."""

from __future__ import annotations

from math import floor, ldexp, log10

from .dtypes import (
    as_argument,
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    get_default_dtype,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .dtypes import DTypeLike

__all__ = ["finfo", "iinfo"]

# Of a floating-point format's bits, one is the sign, these are the exponent and the
# rest is the fraction.
_EXPONENT_BITS = {float16: 5, bfloat16: 8, float32: 8, float64: 11}


class finfo:
    """Limits of a floating-point dtype, by default of the default dtype.

    Of a complex dtype it describes the parts.

    >>> import plugrad
    >>> plugrad.finfo(plugrad.float16).max
    65504.0
    """

    __slots__ = (
        "bits",
        "dtype",
        "eps",
        "max",
        "min",
        "resolution",
        "smallest_normal",
        "tiny",
    )

    bits: int
    """Bits per number."""
    dtype: str
    """The dtype's name."""
    eps: float
    """The distance from 1.0 to the next larger number."""
    max: float
    """The largest finite number."""
    min: float
    """The lowest finite number, -max."""
    resolution: float
    """10 ** -n, where any n decimal digits survive the format."""
    smallest_normal: float
    """The smallest positive number of full precision."""
    tiny: float
    """The same as smallest_normal."""

    def __init__(self, type: DTypeLike | None = None) -> None:
        d = get_default_dtype() if type is None else as_argument(type, "finfo")
        d = d.to_real()
        if not d.is_floating_point:
            raise TypeError(
                f"finfo() takes a floating-point dtype, not {d!r}; "
                f"use plugrad.iinfo for integers"
            )
        exponent = _EXPONENT_BITS[d]
        fraction = d.itemsize * 8 - 1 - exponent
        bias = 2 ** (exponent - 1) - 1
        self.bits = d.itemsize * 8
        self.dtype = d.name
        self.eps = ldexp(1.0, -fraction)
        self.max = ldexp(2.0 - self.eps, bias)
        self.min = -self.max
        self.smallest_normal = self.tiny = ldexp(1.0, 1 - bias)
        self.resolution = 10.0 ** -floor(fraction * log10(2))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, finfo):
            return NotImplemented
        return self.dtype == other.dtype

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, "
            f"max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype.

    >>> import plugrad
    >>> plugrad.iinfo(plugrad.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ("bits", "dtype", "max", "min")

    bits: int
    """Bits per number."""
    dtype: str
    """The dtype's name."""
    max: int
    """The largest value."""
    min: int
    """The lowest value."""

    def __init__(self, type: DTypeLike) -> None:
        d = as_argument(type, "iinfo")
        if d.kind not in "ui":
            hint = "bool has no limits" if d is bool_ else "use plugrad.finfo"
            raise TypeError(f"iinfo() takes an integer dtype, not {d!r}; {hint}")
        self.bits = d.itemsize * 8
        self.dtype = d.name
        self.min = -(2 ** (self.bits - 1)) if d.is_signed else 0
        self.max = self.min + 2**self.bits - 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, iinfo):
            return NotImplemented
        return self.dtype == other.dtype

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
