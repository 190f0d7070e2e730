"""`torch.UntypedStorage`: the bytes of a file, mapped into memory.

Libraries that read tensors from files make them of such a storage, without a copy.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

import plugrad


class UntypedStorage:
    """Bytes in memory."""

    def __init__(self, bytes_: plugrad.Tensor) -> None:
        self.bytes = bytes_

    @classmethod
    def from_file(
        cls, filename: str, shared: bool = False, nbytes: int = 0
    ) -> UntypedStorage:
        """The bytes of a file; if not `shared`, the file stays as it is when they are
        written to."""
        access = mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY
        with open(filename, "r+b" if shared else "rb") as file:
            length = nbytes or os.fstat(file.fileno()).st_size
            memory = mmap.mmap(file.fileno(), length, access=access)
        return cls(plugrad.frombuffer(memory, dtype=plugrad.uint8))

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self.bytes.data_ptr()

    def nbytes(self) -> int:
        """The number of bytes."""
        return self.bytes.numel()

    size = __len__ = nbytes

    def __getitem__(self, index: Any) -> Any:
        """Some of the bytes as a tensor, or one as a number."""
        found = self.bytes[index]
        return found if isinstance(index, slice) else found.item()
