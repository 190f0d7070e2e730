"""Register parameters, buffers and modules under their names.

- What is assigned decides: a Parameter, a Module or a Buffer goes into the dictionary
  of its kind, everything else is an ordinary attribute.
- A name stands for one thing: assigning another kind takes the old one away.
- Once a name is that of a parameter, buffer or module, only its kind or None fits.
"""

from __future__ import annotations

from ..graph import Handle
from ..parameter import Buffer, Parameter
from ..tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .base import Module

GLOBAL: dict[str, dict[int, Any]] = {"parameter": {}, "buffer": {}, "module": {}}
_next = [0]


class Registration:
    """The part of Module that knows what belongs to it."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make a Parameter this module's own, under a name."""
        check_name(self, "parameter", "_parameters", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type_name(param)}' object to parameter '{name}': a "
                "plugrad.nn.Parameter or None is required"
            )
        if param is not None and not param.is_leaf:
            raise ValueError(
                f"cannot assign a non-leaf Tensor to parameter '{name}': a parameter "
                "must be made by the user, not computed; to compute a value from "
                "others, do so in forward()"
            )
        self._parameters[name] = noticed(self, "parameter", name, param)

    def register_buffer(
        self, name: str, tensor: Tensor | None, persistent: bool = True
    ) -> None:
        """Make a tensor part of this module's state that is no parameter; where it is
        not `persistent`, `state_dict` leaves it out."""
        check_name(self, "buffer", "_buffers", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type_name(tensor)}' object to buffer '{name}': a "
                "Tensor or None is required"
            )
        self._buffers[name] = noticed(self, "buffer", name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make another module a child of this one, under a name."""
        from .base import Module

        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type_name(module)} is not a Module subclass")
        check_name(self, "module", "_modules", name)
        self._modules[name] = noticed(self, "module", name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of `add_module`."""
        self.add_module(name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        from .base import Module

        own = self.__dict__
        parameters = own.get("_parameters")
        if parameters is None:
            for kind, base in (("parameters", Parameter), ("modules", Module)):
                if isinstance(value, base):
                    raise AttributeError(
                        f"cannot assign {kind} before Module.__init__() call"
                    )
            object.__setattr__(self, name, value)
        elif isinstance(value, Parameter):
            release(self, name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif name in parameters:
            if value is not None:
                raise mismatch(value, "parameter", name, "plugrad.nn.Parameter")
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            release(self, name, "_parameters", "_buffers")
            own["_modules"][name] = noticed(self, "module", name, value)
        elif name in own["_modules"]:
            if value is not None:
                raise mismatch(value, "child module", name, "plugrad.nn.Module")
            own["_modules"][name] = noticed(self, "module", name, None)
        elif isinstance(value, Buffer) or name in own["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise mismatch(value, "buffer", name, "plugrad.Tensor")
            persistent = name not in self._non_persistent_buffers_set
            if isinstance(value, Buffer):
                release(self, name, "_parameters", "_modules")
                persistent = value.persistent
            self.register_buffer(name, value, persistent)
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            found = own.get(kind)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}'"
        )

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        names.update(self._parameters, self._buffers, self._modules)
        return sorted(name for name in names if not name[:1].isdigit())


def check_name(module: Any, kind: str, where: str, name: Any) -> None:
    """Raise unless something of a kind can go by this name."""
    registered = module.__dict__.get(where)
    if registered is None:
        raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {type_name(name)}")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
    if not name:
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if name not in registered and hasattr(module, name):
        raise KeyError(f"attribute '{name}' already exists")


def release(module: Any, name: str, *others: str) -> None:
    """Take a name away from whatever else it stood for."""
    own = module.__dict__
    own.pop(name, None)
    for other in others:
        own[other].pop(name, None)
    own["_non_persistent_buffers_set"].discard(name)


def mismatch(value: Any, kind: str, name: str, expected: str) -> TypeError:
    """The error of assigning a value that does not fit a registered name."""
    return TypeError(
        f"cannot assign '{type_name(value)}' as {kind} '{name}' ({expected} or None "
        "expected)"
    )


def type_name(value: Any) -> str:
    """How an error names the type of a value."""
    kind = type(value)
    module = kind.__module__
    return kind.__name__ if module == "builtins" else f"{module}.{kind.__name__}"


# --- Hooks on registration, for all modules -------------------------------------------


def noticed(module: Any, kind: str, name: str, value: Any) -> Any:
    """What is to be registered, after those who asked were told."""
    for hook in list(GLOBAL[kind].values()):
        changed = hook(module, name, value)
        value = value if changed is None else changed
    return value


def _add(kind: str, hook: Any) -> Handle:
    _next[0] += 1
    GLOBAL[kind][_next[0]] = hook
    return Handle(GLOBAL[kind], _next[0])


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, name, param)` whenever a module gets a parameter; what it
    returns, if not None, is registered instead."""
    return _add("parameter", hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, name, buffer)` whenever a module gets a buffer; what it
    returns, if not None, is registered instead."""
    return _add("buffer", hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, name, submodule)` whenever a module gets a child; what it
    returns, if not None, is registered instead."""
    return _add("module", hook)
