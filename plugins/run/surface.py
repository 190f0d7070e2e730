"""The module `torch`: plugrad's names, and those that PyTorch has at its top.

A name is looked up when it is first asked for, and kept: after that it costs what an
attribute of any module costs. In order, it is

1. a module that stands for one of PyTorch's, or what this plugin has of its own
   (names.py);
2. plugrad's own;
3. a function of `nn.functional` or a method of Tensor that PyTorch has at the top, too.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import plugrad

from .functions import into_default
from .names import FUNCTIONAL, MAKERS, METHODS, OWN, STANDINS


class Torch(ModuleType):
    """The module that `import torch` gives."""

    def __getattr__(self, name: str) -> Any:
        found = find(name)
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        given = {n for n in dir(plugrad) if not n.startswith("_")} | {*plugrad.__all__}
        inside = {each.partition(".")[2] for each in STANDINS}
        given |= inside | set(OWN) | FUNCTIONAL | METHODS
        return sorted(given | set(vars(self)))

    def __repr__(self) -> str:
        return f"<module 'torch', which is plugrad {plugrad.__version__}>"


def find(name: str) -> Any:
    """What `torch.NAME` is; an AttributeError if plugrad has nothing for it."""
    if name.startswith("__"):
        if name == "__all__":
            return list(plugrad.__all__)
        raise lacking(name)
    if f"torch.{name}" in STANDINS:
        return import_module(f"torch.{name}")
    if name in OWN:
        return getattr(import_module(f"{__package__}.{OWN[name]}"), name)
    if name in MAKERS and plugrad.default_backend().name != "numpy":
        return into_default(getattr(plugrad, name))
    try:
        return getattr(plugrad, name)
    except AttributeError:
        pass
    if name in FUNCTIONAL:
        return getattr(import_module("plugrad.nn.functional"), name)
    if name in METHODS or (name.endswith("_") and not name.startswith("_")):
        if hasattr(plugrad.Tensor, name):
            return method(name)
    raise lacking(name)


def lacking(name: str) -> AttributeError:
    """The error of a name that plugrad has nothing for."""
    return AttributeError(
        f"torch.{name}: plugrad {plugrad.__version__}, which is in the place of torch, "
        f"has no {name!r}",
        name=name,
    )


def method(name: str) -> Callable[..., Any]:
    """A function that calls the method of its first argument."""

    def function(input: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(input, name)(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "torch"
    return function
