"""`x[index] = value`.

Only the region is written; in the graph it moves to its new place, and with it
everything on the same memory.
"""

from __future__ import annotations

from .. import modes
from ..backend import OPS
from ..declare import SCALARS, Sample, op
from ..errors import explain
from ..tensor import Tensor, wrap
from .indexing import (
    BASIC,
    embed,
    expand_masks,
    getitem,
    settled,
    split_index,
    whole_mask,
)
from .positions import index_put_, trimmed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Dims = int | Sequence[int]

__all__: list[str] = []


def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    """Write a value at an index, broadcast and cast as it needs to be."""
    k = self._k
    basic, picks = index, None
    if index.__class__ is tuple:
        for each in index:
            if each.__class__ not in BASIC:
                basic, picks = split_index(self, index)
                break
    elif index.__class__ not in BASIC:
        single = value.__class__ in SCALARS or getattr(value, "ndim", 1) == 0
        if single and whole_mask(self, index):
            self.masked_fill_(index, value)  # type: ignore[attr-defined]
            return
        basic, picks = split_index(self, index)
    if value.__class__ not in SCALARS and not isinstance(value, Tensor):
        if value is None or isinstance(value, (list, tuple, str)):
            raise TypeError(
                f"can't assign a {type(value).__name__} to a Tensor; make it one with "
                "plugrad.tensor(...)"
            )
        from ..creation.data import as_tensor

        value = as_tensor(value)
    if picks is None and isinstance(value, Tensor) and is_region(self, basic, value):
        return
    if (
        picks is not None
        and isinstance(value, Tensor)
        and value.dtype is not self.dtype
    ):
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{self.dtype} for the destination and {value.dtype} for the source."
        )
    node = value._node if isinstance(value, Tensor) else None
    recorded = modes.current().grad and (self._node is not None or node is not None)
    kernel = None if recorded else k._getitem_
    if kernel is None:
        assign(self, basic, picks, value)
        return
    raw = value
    if isinstance(value, Tensor):
        raw = value._a if value._k is k else moved(value, k)
    elif value.__class__ is complex and self.dtype.kind != "c":
        raise RuntimeError(
            f"value cannot be converted to type {self.dtype} without overflow"
        )
    try:
        if picks is None:
            kernel(self._a, basic, raw)
        else:
            part = wrap(k, k._getitem(self._a, basic))
            indices = expand_masks(part, picks)
            found = [None if each is None else each._a for each in indices]
            k._index_put_(part._a, found, raw)
    except Exception as error:
        named = {"self": self, "index": index, "value": value}
        raise explain("__setitem__", named, error) from error
    from ..storage import written

    written(self)


def is_region(x: Tensor, index: Any, value: Tensor) -> bool:
    """Whether `value` is the very view that is to be written, as in `x[0] += 1`: what
    was done to it in place has reached `x` already."""
    if value._s is None or value._s is not x._s:
        return False
    k, a = x._k, value._a
    region = k._getitem(x._a, index)
    return (
        region.shape == a.shape
        and k.strides(region) == k.strides(a)
        and k.address(region) == k.address(a)
    )


def moved(value: Tensor, k: Any) -> Any:
    """A value of another backend; only one without dimensions is taken along."""
    if value._a.ndim:
        raise RuntimeError(
            f"cannot assign a tensor of backend {value._k.name!r} to one of backend "
            f"{k.name!r}; move it with .to(backend={k.name!r})"
        )
    return k.from_data(value.item(), k.native(value.dtype))


def assign(x: Tensor, basic: Any, picks: Sequence[Any] | None, value: Any) -> None:
    """`x[basic][picks] = value` in the graph: the view that the basic part makes is
    written, and everything on its memory follows."""
    from ..inplace import check_writable, write_result

    k = x._k
    region = getitem(x, basic)
    if not isinstance(value, Tensor):
        value = wrap(k, k.make_scalar(value, x.dtype))
    elif value._k is not k:
        value = wrap(k, moved(value, k))
    check_writable(region if k.aliases(region._a, x._a) else x)
    if picks is None:
        made = overwrite(region, value)
    else:
        where = settled(expand_masks(region, picks), region, value)
        made = index_put_(region, where, value)
    if k.aliases(region._a, x._a):
        write_result(region, made, "__setitem__")
        return
    if made.dtype is not x.dtype:
        made = OPS["to_dtype"].function(made, x.dtype)
    inside = embed(wrap(k, k.ones(made._a.shape, dtype=k.bool)), basic, x._a.shape)
    whole = OPS["where"].function(inside, embed(made, basic, x._a.shape), x)
    write_result(x, whole, "__setitem__")


@op(method=False, oracle=None)
def overwrite(k: Kernels, x: Tensor, value: Tensor) -> Tensor:
    """`value` in the shape and dtype of `x`."""
    value = k.broadcast_to(trimmed(k, value, x.shape), x.shape)
    return value if value.dtype == x.dtype else k.astype(value, x.dtype)


def _shrunk(k: Any, g: Any, value_shape: Any, value_dtype: Any) -> Any:
    from ..graph import sum_to
    from .shape import _cast_back

    extra = len(value_shape) - g.ndim
    if extra > 0:
        g = k.reshape(g, (1,) * extra + tuple(g.shape))
    return _cast_back(k, sum_to(k, g, value_shape), value_dtype)


overwrite.grad(
    value=lambda k, g, value_shape, value_dtype: _shrunk(
        k, g, value_shape, value_dtype
    ),
)


@overwrite.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(2, 3), (3,), (1,), (), (2, 1), (1, 1, 3), (1, 2, 3)]:
        yield Sample(make(2, 3), make(*shape))
    yield Sample(make(0, 3), make(3))
    yield Sample(make(), make())
    yield Sample(make.strided(2, 3), make.expanded(2, 3))


METHODS = [__setitem__]
