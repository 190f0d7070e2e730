"""Find plugins by name.

A name is first tried by convention, as `plugrad.backends.NAME`, which costs no scan;
then among the installed distributions' entry points of the group `plugrad`. What is
found is registered with pluggy, and its hooks are called once, never per operator.
A plugin that cannot be imported is an error when it is asked for by name, and never
before.
"""

from __future__ import annotations

from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .interface import Backend
    from .overrides import Overrides

GROUP = "plugrad"


def find_backend(name: str) -> Backend:
    """Import the plugin `name` and ask it for its backend."""
    module = find_plugin(name)
    for backend in manager_with(module).hook.plugrad_backend(name=name):
        if backend is not None:
            return backend
    raise BackendError(f"plugin {name!r} ({module.__name__}) offers no backend")


def find_kernels(name: str, backend: str) -> Overrides:
    """Import the plugin `name` and ask it for its kernels for a backend."""
    module = find_plugin(name)
    for kernels in manager_with(module).hook.plugrad_kernels(name=name):
        if kernels is not None and kernels.backend == backend:
            return kernels
    raise BackendError(
        f"plugin {name!r} ({module.__name__}) offers no kernels for {backend!r}"
    )


def find_plugin(name: str) -> Any:
    """The module of a plugin, by convention or by entry point."""
    from importlib import import_module

    conventional = f"plugrad.backends.{name}"
    try:
        return import_module(conventional)
    except ModuleNotFoundError as error:
        if error.name != conventional:
            raise BackendError(
                f"backend {name!r} cannot be loaded: {error}; "
                f"install what it needs, such as: pip install {error.name}"
            ) from error
    from importlib.metadata import entry_points

    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name in found:
        return found[name].load()
    from difflib import get_close_matches

    close = get_close_matches(name, found, cutoff=0.7)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise BackendError(
        f"unknown backend {name!r}; installed: {', '.join(sorted(found))}{hint}"
    )


_manager: list[Any] = []


def manager_with(module: Any) -> Any:
    """The pluggy manager, with `module` registered."""
    import pluggy

    if not _manager:
        from . import hookspecs

        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        _manager.append(manager)
    manager = _manager[0]
    if not manager.is_registered(module):
        manager.register(module, name=module.__name__)
    return manager
