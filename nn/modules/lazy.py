"""Modules that learn the shapes of their parameters from their first input."""

from __future__ import annotations

from itertools import chain
from typing import Any

import plugrad

from ..parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Makes a module lazy: its first call initializes it, and then it becomes a
    `cls_to_become`.

    The class before it in the bases is that of the module; a subclass says in
    `initialize_parameters` what shapes an input asks for. A lazy module takes the state
    of one that is initialized, and so does the other way round its copy.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> layer(plugrad.ones(4, 3)).shape
    plugrad.Size([4, 2])
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    cls_to_become: Any = None
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _non_persistent_buffers_set: set[str]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hook = self._lazy_load_hook
        self._load_hook = self._register_load_state_dict_pre_hook(hook)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters the shapes that these arguments of `forward` ask for."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether any parameter or buffer has no shape yet."""
        tensors = chain(self._parameters.values(), self._buffers.values())
        return any(is_lazy(each) for each in tensors)

    def _infer_parameters(
        self, module: Any, args: Any, kwargs: dict[str, Any] | None = None
    ) -> None:
        """Before the first call: initialize, and become the ordinary class."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(
                f"module {type(self).__name__} has not been fully initialized"
            )
        for name in ("_initialize_hook", "_load_hook"):
            getattr(module, name).remove()
            delattr(module, name)
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    # --- State ------------------------------------------------------------------------

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        passing = self._non_persistent_buffers_set
        kept = [each for each in self._buffers.items() if each[0] not in passing]
        for name, value in chain(self._parameters.items(), kept):
            if value is not None:
                whole = keep_vars or is_lazy(value)
                destination[prefix + name] = value if whole else value.detach()

    def _lazy_load_hook(
        self, state_dict: dict[str, Any], prefix: str, *args: Any
    ) -> None:
        """Before loading: give what has no shape yet that of what is loaded."""
        for name, value in chain(self._parameters.items(), self._buffers.items()):
            loaded = state_dict.get(prefix + name)
            if is_lazy(value) and loaded is not None and not is_lazy(loaded):
                with plugrad.no_grad():
                    value.materialize(loaded.shape)

    def _load_from_state_dict(
        self: Any, state_dict: dict[str, Any], prefix: str, *args: Any
    ) -> None:
        """Load, but for what has no shape on either side."""
        without = []
        for home in (self._parameters, self._buffers):
            for name, value in home.items():
                if is_lazy(value) and is_lazy(state_dict.get(prefix + name)):
                    without.append((home, name, value))
        for home, name, _ in without:
            home[name] = None
            state_dict = {k: v for k, v in state_dict.items() if k != prefix + name}
        try:
            super()._load_from_state_dict(state_dict, prefix, *args)
        finally:
            for home, name, value in without:
                home[name] = value

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. "
            "Run a dummy forward pass to correctly initialize the modules"
        )
