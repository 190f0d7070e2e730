"""What a sparse tensor is to automatic differentiation.

A sparse tensor is a pattern of positions, which nothing differentiates, and values,
which are a dense tensor. So what is done to it is composed of ops on the values, and
its gradients, of any order, are theirs: they reach the values alone, in as much memory.

- `STORED` takes the values out of a sparse tensor, `BUILD` makes one of values at the
  positions of a pattern; `PRODUCT` and `SAMPLED` are the two products with a dense
  matrix, each the other's gradient. These are what a sparse backend computes; a
  pattern is its object, described in `plugrad.backends.sparse`.
- The other functions are pieces of compositions, on Tensors: other layouts, one
  position once, sums of values that belong together.

What each op is composed of stands in `plugrad.sparse.composed`.
"""

from __future__ import annotations

from .. import modes
from ..declare import Op
from ..interface import OPS
from ..params import SCALARS
from ..tensor import Tensor, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..interface import Backend

    Array = Any
    Kernels = Any
    Pattern = Any


class SparseOp(Op):
    """An op that the sparse backend computes itself, whatever tensors it is given; it
    is not among the ops that users call."""

    on_sparse = True

    def __init__(self, body: Any, **options: Any) -> None:
        super().__init__(body, promote=None, method=False, **options)
        self.slot = self.name

    def backend(self, values: dict[str, Any], inputs: list[Tensor]) -> Backend:
        """The sparse one, of an input or of the pattern's."""
        found = next((t._k for t in inputs if t._k.is_sparse), None)
        return found or sparse_backend(inputs[0]._k)


def sparse_backend(k: Backend) -> Backend:
    """The backend of sparse tensors whose values are tensors of `k`."""
    from ..errors import UnsupportedOpError
    from ..selection import get_backend

    if k.is_sparse:
        return k
    if k.sparse is None:
        raise UnsupportedOpError(
            f"backend {k.name!r} has no sparse tensors; move the tensor with "
            '.to(backend="numpy")'
        )
    return get_backend(k.sparse)


# --- Values and patterns --------------------------------------------------------------


@SparseOp
def stored(k: Kernels, x: Tensor, pattern: Pattern) -> Tensor:
    """The values of a sparse tensor."""
    raise NotImplementedError


@SparseOp
def make(k: Kernels, values: Tensor, pattern: Pattern) -> Tensor:
    """The sparse tensor that has values at the positions of a pattern."""
    raise NotImplementedError


@SparseOp
def product(k: Kernels, values: Tensor, b: Tensor, pattern: Pattern) -> Tensor:
    """The sparse matrix of `values` times the dense matrix `b`."""
    raise NotImplementedError


@SparseOp
def sampled(k: Kernels, a: Tensor, b: Tensor, pattern: Pattern) -> Tensor:
    """a @ b.T where the pattern has a position."""
    raise NotImplementedError


@SparseOp
def sparse_product(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The product of two sparse matrices."""
    raise NotImplementedError


stored.title, make.title = "Values", "SparseCooTensorWithDimsAndTensors"
STORED: Any = stored
BUILD: Any = make
PRODUCT: Any = product
SAMPLED: Any = sampled
SPARSE_PRODUCT: Any = sparse_product


def on_tensors(k: Any, function: Callable[..., Tensor], *given: Any) -> Any:
    """What a function of tensors makes of arrays; of tensors, as it is."""
    if isinstance(given[0], Tensor):
        return function(*given)
    with modes.no_grad():
        return function(wrap(k, given[0]), *given[1:])._a


def values_at(g: Tensor, pattern: Pattern) -> Tensor:
    """The values that a tensor, sparse or dense, has at the positions of a pattern."""
    if not g._k.is_sparse:
        return gathered(g, pattern)
    own = g._a.pattern
    values = STORED.apply(g, own)
    if own is pattern:
        return values
    one, inverse = pattern.coalesced()
    if inverse is not None and one is own:
        return taken(values, inverse)
    g = by_rows(g)
    own = g._a.pattern
    places, there = own.places(pattern)
    if not own.nnz:
        return zeros(g, (pattern.nnz, *pattern.dense_shape))
    found = taken(STORED.apply(g, own), places)
    shape = (-1,) + (1,) * len(pattern.dense_shape)
    return found * dense(g, there).to(g.dtype).reshape(shape)


def gradient(k: Any, g: Any, pattern: Pattern) -> Any:
    """The gradient of a sparse tensor, whose positions stand in it once: where they
    repeat, all values of one have the same."""
    one, first = pattern.coalesced()[0], pattern.firsts()
    if isinstance(g, Tensor):
        return BUILD.apply(taken(g, first), one)
    return k.make(g if first is None else g[first], one)


STORED.grad(x=gradient)
BUILD.grad(
    values=lambda k, g, pattern: (
        g.values
        if getattr(g, "pattern", None) is pattern
        else on_tensors(k, values_at, g, pattern)
    )
)
PRODUCT.grad(
    values=lambda k, g, b, pattern: either(k, SAMPLED, g, b, pattern),
    b=lambda k, g, values, pattern: either(
        k, PRODUCT, values, g, pattern.permuted((1, 0))
    ),
)
SAMPLED.grad(
    a=lambda k, g, b, pattern: either(k, PRODUCT, g, b, pattern),
    b=lambda k, g, a, pattern: either(k, PRODUCT, g, a, pattern.permuted((1, 0))),
)


def either(k: Any, op: Op, *given: Any) -> Any:
    """An op of this module on Tensors, its kernel on arrays."""
    if isinstance(given[0], Tensor):
        return op.apply(*given)
    return getattr(k, op.slot)(*given)


def tensor_of(g: Tensor, array: Any) -> Tensor:
    """A sparse array as a tensor beside `g`."""
    return array if isinstance(array, Tensor) else wrap(sparse_backend(g._k), array)


@SPARSE_PRODUCT.joint
def _sparse_product_rule(k: Any, g: Any, a: Any, b: Any, need: Any) -> Any:
    def gradients(g: Tensor) -> list[Tensor | None]:
        x, y = tensor_of(g, a), tensor_of(g, b)
        found: list[Tensor | None] = [None, None]
        if need[0]:
            wide = OPS["matmul"].function(g, y.t())
            found[0] = at_pattern(wide, x._a.pattern.coalesced()[0])
        if need[1]:
            wide = OPS["matmul"].function(x.t(), g)
            found[1] = at_pattern(wide, y._a.pattern.coalesced()[0])
        return found

    if isinstance(g, Tensor):
        return gradients(g)
    with modes.no_grad():
        found = gradients(wrap(k, g))
    return [None if each is None else each._a for each in found]


def rows_gradient(k: Any, g: Any, shape: Any, indices: Any, padding: int) -> Any:
    """The gradient of a matrix of which rows were taken, as a sparse tensor of these
    rows; `padding` names one that gets none."""
    graph = isinstance(g, Tensor)
    own = k.k if graph else k
    rows = (indices._a if graph else indices).reshape(-1)
    values = g.reshape((-1, *shape[1:]))
    if padding >= 0:
        kept = own.nonzero(rows != padding)[0]
        rows = rows[kept]
        values = taken(values, kept) if graph else values[kept]
    made: Any = sparse_backend(own)
    pattern = made.coo(rows.reshape(1, -1), tuple(shape), False)
    return BUILD.apply(values, pattern) if graph else made.make(values, pattern)


# --- Pieces of compositions -----------------------------------------------------------


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor."""
    return isinstance(x, Tensor) and x._k.is_sparse


def pattern_of(x: Tensor) -> Pattern:
    """The pattern of a sparse tensor."""
    return x._a.pattern


def values_of(x: Tensor) -> Tensor:
    """The values of a sparse tensor, in the order of its pattern."""
    return STORED.apply(x, x._a.pattern)


def built(values: Tensor, pattern: Pattern) -> Tensor:
    """The sparse tensor of values at the positions of a pattern."""
    return BUILD.apply(values, pattern)


def dense(x: Tensor, array: Array) -> Tensor:
    """An array, of indices say, as a dense tensor beside `x`."""
    k: Any = x._k
    return wrap(k.dense if k.is_sparse else k, array)


def zeros(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Zeros of the dtype of `x`, as a dense tensor."""
    k: Any = x._k
    k = k.dense if k.is_sparse else k
    return wrap(k, k.zeros(tuple(shape), dtype=k.native(x.dtype)))


def taken(values: Tensor, source: Array | None) -> Tensor:
    """Values in another order, or some of them."""
    if source is None:
        return values
    return OPS["index_select"].function(values, 0, dense(values, source))


def folded(values: Tensor, to: Array | None, count: int) -> Tensor:
    """The sums of the values that belong together."""
    if to is None:
        return values
    into = zeros(values, (count, *values.shape[1:]))
    return into.index_add(0, dense(values, to), values)


def gathered(x: Tensor, pattern: Pattern) -> Tensor:
    """The elements of a dense tensor at the positions of a pattern, to whose shape it
    may have to be broadcast."""
    sparse, inner = pattern.sparse_dim, pattern.dense_dim
    shape = (1,) * (len(pattern.shape) - x.ndim) + tuple(x.shape)
    flat = x.reshape((-1, *shape[sparse:]))
    found = taken(flat, pattern.linear_in(shape[:sparse]))
    if inner and tuple(found.shape[1:]) != pattern.dense_shape:
        found = found.expand(pattern.nnz, *pattern.dense_shape)
    return found


def coalesced(x: Tensor) -> Tensor:
    """`x` with the values of each position added up, in order."""
    pattern = x._a.pattern
    one, inverse = pattern.coalesced()
    if inverse is None:
        return x
    return built(folded(values_of(x), inverse, one.nnz), one)


def by_rows(x: Tensor) -> Tensor:
    """`x` in coordinates, coalesced."""
    pattern, order = x._a.pattern.as_coo()
    if pattern is not x._a.pattern:
        x = built(taken(values_of(x), order), pattern)
    return coalesced(x)


def at_pattern(x: Tensor, pattern: Pattern) -> Tensor:
    """The part of a tensor, sparse or dense, at the positions of a pattern."""
    return built(values_at(x, pattern), pattern)


def compressed(x: Tensor, layout: str) -> Tensor:
    """`x` by rows ("csr") or by columns ("csc")."""
    if x._a.layout == layout:
        return x
    x = coalesced(x)
    if len(x._a.pattern.sparse_shape) != 2:
        raise RuntimeError(
            f"to_sparse_{layout}: a matrix has 2 sparse dimensions, not "
            f"{x._a.pattern.sparse_dim}"
        )
    pattern, order = x._a.pattern.as_compressed(layout)
    return built(taken(values_of(x), order), pattern)


def like(x: Tensor, layout: str) -> Tensor:
    """`x` in a layout by its short name."""
    return by_rows(x) if layout == "coo" else compressed(x, layout)


def densified(x: Tensor) -> Tensor:
    """The dense tensor of the same elements."""
    pattern = x._a.pattern
    count = 1
    for size in pattern.sparse_shape:
        count *= size
    flat = folded(values_of(x), pattern.linear(), count)
    return flat.reshape(pattern.shape)


def moved_parts(x: Tensor, k: Any, where: Any, non_blocking: bool) -> Tensor:
    """A sparse tensor in the backend of other dense ones, or on another device."""
    from ..convert import moved

    if not x._k.is_sparse:
        from ..errors import BackendError

        raise BackendError(
            f".to(backend={k.name!r}) does not make a tensor sparse; .to_sparse() does"
        )
    target = k.dense if k is not None and k.is_sparse else k
    values = values_of(x)
    there = moved(values, target, where, non_blocking)
    if there is values:
        return x
    pattern, other = pattern_of(x), sparse_backend(there._k)

    def part(array: Array) -> Array:
        return moved(dense(x, array), there._k, there.device)._a

    made: Any = other
    if pattern.layout == "coo":
        at = part(pattern.indices)
        new = made.coo(at, pattern.shape, pattern.is_coalesced)
    else:
        starts, plain = part(pattern.compressed), part(pattern.plain)
        new = made.compressed(pattern.layout, starts, plain, pattern.shape)
    return built(there, new)


def same_shape(name: str, a: Tensor, b: Tensor) -> None:
    """Raise unless two tensors have one shape: these ops do not broadcast."""
    if a.shape != b.shape:
        raise RuntimeError(
            f"{name}: expected tensors of the same size, but got {list(a.shape)} and "
            f"{list(b.shape)}; sparse tensors are not broadcast"
        )


def is_number(x: Any) -> bool:
    """Whether an operand is one number, be it in a 0-d tensor."""
    return type(x) in SCALARS or (x.ndim == 0 and not is_sparse(x))


# --- The table of compositions --------------------------------------------------------


COMPOSED: dict[str, Callable[..., Any]] = {}  # op -> what it is made of


def compose(*names: str) -> Callable[[Any], Any]:
    """Give the function that ops of these names are made of."""

    def give(function: Any) -> Any:
        for name in names:
            COMPOSED[name] = function
        return function

    return give


def unsupported(x: Any, what: str) -> Exception:
    """The error of what is not composed."""
    k: Any = sparse_backend(x._k)
    return k.unsupported(what)
