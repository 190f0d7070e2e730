"""How a tensor's elements lie in memory, by PyTorch's names.

Functions that make tensors make strided ones: `layout=` is taken wherever PyTorch
takes it, and any layout but `strided` is refused. Sparse tensors are made by the
functions of `plugrad.creation.sparse`. A `memory_format` says in which order a new
tensor's dimensions lie.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "layout",
    "memory_format",
    "preserve_format",
    "sparse_coo",
    "sparse_csc",
    "sparse_csr",
    "strided",
]


class _Named:
    """One of a few objects that are known by their names."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"plugrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # pickle and deepcopy give the one object back


class layout(_Named):
    """Whether a tensor is strided or sparse.

    >>> import plugrad
    >>> plugrad.strided
    plugrad.strided
    """

    __slots__ = ()


class memory_format(_Named):
    """The order in which a tensor's dimensions lie in memory.

    >>> import plugrad
    >>> plugrad.contiguous_format
    plugrad.contiguous_format
    """

    __slots__ = ()


strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
SHORT = {"sparse_coo": "coo", "sparse_csr": "csr", "sparse_csc": "csc"}
LAYOUTS = {"coo": sparse_coo, "csr": sparse_csr, "csc": sparse_csc}  # of sparse arrays
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


def check_options(name: str, layout_: Any, pin_memory: bool) -> None:
    """Refuse what a tensor made by the function `name` cannot be."""
    if layout_ is not None and layout_ is not strided:
        if not isinstance(layout_, layout):
            raise TypeError(
                f"{name}(): argument 'layout' must be plugrad.layout, not "
                f"{type(layout_).__name__}"
            )
        raise NotImplementedError(
            f"{name}(): only layout=plugrad.strided is made here, not {layout_}; "
            "sparse tensors are made by sparse_coo_tensor and the like, or to_sparse"
        )
    if pin_memory:
        raise RuntimeError(
            f"{name}(): pin_memory=True needs an accelerator; leave it out on the CPU"
        )


def dense_order(format_: Any, ndim: int) -> tuple[int, ...] | None:
    """The dimensions from outermost to innermost, or None if that is their order."""
    if format_ is None or format_ is contiguous_format or format_ is preserve_format:
        return None
    if not isinstance(format_, memory_format):
        raise TypeError(
            "argument 'memory_format' must be plugrad.memory_format, not "
            f"{type(format_).__name__}"
        )
    wanted = 4 if format_ is channels_last else 5
    if ndim != wanted:
        raise RuntimeError(
            f"required rank {wanted} tensor to use {format_.name} format, got {ndim}"
        )
    return (0, *range(2, ndim), 1)
