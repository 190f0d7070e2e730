"""What an op does that is given sparse tensors, and the elementwise ones.

- `composed` calls the function that the table has for the op. It gets the op and the
  arguments by name, and calls ops on the values (`plugrad.sparse.ops`).
- An op that is not there raises UnsupportedOpError. Nothing becomes dense unless asked
  to: a function that makes something else of zeros is not composed.
- Layouts of results are PyTorch's.
"""

from __future__ import annotations

from .. import dtypes
from ..interface import OPS
from ..params import SCALARS
from ..storage import written
from ..tensor import Tensor, graph_is_wanted
from . import shapes  # noqa: F401  (enters its ops in the table)
from .ops import (
    COMPOSED,
    built,
    by_rows,
    coalesced,
    compose,
    dense,
    gathered,
    is_number,
    is_sparse,
    like,
    pattern_of,
    same_shape,
    taken,
    unsupported,
    values_of,
    zeros,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def composed(op: Any, k: Any, values: dict[str, Any]) -> Any:
    """The result of an op that was given sparse tensors."""
    function = COMPOSED.get(op.name)
    first = next(iter(values.values()))
    if function is None or not (op.name in EITHER or is_sparse(first)):
        raise k.unsupported(op.name)
    return function(op, **values)


# ops whose first tensor may be the dense one
EITHER = """add sub mul div div_floor div_trunc floor_divide pow matmul cat stack
    copy""".split()


# ops whose first tensor may be the dense one
EITHER = """add sub mul div div_floor div_trunc floor_divide pow matmul cat stack
    copy""".split()


# functions with f(0) = 0, linear or not
KEEPING_ZERO = """
    abs arcsin asin asinh atan atanh ceil deg2rad erf erfinv expm1 floor frac isinf
    isnan isneginf isposinf log1p nan_to_num neg positive rad2deg real imag relu round
    sgn sign signbit sin sinh sqrt square tan tanh trunc angle leaky_relu hardtanh gelu
    silu
""".split()
LINEAR = ("neg", "positive", "real", "imag", "conj_physical")


@compose(*(name for name in KEEPING_ZERO if name not in LINEAR))
def keeping_zero(op: Any, x: Tensor, **rest: Any) -> Tensor:
    x = coalesced(x)
    return built(op.function(values_of(x), **rest), pattern_of(x))


@compose(*LINEAR, "conj", "clone")
def linear(op: Any, x: Tensor, **rest: Any) -> Tensor:
    rest.pop("memory_format", None)
    return built(op.function(values_of(x), **rest), pattern_of(x))


@compose("to_dtype")
def to_dtype(op: Any, x: Tensor, dtype: Any) -> Tensor:
    if dtype is dtypes.bool_:
        x = coalesced(x)
    return built(op.function(values_of(x), dtype), pattern_of(x))


@compose("pow")
def power(op: Any, a: Any, exponent: Any) -> Tensor:
    if not is_sparse(a) or not is_number(exponent):
        raise RuntimeError("pow: a sparse tensor is raised to the power of a number")
    if exponent == 0:
        raise RuntimeError(
            "pow: cannot raise to zeroth power on sparse tensor; it would make the "
            "result tensor dense"
        )
    a = coalesced(a)
    return built(op.function(values_of(a), exponent), pattern_of(a))


@compose("mul")
def multiply(op: Any, a: Any, b: Any) -> Tensor:
    if not is_sparse(a):
        a, b = b, a
    if is_number(b):
        return built(op.function(values_of(a), b), pattern_of(a))
    if not is_sparse(b):
        if b.ndim > a.ndim or any(
            n not in (1, m) for n, m in zip(b.shape[::-1], a.shape[::-1])
        ):
            raise RuntimeError(
                f"mul: a dense tensor of shape {list(b.shape)} does not broadcast to a "
                f"sparse one of shape {list(a.shape)}"
            )
        pattern = pattern_of(a)
        return built(op.function(values_of(a), gathered(b, pattern)), pattern)
    same_shape("mul", a, b)
    layout = a._a.layout
    if pattern_of(a) is not pattern_of(b) or not pattern_of(a).is_coalesced:
        a, b = by_rows(a), by_rows(b)
    p, q = pattern_of(a), pattern_of(b)
    if p is q:
        return built(op.function(values_of(a), values_of(b)), p)
    if p.sparse_dim != q.sparse_dim:
        raise RuntimeError(
            f"mul: expected as many sparse dimensions, but got {p.sparse_dim} and "
            f"{q.sparse_dim}"
        )
    both, mine, theirs = p.shared(q)
    found = op.function(taken(values_of(a), mine), taken(values_of(b), theirs))
    return like(built(found, both), layout)


@compose("div", "div_floor", "div_trunc", "floor_divide")
def divide(op: Any, a: Any, b: Any, **rest: Any) -> Tensor:
    if not is_sparse(a) or not is_number(b):
        raise RuntimeError(
            f"{op.name}: Sparse division requires a scalar or zero-dim dense tensor "
            "divisor"
        )
    if op.name != "div" or rest.get("rounding_mode"):
        a = coalesced(a)
    return built(op.function(values_of(a), b, **rest), pattern_of(a))


@compose("add", "sub")
def add(op: Any, a: Any, b: Any, alpha: Any = 1) -> Tensor:
    for x in (a, b):
        if type(x) in SCALARS or is_number(x):
            raise RuntimeError(
                f"{op.name}: a number and a sparse tensor make a dense one; say so: "
                "x.to_dense() + number"
            )
    same_shape(op.name, a, b)
    if not is_sparse(a) or not is_sparse(b):
        return add_dense(op, a, b, alpha)
    p, q = pattern_of(a), pattern_of(b)
    if p is q:
        return built(op.function(values_of(a), values_of(b), alpha=alpha), p)
    if p.sparse_dim != q.sparse_dim:
        raise RuntimeError(
            f"{op.name}: expected as many sparse dimensions, but got {p.sparse_dim} "
            f"and {q.sparse_dim}"
        )
    signed = b if alpha == 1 else multiply(OPS["mul"], b, alpha)
    right = values_of(signed)
    left, right = promoted(values_of(a), -right if op.name == "sub" else right)
    found = built(OPS["cat"].function([left, right], 0), p.merged(q))
    if p.is_coalesced and q.is_coalesced:
        found = coalesced(found)
    return like(found, p.layout) if p.layout == q.layout != "coo" else found


def promoted(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two tensors in the dtype of both."""
    dtype = dtypes.promote_types(a.dtype, b.dtype)
    return a.to(dtype), b.to(dtype)


def add_dense(op: Any, a: Tensor, b: Tensor, alpha: Any) -> Tensor:
    """The sum of a dense and a sparse tensor, which is dense."""
    if is_sparse(a):
        a, b = (-b if op.name == "sub" else b), a
        if alpha != 1:
            a = a * alpha
        factor = 1
    else:
        factor = -alpha if op.name == "sub" else alpha
    pattern = pattern_of(b)
    left, right = promoted(a, values_of(b))
    flat = left.reshape((-1, *pattern.dense_shape))
    right = right if factor == 1 else right * factor
    flat = flat.index_add(0, dense(b, pattern.linear()), right)
    return flat.reshape(pattern.shape)


# --- In place -------------------------------------------------------------------------


def add_into(name: str, x: Tensor, other: Tensor, alpha: Any = 1) -> bool:
    """Add a sparse tensor to a dense one in place, and touch no more than where it has
    values; False where that is not what a call means."""
    if x._k.is_sparse or not x._k.writable or graph_is_wanted(x, other):
        return False
    if x.shape != other.shape or not x._k.is_dense(x._a) or type(alpha) not in SCALARS:
        return False
    if not dtypes.can_cast(dtypes.promote_types(x.dtype, other.dtype), x.dtype):
        return False
    other._a.add_into(x._a, -alpha if name == "sub" else alpha)
    written(x)
    return True


@compose("copy")
def copy(op: Any, x: Tensor, src: Tensor, **rest: Any) -> Tensor:
    """What writes of a sparse tensor into another leave there."""
    if not is_sparse(src) or not is_sparse(x):
        raise RuntimeError(
            "copy: a copy between dense and sparse tensors has to be asked for, by "
            ".to_dense() or .to_sparse()"
        )
    same_shape("copy", x, src)
    return like(src, x._a.layout) if x._a.layout != src._a.layout else src.to(x.dtype)


@compose("fill")
def fill(op: Any, x: Tensor, value: Any) -> Tensor:
    if not is_number(value) or value != 0:
        raise unsupported(x, "fill_ with anything but 0")
    k: Any = x._k
    pattern = pattern_of(x)
    nowhere = pattern.coordinates()[:, :0]
    none = like_layout(k.coo(nowhere, pattern.shape, True), pattern.layout)
    return built(zeros(x, (0, *pattern.dense_shape)), none)


def zeros_like(x: Tensor, name: str, dtype: Any) -> Tensor:
    """What `zeros_like` and `empty_like` give beside a sparse tensor: no values."""
    if name == "ones_like":
        raise unsupported(x, name)
    found = fill(OPS["fill"], x, 0)
    return found if dtype is None else found.to(dtype)


def like_layout(pattern: Any, layout: str) -> Any:
    """A pattern without positions in a layout."""
    return pattern if layout == "coo" else pattern.as_compressed(layout)[0]
