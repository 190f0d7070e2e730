"""Let `import torch` mean plugrad.

- `torch` is a module of its own (surface.py), whose attributes are plugrad's; every
  module below it is plugrad's very own: `torch.nn is plugrad.nn`.
- `torchvision` is `plugrad.plugins.vision`, where plugrad-vision is installed.
- The finder stands before all others, so that an installed PyTorch is not found; what
  plugrad lacks is a ModuleNotFoundError that says so.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import plugrad

from . import children
from .names import REFUSED, STANDINS, VERSION
from .surface import Torch

TOP = "torch"
ROOTS = {TOP: "plugrad", "torchvision": "plugrad.plugins.vision"}


def install(backend: str | None = None, device: str | None = None) -> ModuleType:
    """Make `import torch` and `import torchvision` mean plugrad; return that `torch`.

    `backend` and `device` become the defaults for new tensors. Processes started by
    multiprocessing from this one do the same before they import anything.

        from plugrad.plugins import run

        run.install()
        import torch  # this is plugrad
    """
    if not is_installed():
        there = [name for name in ROOTS if name in sys.modules]
        if there:
            raise ImportError(
                f"{there[0]} is imported already, and is not plugrad: call "
                "plugrad.plugins.run.install() before anything imports it"
            )
    choose(backend, device)
    if not is_installed():
        sys.meta_path.insert(0, Finder())
    children.follow(backend, device)
    return import_module(TOP)


def uninstall() -> None:
    """Take back what `install` did: the next `import torch` is Python's own. Modules
    that have imported `torch` keep what they have; default backend and device stay.

    >>> from plugrad.plugins import run
    >>> run.uninstall()
    >>> run.is_installed()
    False
    """
    if is_installed():
        sys.meta_path[:] = [each for each in sys.meta_path if not finds(each)]
        for name in [each for each in sys.modules if each.partition(".")[0] in ROOTS]:
            del sys.modules[name]
        children.leave()


def is_installed() -> bool:
    """Whether `import torch` means plugrad.

    >>> from plugrad.plugins import run
    >>> run.is_installed()
    False
    """
    return any(map(finds, sys.meta_path))


def finds(finder: object) -> bool:
    """Whether a finder is the one of this module."""
    return isinstance(finder, Finder)


def choose(backend: str | None, device: str | None) -> None:
    """Set the defaults for new tensors; refuse the backend that needs PyTorch."""
    if (backend or os.environ.get("PLUGRAD_BACKEND")) == "torch":
        raise plugrad.BackendError(REFUSED["plugrad.backends.torch"])
    if backend is not None:
        plugrad.set_default_backend(backend)
    if device is not None:
        plugrad.set_default_device(device)


class Finder:
    """Finds `torch`, `torchvision` and all that is below them."""

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> ModuleSpec | None:
        if name in REFUSED:
            raise ModuleNotFoundError(f"{name}: {REFUSED[name]}", name=name)
        root, _, rest = name.partition(".")
        if root not in ROOTS:
            return None
        if name == TOP:
            return ModuleSpec(name, Surface(), is_package=True)
        parent, _, last = name.rpartition(".")
        if parent in STANDINS and name not in STANDINS:
            inside = getattr(sys.modules[parent], last, None)
            if isinstance(inside, ModuleType):
                return ModuleSpec(name, Given(inside))
        real = STANDINS.get(name) or f"{ROOTS[root]}.{rest}".rstrip(".")
        if not exists(real):
            raise ModuleNotFoundError(
                f"No module named {name!r}: {why_not(root)}", name=name
            )
        return ModuleSpec(name, Same(real))


def exists(name: str) -> bool:
    """Whether a module of plugrad can be imported."""
    try:
        return name in sys.modules or find_spec(name) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def why_not(root: str) -> str:
    """Why there is no module of that name below `torch` or `torchvision`."""
    if not exists(ROOTS[root]):
        return f"in its place would be {ROOTS[root]}; pip install plugrad-vision"
    return (
        f"plugrad {plugrad.__version__}, which is in the place of {root}, has none "
        "(docs/run.md says what there is)"
    )


class Surface:
    """Makes the module `torch`."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = Torch(TOP, plugrad.__doc__)
        module.__version__ = VERSION
        module.__file__ = plugrad.__file__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run: attributes are looked up when they are asked for."""


class Given:
    """Loads a module that is there already."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already."""


class Same(Given):
    """Loads one of plugrad's modules under a second name: it is the same module."""

    def __init__(self, real: str) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self.real)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The import system has just given it another spec."""
        module.__spec__ = self.spec
