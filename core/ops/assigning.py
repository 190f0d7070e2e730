"""`x[index] = value`.

Only the region is written; in the graph it moves to its new place, and with it
everything on the same memory.
"""

from __future__ import annotations

from .. import modes
from ..declare import Sample, op
from ..errors import explain
from ..interface import OPS
from ..params import SCALARS
from ..storage import written
from ..tensor import Tensor, wrap
from .indexing import (
    BASIC,
    embed,
    expand_masks,
    getitem,
    is_mask,
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

__all__: list[str] = []


def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    """Write a value at an index, broadcast and cast as it needs to be."""
    basic, picks = index, None
    kind = value.__class__
    if index is False:  # nothing is written, and nothing recorded
        return
    if index is True:
        index = basic = None
    if kind not in SCALARS and not isinstance(value, Tensor):
        value = foreign(self, value)
    if index.__class__ is tuple:
        for each in index:
            if each.__class__ not in BASIC:
                basic, picks = split_index(self, index)
                break
    elif index.__class__ not in BASIC:
        single = kind in SCALARS or getattr(value, "ndim", 1) == 0
        if single and whole_mask(self, index):
            self.masked_fill_(index, value)  # type: ignore[attr-defined]
            return
        basic, picks = split_index(self, index)
    node = None
    if isinstance(value, Tensor):
        if picks is None:
            if is_region(self, basic, value):
                return
        elif value.dtype is not self.dtype:
            if set(value._a.shape) <= {1} and single_mask(picks):
                return self.__setitem__(index, value.item())  # type: ignore[index]
            raise RuntimeError(
                "Index put requires the source and destination dtypes match, got "
                f"{self.dtype} for the destination and {value.dtype} for the source."
            )
        node = value._node
    recorded = modes.current().grad and (self._node is not None or node is not None)
    if recorded or self._k._getitem_ is None:
        assign(self, basic, picks, value)
    else:
        write(self, basic, picks, value)


def write(x: Tensor, basic: Any, picks: Sequence[Any] | None, value: Any) -> None:
    """`x[basic][picks] = value` outside the graph, by the backend's own kernels."""
    k, raw = x._k, value
    if isinstance(value, Tensor):
        raw = value._a if value._k is k else moved(value, k)
    elif value.__class__ is complex and x.dtype.kind != "c":
        raise RuntimeError(
            f"value cannot be converted to type {x.dtype} without overflow"
        )
    try:
        if picks is None:
            k._getitem_(x._a, basic, raw)
        else:
            part = wrap(k, k._getitem(x._a, basic))
            indices = expand_masks(part, picks)
            found = [None if each is None else each._a for each in indices]
            k._index_put_(part._a, found, raw)
    except Exception as error:
        named = {"self": x, "index": basic, "value": value}
        raise explain("__setitem__", named, error) from error
    written(x)


def foreign(x: Tensor, value: Any) -> Any:
    """A scalar of another library as a number, an array of one as a Tensor."""
    if value is None or isinstance(value, (list, tuple, str)):
        raise TypeError(
            f"can't assign a {type(value).__name__} to a Tensor; make it one with "
            "plugrad.tensor(...)"
        )
    for kind in SCALARS:
        if isinstance(value, kind):
            return kind(value)  # type: ignore[arg-type]
    if not getattr(value, "shape", 1) and hasattr(value, "item"):
        return value.item()
    from ..creation.data import as_tensor

    found = as_tensor(value)
    return found if found.dtype is x.dtype else OPS["to_dtype"].function(found, x.dtype)


def is_region(x: Tensor, index: Any, value: Tensor) -> bool:
    """Whether `value` is the very view that is to be written, as in `x[0] += 1`: what
    was done to it in place has reached `x` already."""
    made = getattr(value, "_v", None)
    if made is None or made[0] is not x or made[1] != getitem.op.view_again:
        return False
    return made[2] == (index,)


def single_mask(picks: Sequence[Any]) -> bool:
    """Whether one mask is all that an index picks by."""
    found = [each for each in picks if isinstance(each, Tensor)]
    return len(found) == 1 and is_mask(found[0])


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
        where: Any = settled(expand_masks(region, picks), region, value)
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
