"""Complex numbers: their parts, and making them.

Rules get the conjugated gradient and return a conjugated one (the engine does it
around them), so those of functions that are not holomorphic differ from PyTorch's.
"""

from __future__ import annotations

from math import pi

from .. import dtypes
from ..declare import Sample, op
from ..params import ALL_KINDS
from .math import is_complex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = [
    "angle",
    "complex",
    "conj",
    "conj_physical",
    "imag",
    "polar",
    "real",
    "view_as_complex",
    "view_as_real",
]


def note_complex(values: dict[str, Any]) -> None:
    """Tell the backend, and with it the engine, that there will be complex numbers."""
    x = next(iter(values.values()))
    if x.dtype.is_floating_point:
        x._k.native(x.dtype.to_complex())


def note_parts(values: dict[str, Any]) -> None:
    """The same for parts, whose dtype must have a complex one of its own."""
    for x in values.values():
        if x.dtype is dtypes.bfloat16:
            raise RuntimeError(f"there are no complex numbers of {x.dtype}")
    note_complex(values)


def widened(k: Kernels, re: Array) -> Any:
    """The complex dtype of two such reals, as the library calls it."""
    return k.native(k.dtype_of(re).to_complex())


# --- Parts --------------------------------------------------------------------------


@op(promote="same", view=True, method=False)
def real(k: Kernels, x: Tensor) -> Tensor:
    """The real part, elementwise; a real tensor itself.

    >>> import plugrad
    >>> plugrad.real(plugrad.tensor([1 + 2j]))
    tensor([1.])
    """
    return k.real(x)


real.grad(x=lambda k, g, x_dtype: k.astype(g, x_dtype))


@op(promote="same", kinds="c", view=True, method=False)
def imag(k: Kernels, x: Tensor) -> Tensor:
    """The imaginary part, elementwise.

    >>> import plugrad
    >>> x = plugrad.tensor([1 + 2j])
    >>> y = plugrad.imag(x).zero_()  # a view: it writes to x
    >>> x
    tensor([1.+0.j])
    """
    return k.imag(x)


imag.grad(x=lambda k, g, x_dtype: k.astype(g, x_dtype) * -1j)


@op(promote="same", view=True, inplace=False)
def conj(k: Kernels, x: Tensor) -> Tensor:
    """The complex conjugate, elementwise; a real tensor itself.

    >>> import plugrad
    >>> plugrad.conj(plugrad.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return k.conj(x)


conj.grad(x=lambda k, g: k.conj(g))


@real.before("biuf")
@conj.before("biuf")
def _(values: dict[str, Any]) -> Any:
    return None if values["x"].dtype.is_complex else values["x"]


@imag.before("biuf")
def _(values: dict[str, Any]) -> None:
    if not values["x"].dtype.is_complex:
        raise RuntimeError(
            "imag is not implemented for tensors with non-complex dtypes; this one has "
            f"dtype {values['x'].dtype}"
        )


@op(promote="same")
def conj_physical(k: Kernels, x: Tensor) -> Tensor:
    """The complex conjugate, elementwise, always in memory of its own.

    >>> import plugrad
    >>> plugrad.conj_physical(plugrad.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return k.conj(x) if is_complex(k, x) else k.asarray(x, copy=True)


conj_physical.grad(x=lambda k, g: k.conj(g) if is_complex(k, g) else g)


@op(promote="float", inplace=False)
def angle(k: Kernels, x: Tensor) -> Tensor:
    """The angle of a complex number, elementwise; for negative reals pi, else 0.

    >>> import plugrad
    >>> plugrad.angle(plugrad.tensor([1j, 1 + 1j]))
    tensor([1.5708, 0.7854])
    >>> plugrad.angle(plugrad.tensor([-3.0, 3.0]))
    tensor([3.1416, 0.0000])
    """
    if is_complex(k, x):
        return k.atan2(k.imag(x), k.real(x))
    zero = k.zeros_like(x)
    y = k.where(x < zero, k.full_like(x, pi), zero)
    return k.where(x != x, x, y)


def slope_of_angle(k: Kernels, g: Array, x: Array) -> Array:
    """The gradient of the angle: across x, by 1 / abs(x); 0 at 0."""
    if not is_complex(k, x):
        return k.zeros_like(g)
    zero = x == 0
    y = k.astype(g, x.dtype) * -1j / k.where(zero, k.ones_like(x), x)
    return k.where(zero, k.zeros_like(y), y)


angle.grad(x=slope_of_angle)


# --- As pairs of reals --------------------------------------------------------------


@op(kinds="c", view=True, method=False)
def view_as_real(k: Kernels, x: Tensor) -> Tensor:
    """Complex numbers as pairs of reals, in a last dimension of size 2.

    >>> import plugrad
    >>> plugrad.view_as_real(plugrad.tensor([1 + 2j, 3 + 4j]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    return k.stack((k.real(x), k.imag(x)), axis=-1)


view_as_real.grad(x=lambda k, g: k.complex(g[..., 0], -g[..., 1]))


@view_as_real.before("biuf")
def _(values: dict[str, Any]) -> None:
    if not values["x"].dtype.is_complex:
        raise RuntimeError(
            "view_as_real is only supported for complex tensors, not for "
            f"{values['x'].dtype}"
        )


@view_as_real.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (1,), (3,), (2, 3), (2, 0), (2, 1, 3)):
        yield Sample(make(*shape))
    yield Sample(make.strided(2, 3))
    yield Sample(make.strided(3))
    yield Sample(make.expanded(2, 3))


@op(view=True, method=False)
def view_as_complex(k: Kernels, x: Tensor) -> Tensor:
    """Pairs of reals, in a last dimension of size 2, as complex numbers.

    >>> import plugrad
    >>> plugrad.view_as_complex(plugrad.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1.+2.j, 3.+4.j])
    """
    return joined(k, x[..., 0], x[..., 1])


view_as_complex.grad(x=lambda k, g: k.view_as_real(k.conj(g)))


@view_as_complex.before(ALL_KINDS)
def _(values: dict[str, Any]) -> None:
    x = values["x"]
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:  # no dtype has two halves
        raise RuntimeError(
            "view_as_complex is only supported for float32 and float64 tensors, not "
            f"for {x.dtype}"
        )
    if not x.ndim or x.shape[-1] != 2:
        raise RuntimeError(
            "view_as_complex: the tensor must have a last dimension of size 2, but its "
            f"shape is {list(x.shape)}"
        )
    note_complex(values)


@view_as_complex.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((2,), (0, 2), (1, 2), (3, 2), (2, 3, 2), (2, 0, 2), (2, 1, 3, 2)):
        yield Sample(make(*shape))
    yield Sample(make(4, 1, 2))
    yield Sample(make(1, 1, 2, 2))
    yield Sample(make.expanded(3, 2))
    yield Sample(make(3, 3)).named("not pairs")
    yield Sample(make()).named("0-d")


def joined(k: Kernels, re: Array, im: Array) -> Array:
    """re + im * i."""
    dtype = widened(k, re)
    return k.astype(re, dtype) + k.astype(im, dtype) * 1j


@op(promote="equal", kinds="f", broadcast=True, method=False)
def complex(k: Kernels, real: Tensor, imag: Tensor) -> Tensor:
    """real + imag * i, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.complex(plugrad.tensor([1.0]), plugrad.tensor([2.0]))
    tensor([1.+2.j])
    """
    return joined(k, real, imag)


complex.before("f")(note_parts)
complex.grad(
    real=lambda k, g, real_dtype: k.astype(k.real(g), real_dtype),
    imag=lambda k, g, imag_dtype: k.astype(-k.imag(g), imag_dtype),
)


@op(promote="equal", kinds="f", broadcast=True, method=False)
def polar(k: Kernels, abs: Tensor, angle: Tensor) -> Tensor:
    """abs * (cos(angle) + sin(angle) * i), elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.polar(plugrad.tensor(2.0), plugrad.tensor(1.0))
    tensor(1.0806+1.6829j)
    """
    return joined(k, abs * k.cos(angle), abs * k.sin(angle))


polar.before("f")(note_parts)
polar.grad(
    abs=lambda k, g, angle: k.real(g) * k.cos(angle) - k.imag(g) * k.sin(angle),
    angle=lambda k, g, y: -k.imag(g * y),
)


@complex.samples
@polar.samples
def _(make: Any) -> Iterator[Sample]:
    low = 0.1  # torch's gradient of polar is wrong where the size is negative
    for a, b in (((), ()), ((0,), (0,)), ((3,), (3,)), ((2, 3), (3,)), ((), (2, 3))):
        yield Sample(make(*a, low=low), make(*b))
    yield Sample(make(2, 1, low=low), make(1, 3))
    yield Sample(make.strided(2, 3, low=low), make(2, 3))
    yield Sample(make(2, 3, low=low), make.expanded(2, 3))
    same = make(2, 3, low=low)
    yield Sample(same, same)
    yield Sample(make(3), make.integers(3)).named("another dtype")
    yield Sample(make(3), make(4)).named("mismatch")


PROPERTIES = {"real": real, "imag": imag}
