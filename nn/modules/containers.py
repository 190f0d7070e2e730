"""Modules that hold others: in a row, as a list or by name; and lists of parameters."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Self

from plugrad import Parameter, Tensor

from .module import Module

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class Numbered(Module):
    """A module whose children are numbered from 0."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [key for key in super().__dir__() if not key.isdigit()]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._part(list(self._modules.items())[index])
        return self._modules[self._key(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: Any) -> None:
        keys = list(self._modules)
        gone = keys[index] if isinstance(index, slice) else [self._key(index)]
        rest = [module for key, module in self._modules.items() if key not in set(gone)]
        self._refill(rest)

    def _part(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(module for _, module in items)

    def _key(self, index: int) -> str:
        n = operator.index(index)
        size = len(self)
        if not -size <= n < size:
            raise IndexError(f"index {n} is out of range for {size} modules")
        return next(islice(self._modules, n % size, None))

    def _refill(self, modules: Iterable[Any]) -> None:
        modules = list(modules)
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def append(self, module: Module) -> Self:
        """Put a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Put several modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but "
                f"got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before the one at `index`."""
        modules = list(self)
        modules.insert(index, module)
        self._refill(modules)
        return self

    def pop(self, key: Any) -> Any:
        """Take a module out."""
        found = self[key]
        del self[key]
        return found


class Sequential(Numbered):
    """Modules that are called one after the other.

    >>> import plugrad
    >>> from plugrad import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    >>> net(plugrad.zeros(4, 2)).shape
    plugrad.Size([4, 1])
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def _part(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(OrderedDict(items))

    def insert(self, index: int, module: Module) -> Any:
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type {Module}")
        n = len(self)
        if not -n <= index <= n:
            raise IndexError(f"Index out of range: {index}")
        return super().insert(index, module)

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other)} is given."
            )
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Self:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other)} is given."
            )
        return self.extend(list(other))

    def __mul__(self, other: int) -> Sequential:
        check_times(other)
        return Sequential(*chain.from_iterable([list(self)] * other))

    def __rmul__(self, other: int) -> Sequential:
        return self * other

    def __imul__(self, other: int) -> Self:
        check_times(other)
        own = list(self)
        for _ in range(other - 1):
            self.extend(own)
        return self


def check_times(other: Any) -> None:
    """Raise unless a Sequential can be repeated so often."""
    if not isinstance(other, int):
        raise TypeError(f"unsupported operand type(s) for *: Sequential and {other!r}")
    if other <= 0:
        raise ValueError(f"Non-positive multiplication factor {other} for Sequential")


class ModuleList(Numbered):
    """A list of modules; they are called by whoever holds it.

    >>> import plugrad
    >>> from plugrad import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self += modules

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def insert(self, index: int, module: Module) -> None:
        super().insert(index, module)

    def __repr__(self) -> str:
        """As PyTorch prints it: a run of equal modules is one line."""
        texts = [repr(module) for module in self]
        if not texts:
            return f"{self._get_name()}()"
        runs: list[list[Any]] = []  # first, last, text
        for i, text in enumerate(texts):
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        lines = [f"{self._get_name()}("]
        for first, last, text in runs:
            body = text.replace("\n", "\n  ")
            if first != last:
                lines.append(f"  ({first}-{last}): {last - first + 1} x {body}")
            else:
                lines.append(f"  ({first}): {body}")
        return "\n".join([*lines, ")"])


class ModuleDict(Module):
    """Modules by name.

    >>> import plugrad
    >>> from plugrad import nn
    >>> choices = nn.ModuleDict({"small": nn.Linear(2, 2), "none": nn.Identity()})
    >>> list(choices)
    ['small', 'none']
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out."""
        found = self[key]
        del self[key]
        return found

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names with their modules."""
        return self._modules.items()

    def update(self, modules: Any) -> None:
        """Add modules from a mapping or from pairs; names that exist get the new."""
        for key, module in pairs(self, modules):
            self[key] = module


def pairs(to: Any, values: Any) -> Iterable[tuple[str, Any]]:
    """What `update` of a dictionary was given, as pairs."""
    if isinstance(values, Mapping | ModuleDict | ParameterDict):
        return list(values.items())
    if not isinstance(values, Iterable):
        raise TypeError(
            f"{type(to).__name__}.update should be called with an iterable of "
            f"key/value pairs, but got {type(values).__name__}"
        )
    found = list(values)
    for i, each in enumerate(found):
        if not isinstance(each, Iterable):
            raise TypeError(
                f"{type(to).__name__} update sequence element #{i} should be Iterable; "
                f"is {type(each).__name__}"
            )
        if len(list(each)) != 2:
            raise ValueError(
                f"{type(to).__name__} update sequence element #{i} has length "
                f"{len(list(each))}; 2 is required"
            )
    return found


# --- Parameters -----------------------------------------------------------------------


def as_parameter(value: Any) -> Any:
    """Tensors become parameters; anything else may stand among them."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value, requires_grad=value.is_floating_point())
    return value


def described(value: Any, name: str) -> str:
    """One entry in the printed form; `name` says how its type is called."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(n) for n in value.shape)
    where = "" if value.is_cpu else f" (on {value.device})"
    called = value.dtype if name == "dtype" else value.type()
    return f"{kind} containing: [{called} of size {size}{where}]"


class ParameterList(Module):
    """A list of parameters; what is no tensor may stand among them.

    >>> import plugrad
    >>> p = plugrad.nn.ParameterList([plugrad.ones(2), plugrad.zeros(1)])
    >>> len(list(p.parameters()))
    2
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def _key(self, index: int) -> str:
        n = operator.index(index)
        if not -self._size <= n < self._size:
            raise IndexError(f"index {n} is out of range for {self._size} parameters")
        return str(n % self._size)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            numbers = range(*index.indices(len(self)))
            return type(self)(getattr(self, str(i)) for i in numbers)
        return getattr(self, self._key(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter(self[i] for i in range(len(self)))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def __dir__(self) -> list[str]:
        return [key for key in super().__dir__() if not key.isdigit()]

    def append(self, value: Any) -> Self:
        """Put a value at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Put several values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in values:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(
            f"  ({i}): {described(p, 'dtype')}" for i, p in enumerate(self)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """Parameters by name; what is no tensor may stand among them.

    >>> import plugrad
    >>> p = plugrad.nn.ParameterDict({"left": plugrad.ones(2)})
    >>> p["left"].requires_grad
    True
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                f"Index given to ParameterDict cannot be used as a key as it is not a "
                f"string (type is '{type(key).__name__}')"
            )
        self._keys[key] = None
        setattr(self, key, as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __or__(self, other: ParameterDict) -> ParameterDict:
        found = self.copy()
        found.update(other)
        return found

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names with their parameters."""
        return ((key, self[key]) for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add parameters from a mapping or from pairs; names that exist get the new."""
        for key, value in pairs(self, parameters):
            self[key] = value

    def copy(self) -> ParameterDict:
        """Another dictionary of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def clear(self) -> None:
        """Take all parameters out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take a parameter out."""
        found = self[key]
        del self[key]
        return found

    def popitem(self) -> tuple[str, Any]:
        """Take the last parameter out, with its name."""
        key = next(reversed(self))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, or else `default`."""
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, which is `default` if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dictionary with the same value under each name."""
        return ParameterDict(dict.fromkeys(keys, default))

    def extra_repr(self) -> str:
        lines = [
            f"  ({key}): {described(value, 'type')}" for key, value in self.items()
        ]
        return "\n".join(lines)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")
