"""`Variable`, the name that tensors with gradients had before PyTorch 0.4.

Old code calls it and tests with `isinstance`; both work, on plain tensors.
"""

from __future__ import annotations

from ..tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _TensorsAreInstances(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_TensorsAreInstances):
    """A tensor on the memory of `data`, and perhaps one that requires a gradient.

    >>> import plugrad
    >>> plugrad.autograd.Variable(plugrad.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(
        cls,
        data: Tensor | None = None,
        requires_grad: bool = False,
        volatile: bool | None = None,
    ) -> Any:
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(data).__name__}"
            )
        if volatile is not None:
            import warnings

            warnings.warn(
                "volatile was removed; compute under `with plugrad.no_grad():` instead",
                stacklevel=2,
            )
        return data.detach().requires_grad_(requires_grad)
