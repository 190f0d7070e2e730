"""Plugrad: PyTorch's API on any array library.

>>> import plugrad
>>> x = plugrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from __future__ import annotations

from . import (
    attach,  # noqa: F401  (gives Tensor its methods)
    autograd,
    creation,
    devices,
    dtypes,
    layouts,
    limits,
    ops,
    queries,
    random,
)
from .autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .creation import *
from .declare import op
from .devices import *
from .dtypes import *
from .errors import BackendError, CheckpointError, UnsupportedOpError, unknown_name
from .interface import Backend
from .layouts import *
from .limits import *
from .ops import *
from .overrides import Overrides, use_kernels
from .parameter import Buffer, Parameter
from .plugging.mounting import find_packages
from .printing import get_printoptions, set_printoptions
from .queries import *
from .random import *
from .selection import (
    backend,
    default_backend,
    get_backend,
    register_backend,
    set_default_backend,
)
from .tensor import Size, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .compiling import compile
    from .fusing import fuse
    from .module import Module
    from .plugging.discovery import load_plugin
    from .plugging.listing import Listing, PluginInfo, list_backends, list_plugins
    from .plugging.marking import hookimpl
    from .saving import load, save
    from .sharing import in_threads
    from .threads import get_num_threads, register_threads, set_num_threads

__version__ = "0.1.0"

__all__ = [
    "Backend",
    "BackendError",
    "Buffer",
    "CheckpointError",
    "Listing",
    "Module",
    "Overrides",
    "Parameter",
    "PluginInfo",
    "Size",
    "Tensor",
    "UnsupportedOpError",
    "autograd",
    "backend",
    "compile",
    "default_backend",
    "enable_grad",
    "fuse",
    "get_backend",
    "get_num_threads",
    "get_printoptions",
    "hookimpl",
    "in_threads",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "list_backends",
    "list_plugins",
    "load",
    "load_plugin",
    "no_grad",
    "op",
    "random",
    "register_backend",
    "register_threads",
    "save",
    "set_default_backend",
    "set_grad_enabled",
    "set_num_threads",
    "set_printoptions",
    "use_kernels",
]
__all__ += creation.__all__
__all__ += devices.__all__
__all__ += dtypes.__all__
__all__ += layouts.__all__
__all__ += limits.__all__
__all__ += ops.__all__
__all__ += queries.__all__
__all__ += random.__all__


# What is loaded on its first use, and the module that has it.
LATER = {
    "Listing": "plugging.listing",
    "Module": "module",
    "PluginInfo": "plugging.listing",
    "compile": "compiling",
    "fuse": "fusing",
    "get_num_threads": "threads",
    "hookimpl": "plugging.marking",
    "in_threads": "sharing",
    "list_backends": "plugging.listing",
    "list_plugins": "plugging.listing",
    "load": "saving",
    "load_plugin": "plugging.discovery",
    "register_threads": "threads",
    "save": "saving",
    "set_num_threads": "threads",
}

find_packages()  # that plugins mount as plugrad.NAME


def __getattr__(name: str) -> Any:
    if name in LATER:
        from importlib import import_module

        return getattr(import_module(f"plugrad.{LATER[name]}"), name)
    if name in dtypes.__all__:  # bool, int and float, which shadow nothing here
        return getattr(dtypes, name)
    if not name.startswith("_"):  # a package or module that nobody has asked for yet
        from importlib import import_module
        from importlib.util import find_spec

        try:
            if find_spec(f"plugrad.{name}") is not None:
                return import_module(f"plugrad.{name}")
        except ImportError as error:
            if not isinstance(error.__cause__, BackendError):
                raise
            # a plugin has that name and cannot be used
            raise AttributeError(str(error), name=name) from error
    from sys import modules

    raise unknown_name(name, modules[__name__])
