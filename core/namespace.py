"""The names that rules call, as functions of Tensors.

Under `create_graph=True` a rule runs on Tensors: its `k` is then this namespace, which
has the array API's names and keywords and is differentiable in every one. Most names
are ops' own; those that are called or spelled differently stand here.
"""

from __future__ import annotations

from .interface import OPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .interface import Backend
    from .tensor import Tensor

# array API name -> the op of another name that does the same
SAME = {
    "multiply": "mul",
    "divide": "div",
    "subtract": "sub",
    "negative": "neg",
    "remainder": "remainder",
    "equal": "eq",
    "not_equal": "ne",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "permute_dims": "permute",
    "matrix_transpose": "mT",
    "concat": "cat",
    "expand_dims": "unsqueeze",
    "pow": "pow",
    "sign": "sgn",
    "broadcast_to": "expand",
    "bitwise_invert": "bitwise_not",
}

# reductions: array API's axis and keepdims are PyTorch's dim and keepdim
REDUCTIONS = ("sum", "mean", "prod", "any", "all", "std", "var", "argmax", "argmin")


class TensorNamespace:
    """`k` for rules on Tensors of one backend."""

    def __init__(self, k: Backend) -> None:
        self.k = k

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        from . import dtypes

        if name in dtypes.BY_NAME:
            return dtypes.BY_NAME[name]
        op = OPS.get(SAME.get(name, name))
        if op is None:
            raise AttributeError(f"rules on Tensors have no function {name!r}")
        if name in REDUCTIONS:

            def reduce(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
                return op.function(x, axis, keepdims)

            found: Any = reduce
        else:
            found = op.function
        setattr(self, name, found)
        return found

    def native(self, dtype: Any) -> Any:
        """The dtype as this namespace's functions take it: our own."""
        return dtype

    def isdtype(self, dtype: Any, kind: Any) -> bool:
        """Whether a dtype is of one of the standard's kinds."""
        if isinstance(kind, tuple):
            return any(self.isdtype(dtype, each) for each in kind)
        return dtype.kind in KINDS[kind] if isinstance(kind, str) else dtype is kind

    def astype(self, x: Tensor, dtype: Any) -> Tensor:
        """Cast."""
        return OPS["to_dtype"].function(x, dtype)

    def conj(self, x: Tensor) -> Tensor:
        """The complex conjugate."""
        return OPS["conj_physical"].function(x)

    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        """Insert a dimension."""
        return OPS["unsqueeze"].function(x, axis)

    def squeeze(self, x: Tensor, axis: int | tuple[int, ...]) -> Tensor:
        """Remove dimensions of size 1."""
        return OPS["squeeze"].function(x, axis)

    def concat(self, arrays: Sequence[Tensor], axis: int = 0) -> Tensor:
        """Join along a dimension."""
        return OPS["cat"].function(arrays, axis)

    def stack(self, arrays: Sequence[Tensor], axis: int = 0) -> Tensor:
        """Join along a new dimension."""
        return OPS["stack"].function(arrays, axis)

    def max(self, x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The largest elements."""
        return OPS["amax"].function(x, () if axis is None else axis, keepdims)

    def min(self, x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The smallest elements."""
        return OPS["amin"].function(x, () if axis is None else axis, keepdims)

    def cumulative_sum(self, x: Tensor, axis: int) -> Tensor:
        """Running sums."""
        return OPS["cumsum"].function(x, axis)

    def take(self, x: Tensor, indices: Tensor, axis: int) -> Tensor:
        """Pick along one dimension."""
        return OPS["index_select"].function(x, axis, indices)

    def take_along_axis(self, x: Tensor, indices: Tensor, axis: int) -> Tensor:
        """Pick along one dimension, each position its own."""
        return OPS["gather"].function(x, axis, indices)

    def tril(self, x: Tensor, k: int = 0) -> Tensor:
        """Lower triangles."""
        return OPS["tril"].function(x, k)

    def triu(self, x: Tensor, k: int = 0) -> Tensor:
        """Upper triangles."""
        return OPS["triu"].function(x, k)

    def flip(self, x: Tensor, axis: Any) -> Tensor:
        """Reverse dimensions."""
        return OPS["flip"].function(x, (axis,) if isinstance(axis, int) else axis)

    def roll(self, x: Tensor, shift: Any, axis: Any = None) -> Tensor:
        """Rotate along dimensions."""
        return OPS["roll"].function(x, shift, axis)

    def asarray(self, data: Any, dtype: Any = None) -> Tensor:
        """A tensor from data."""
        from .tensor import wrap

        native = None if dtype is None else self.k.native(dtype)
        return wrap(self.k, self.k.from_data(data, native))

    def zeros(self, shape: Any, dtype: Any) -> Tensor:
        """Zeros of a shape."""
        return self._made("zeros", shape, dtype)

    def ones(self, shape: Any, dtype: Any) -> Tensor:
        """Ones of a shape."""
        return self._made("ones", shape, dtype)

    def zeros_like(self, x: Tensor) -> Tensor:
        """Zeros of the shape of another tensor."""
        return self._made("zeros", x.shape, x.dtype)

    def ones_like(self, x: Tensor) -> Tensor:
        """Ones of the shape of another tensor."""
        return self._made("ones", x.shape, x.dtype)

    def arange(self, *range_: int, dtype: Any) -> Tensor:
        """Evenly spaced numbers."""
        from .tensor import wrap

        return wrap(self.k, self.k.arange(*range_, dtype=self.k.native(dtype)))

    def _made(self, name: str, shape: Any, dtype: Any) -> Tensor:
        from .tensor import wrap

        return wrap(self.k, getattr(self.k, name)(shape, dtype=self.k.native(dtype)))


KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}
