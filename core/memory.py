"""The memory under tensors, as the objects that PyTorch calls storages.

They answer where the memory is, how large, and whether two tensors lie in the same;
a typed one also reads its elements. Tensors do not need them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .devices import device as Device
    from .dtypes import dtype as Dtype
    from .tensor import Tensor


class UntypedStorage:
    """The memory that a tensor lies in, in bytes."""

    __slots__ = ("_tensor", "_start", "_nbytes")

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor  # keeps the memory alive
        self._start, self._nbytes = tensor._k.extent(tensor._a)

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._start if self._nbytes else 0

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._nbytes

    def size(self) -> int:
        """The number of bytes."""
        return self._nbytes

    def element_size(self) -> int:
        """1, the size of a byte."""
        return 1

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._tensor.device

    @property
    def _cdata(self) -> int:
        """A number that differs between memories that exist at the same time."""
        return self._start

    def __len__(self) -> int:
        return self._nbytes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UntypedStorage):
            return NotImplemented
        mine, its = self._tensor, other._tensor
        return mine._k is its._k and self._start == other._start

    def __hash__(self) -> int:
        return hash(self._start)

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"<plugrad.{kind} of size {self.size()} on {self.device}>"


class TypedStorage(UntypedStorage):
    """The memory that a tensor lies in, as elements of the tensor's dtype."""

    __slots__ = ()

    @property
    def dtype(self) -> Dtype:
        """The type of the elements."""
        return self._tensor.dtype

    def untyped(self) -> UntypedStorage:
        """The same memory, in bytes."""
        return UntypedStorage(self._tensor)

    def size(self) -> int:
        """The number of elements."""
        return self._nbytes // self._tensor.itemsize

    def element_size(self) -> int:
        """Bytes per element."""
        return self._tensor.itemsize

    def tolist(self) -> list[Any]:
        """All elements as Python numbers, in the order of memory."""
        return self._tensor._k.to_list(self._tensor._k.whole(self._tensor._a))

    def __len__(self) -> int:
        return self.size()

    def __getitem__(self, index: Any) -> Any:
        return self.tolist()[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())
