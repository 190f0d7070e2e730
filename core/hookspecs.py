"""The hooks that a plugin can implement; each is called when the plugin is activated.

A plugin is a module (or object) with functions of these names, marked with
`plugrad.hookimpl`, and an entry point in the group `plugrad`.
"""

from __future__ import annotations

import pluggy

from .interface import Backend
from .overrides import Overrides

hookspec = pluggy.HookspecMarker("plugrad")
hookimpl = pluggy.HookimplMarker("plugrad")


@hookspec
def plugrad_backend(name: str) -> Backend | None:  # type: ignore[empty-body]
    """Give the backend called `name`, or None if it is not this plugin's."""


@hookspec
def plugrad_kernels(name: str) -> Overrides | None:  # type: ignore[empty-body]
    """Give the kernels called `name`, or None if they are not this plugin's."""
