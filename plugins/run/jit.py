"""`torch.jit`: functions and modules run as the Python that they are.

`script` and `trace` return what they are given, and say so once: what they compute is
the same, but nothing is compiled, and there is nothing to save for other languages.
"""

from __future__ import annotations

import warnings
from typing import Any

from plugrad.nn import Module

from .absent import absent

NAMES = "CompilationUnit fork freeze load optimize_for_inference save trace_module wait"
WHY = "plugrad compiles nothing: functions and modules run as Python"
globals().update(absent("torch.jit", NAMES, WHY))


class ScriptModule(Module):
    """The type of compiled modules; there are none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError(f"torch.jit.ScriptModule: {WHY}; derive from nn.Module")


class ScriptFunction:
    """The type of compiled functions; there are none."""


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """The function, class or module itself."""
    tell("script")
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The function or module itself, which goes on to decide by its inputs."""
    tell("trace")
    return func


def tell(name: str) -> None:
    """Say once for each line of a program that nothing was compiled."""
    warnings.warn(f"torch.jit.{name}: {WHY}", stacklevel=3)


def is_scripting() -> bool:
    """False: nothing is compiled."""
    return False


is_tracing = is_scripting


def same(value: Any = None, *args: Any, **kwargs: Any) -> Any:
    """What a decorator is given; it would have told the compiler something."""
    return value


export = ignore = interface = script_if_tracing = unused = same


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value."""
    return the_value


def Attribute(value: Any, type: Any) -> Any:
    """The value."""
    return value
