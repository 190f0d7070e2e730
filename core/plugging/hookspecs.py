"""The hooks that a plugin can implement; each is called when the plugin is activated.

A plugin is a module (or object) with functions of these names, marked with
`plugrad.hookimpl`, and an entry point in the group `plugrad`. A hook takes the
arguments below, or fewer. docs/plugins.md shows each.
"""

from __future__ import annotations

import pluggy

from ..interface import Backend
from ..overrides import Overrides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from ..declare import OpFunction

hookspec = pluggy.HookspecMarker("plugrad")


@hookspec
def plugrad_backend(name: str) -> Backend | None:  # type: ignore[empty-body]
    """Give the backend called `name`, or None if it is not this plugin's."""


@hookspec
def plugrad_kernels(name: str) -> Overrides | None:  # type: ignore[empty-body]
    """Give the kernels called `name`, or None if they are not this plugin's."""


@hookspec
def plugrad_ops() -> Iterable[OpFunction] | None:  # type: ignore[empty-body]
    """Give the plugin's ops: what `plugrad.op` made of their declarations. They become
    functions of `plugrad` by their names, and methods as their declarations say."""


@hookspec
def plugrad_namespace(  # type: ignore[empty-body]
    name: str,
) -> ModuleType | dict[str, ModuleType] | None:
    """Give the package that is mounted as `plugrad.NAME`; `name` is the plugin's.
    `{"utils.NAME": package}` has it mounted as `plugrad.utils.NAME`."""


@hookspec
def plugrad_command(  # type: ignore[empty-body]
    name: str,
) -> Callable[[Sequence[str]], int] | None:
    """Give what `plugrad NAME ...` runs: a function that takes the words after NAME and
    returns the exit status; `name` is the plugin's."""


@hookspec
def plugrad_format(name: str) -> object | None:  # type: ignore[empty-body]
    """Give what `plugrad.save` and `load` call for files of the format `name`: an
    object with `save(tensors, write)`, where `write` takes bytes, and
    `load(path, mmap)`, which returns tensors by name."""
