"""Move a tree of modules: to devices, backends and dtypes.

Parameters stay the objects that they are, so that optimizers still know them; only
their data is replaced. Buffers are replaced by new tensors.
"""

from __future__ import annotations

from .. import dtypes
from ..convert import read_to, read_type
from ..modes import no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from ..tensor import Tensor
    from .base import Module


class Moving:
    """The part of Module that replaces all its tensors."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        if recurse:
            for child in self._modules.values():
                if child is not None:
                    child._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with no_grad():
                grad = parameter.grad
                parameter.grad = None
                parameter.data = fn(parameter)
                if grad is not None:
                    moved = fn(grad.detach()).requires_grad_(grad.requires_grad)
                    parameter.grad = moved
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move parameters and buffers as `Tensor.to` does: `to(device)`, `to(dtype)`,
        `to(device, dtype)`, `to(tensor)`, `to(backend="name")`. A dtype is that of the
        floating-point ones; integers keep theirs."""
        found = read_to(None, *args, **kwargs)
        dtype, device, k, copy, memory_format, non_blocking = found
        if dtype is not None and dtype.kind not in "fc":
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got "
                f"desired dtype={dtype}"
            )
        moves = {"device": device, "backend": k and k.name}
        moves |= {"copy": copy or None, "non_blocking": non_blocking or None}
        asked = {name: value for name, value in moves.items() if value is not None}

        def convert(t: Tensor) -> Tensor:
            to = dict(asked)
            if dtype is not None and t.dtype.kind in "fc":
                to["dtype"] = dtype
            if t.ndim in (4, 5):
                to["memory_format"] = memory_format
            return t.to(**to)

        return self._apply(convert)

    def cpu(self) -> Self:
        """Move to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Move to a GPU."""
        return self._apply(lambda t: t.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move to a device without the values."""
        from ..creation import empty_like

        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def share_memory(self) -> Self:
        """Put all tensors where other processes can reach them."""
        return self._apply(lambda t: t.share_memory_())

    def type(self, dst_type: Any) -> Self:
        """Cast all parameters and buffers, integers too."""
        return self._apply(lambda t: t.to(*read_type(dst_type)))

    def _cast(self, dtype: Any) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.dtype.kind == "f" else t)

    def float(self) -> Self:
        """Cast the floating-point tensors to float32."""
        return self._cast(dtypes.float32)

    def double(self) -> Self:
        """Cast the floating-point tensors to float64."""
        return self._cast(dtypes.float64)

    def half(self) -> Self:
        """Cast the floating-point tensors to float16."""
        return self._cast(dtypes.float16)

    def bfloat16(self) -> Self:
        """Cast the floating-point tensors to bfloat16."""
        return self._cast(dtypes.bfloat16)
