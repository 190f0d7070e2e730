"""The class of modules: attributes, calls, and the printed form.

A call without hooks is `forward` and nothing else; with hooks it goes through
`plugrad.module.hooks`.
"""

from __future__ import annotations

from .hooks import ANY, Hooked
from .moving import Moving
from .registration import Registration
from .state import State
from .walk import Walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class Module(Registration, Walk, Moving, Hooked, State):
    """The base class of layers and networks.

    Parameters, buffers and other modules that are assigned as attributes become part of
    the module; `forward` says what it computes.

    >>> import plugrad
    >>> class Scale(plugrad.Module):
    ...     def __init__(self, n):
    ...         super().__init__()
    ...         self.weight = plugrad.Parameter(plugrad.ones(n))
    ...     def forward(self, x):
    ...         return x * self.weight
    >>> layer = Scale(2)
    >>> layer(plugrad.tensor([1.0, 2.0]))
    tensor([1., 2.], grad_fn=<MulBackward0>)
    >>> [name for name, _ in layer.named_parameters()]
    ['weight']
    """

    _version: int = 1
    training: bool
    call_super_init: bool = False
    dump_patches: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes no arguments in Module, but "
                f"got {len(args)} and {', '.join(kwargs) or 'none'} by keyword"
            )
        own = self.__dict__
        own["training"] = True
        own["_parameters"] = {}
        own["_buffers"] = {}
        own["_non_persistent_buffers_set"] = set()
        own["_modules"] = {}
        self._start_hooks()

    def forward(self, *input: Any) -> Any:
        """Compute the module's output; each subclass says how."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or ANY
        ):
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # torch's name of what a call does, for those who replace or call it
    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        return Module.__call__(self, *args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile `forward`, on backends that can."""
        from .. import compile

        self.forward = compile(self.forward, *args, **kwargs)

    def _replicate_for_data_parallel(self) -> Self:
        """A copy with dictionaries of its own, to be given the parameters' copies on
        another device as plain attributes."""
        replica = self.__new__(type(self))
        own = replica.__dict__
        own.update(self.__dict__)
        own["_parameters"] = {
            name: p for name, p in self._parameters.items() if p is None
        }
        own["_buffers"] = self._buffers.copy()
        own["_modules"] = self._modules.copy()
        own["_is_replica"] = True
        return replica

    # --- Pickles ----------------------------------------------------------------------

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start_hooks()

    # --- The printed form -------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the parentheses of the printed form."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [
            f"({name}): {indented(repr(child))}"
            for name, child in self._modules.items()
        ]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({''.join(lines)})"
        body = "\n  ".join([*lines, *children])
        return f"{self._get_name()}(\n  {body}\n)"


def indented(text: str) -> str:
    """All lines but the first moved two columns to the right."""
    return text.replace("\n", "\n  ")
