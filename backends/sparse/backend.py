"""What sparse arrays have to say to be a backend.

The arrays of indices and values are those of a dense backend, its partner: results that
are dense belong to it. plugrad composes the ops from the partner's ops on the values,
so that they are differentiable to any order; only products stand here.
"""

from __future__ import annotations

from typing import Any

from plugrad import Backend, UnsupportedOpError, get_backend, hookimpl

from . import products
from .patterns import Pattern, SparseArray


class Refused:
    """The functions of the array library, none of which takes sparse arrays."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise refusal(name)

        return refuse


def refusal(name: str) -> UnsupportedOpError:
    """The error of what is not composed for sparse tensors."""
    return UnsupportedOpError(
        f"{name}: sparse tensors do not have it, and are made dense only on demand; "
        "call it on x.to_dense(), or on x.values()"
    )


class SparseBackend(Backend):
    """Sparse arrays on the arrays of another backend; `xp` is the module of these,
    numpy or one like it.

    >>> import numpy, plugrad
    >>> from plugrad.backends.sparse import SparseBackend
    >>> SparseBackend("sparse", plugrad.get_backend("numpy"), numpy)
    <plugrad backend 'sparse'>
    """

    array_type = SparseArray
    is_sparse = True
    namespace = Refused()
    views = False
    replaceable = ("product", "sampled", "sparse_product")

    def __init__(self, name: str, dense: Backend, xp: Any) -> None:
        self.name = name
        self.dense = dense  # of the indices, of the values and of dense results
        self.xp = xp
        self.partners = (dense.name,)
        self.device_types = dense.device_types
        super().__init__()

    product = staticmethod(products.product)
    sampled = staticmethod(products.sampled)
    sparse_product = staticmethod(products.sparse_product)

    def find_dtype(self, each: Any) -> Any:
        return self.dense.find_dtype(each)

    def find_kernel(self, name: str) -> Any:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise refusal(name.rstrip("_"))

        return refuse

    def unsupported(self, name: str) -> UnsupportedOpError:
        """The error of an op that is not composed for sparse tensors."""
        return refusal(name)

    # --- Patterns ---------------------------------------------------------------------

    def make(self, values: Any, pattern: Pattern) -> SparseArray:
        """The array with these values at these positions."""
        return SparseArray(pattern, values)

    def stored(self, array: SparseArray, pattern: Pattern) -> Any:
        """The values at the positions of the array's pattern."""
        return array.values

    def coo(self, indices: Any, shape: tuple[int, ...], coalesced: bool) -> Pattern:
        """Positions given by coordinates."""
        indices = indices.astype(self.xp.int64)
        return Pattern(self.xp, "coo", shape, indices, coalesced=coalesced)

    def compressed(
        self, layout: str, compressed: Any, plain: Any, shape: tuple[int, ...]
    ) -> Pattern:
        """Positions by rows ("csr") or columns ("csc")."""
        return Pattern(self.xp, layout, shape, None, compressed, plain)

    def nonzero(self, array: Any, sparse_dim: int) -> Pattern:
        """Where a dense array is not zero."""
        some = array != 0
        if sparse_dim < array.ndim:
            some = some.any(axis=tuple(range(sparse_dim, array.ndim)))
        indices = self.xp.stack(self.xp.nonzero(some))
        return Pattern(self.xp, "coo", array.shape, indices, coalesced=True)

    # the engine's, and rules', on arrays of either kind

    def isdtype(self, dtype: Any, kind: Any) -> bool:
        """Whether a dtype is of one of the standard's kinds."""
        return self.dense.isdtype(dtype, kind)

    def conj(self, array: Any) -> Any:
        """The complex conjugate."""
        if isinstance(array, SparseArray):
            return SparseArray(array.pattern, array.values.conj())
        return array.conj()

    # --- Arrays in and out ------------------------------------------------------------

    def home(self, value: Any) -> tuple[Backend, Any]:
        return self.dense.home(value)

    def wrap(self, value: Any) -> Any:
        return value

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        if isinstance(data, SparseArray):
            values = data.values.astype(dtype, copy=bool(copy))
            return SparseArray(data.pattern, values)
        return self.dense.from_data(data, dtype, copy)

    def from_array(self, value: Any) -> Any:
        return value

    def to_numpy(self, array: Any) -> Any:
        raise TypeError(
            f"can't convert Sparse{KINDS[array.layout]} layout tensor to numpy. Use "
            "Tensor.to_dense() first."
        )

    def to_list(self, array: Any) -> Any:
        raise RuntimeError(
            "tolist: a sparse tensor has no list of all its elements; use "
            "Tensor.to_dense() first, or .values()"
        )

    def item(self, array: Any) -> Any:
        return array.values.sum().item()

    def device_of(self, array: Any) -> tuple[str, int | None]:
        return self.dense.device_of(array.values)

    # --- Memory -----------------------------------------------------------------------

    def copy(self, array: Any) -> Any:
        return SparseArray(array.pattern, self.dense.copy(array.values))

    def owns(self, array: Any) -> bool:
        return self.dense.owns(array.values)

    def write(self, array: Any, values: Any) -> Any:
        """The values move in; positions are written like them. A Pattern is never
        changed, so who else has the old one keeps it."""
        array.pattern = values.pattern
        array.values = values.values
        return array

    def strides(self, array: Any) -> tuple[int, ...]:
        if array.layout == "coo":
            return (0,) * array.ndim
        raise RuntimeError(f"Sparse{KINDS[array.layout]} tensors do not have strides")

    def is_dense(self, array: Any) -> bool:
        raise RuntimeError(
            f"Sparse{KINDS[array.layout]} tensors do not have is_contiguous"
        )

    def address(self, array: Any) -> int:
        raise RuntimeError(
            "Cannot access data pointer of Tensor that doesn't have storage: a sparse "
            "tensor is its .indices() and .values()"
        )

    def extent(self, array: Any) -> tuple[int, int]:
        return self.address(array), 0

    def fingerprint(self, array: Any) -> Any:
        return id(array.pattern), self.dense.fingerprint(array.values)


KINDS = {"coo": "", "csr": "Csr", "csc": "Csc"}


@hookimpl
def plugrad_backend(name: str) -> SparseBackend | None:
    """The backend, for plugrad's plugin manager."""
    if name != "sparse":
        return None
    import numpy

    return SparseBackend(name, get_backend("numpy"), numpy)
